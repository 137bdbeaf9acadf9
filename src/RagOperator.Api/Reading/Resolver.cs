using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Validation;
using RagOperator.Api.Values;

namespace RagOperator.Api.Reading;

/// <summary>From a spec that passed every rule to one that decisions are made from: defaults filled in, texts parsed, components in order.</summary>
internal static class Resolver
{
    public static ResolvedSpec Resolve(SpecCandidate candidate, System.Text.Json.JsonElement raw)
    {
        var spec = candidate.Spec;
        var entry = candidate.Entry!.Name;
        var flags = spec.FeatureFlags?.Flags ?? [];
        var rawComponents = raw.GetProperty("components").EnumerateArray().ToList();
        return new ResolvedSpec
        {
            Components = InStartOrder([.. spec.Components.Select((c, i) => Component(c, rawComponents[i]))]),
            Entry = entry,
            GatewayApi = spec.Traffic!.GatewayApi!.Value,
            Metadata = Metadata(spec.Traffic.Metadata),
            Settle = spec.Traffic.Settle is { } settle ? Duration(settle, TimeSpan.Zero) : null,
            DeliverTo = Sorted(candidate.DeliverTo),
            EnabledFlags = Sorted(flags.Where(static f => f.Enabled).Select(static f => f.Name)),
            DisabledFlags = Sorted(flags.Where(static f => !f.Enabled).Select(static f => f.Name)),
            Policy = new ResolvedPolicy
            {
                Paused = spec.Rollout?.Paused ?? false,
                ProgressDeadline = Duration(spec.Rollout?.ProgressDeadline, SpecDefaults.ProgressDeadline),
                RetireDelay = Duration(spec.Rollout?.RetireDelay, SpecDefaults.RetireDelay),
                Steps = spec.Rollout?.Steps is { } steps ? [.. steps.Select(Step)] : SpecDefaults.Steps,
                KeepFailedPods = Duration(spec.Rollback?.KeepFailedPods, SpecDefaults.KeepFailedPods),
                UndoWindow = Duration(spec.Rollback?.UndoWindow, SpecDefaults.UndoWindow),
                Sla = spec.Sla is { Metrics.Count: > 0 } sla ? Sla(sla, entry, candidate.Catalog) : null,
            },
        };
    }

    private static ResolvedComponent Component(ComponentSpec component, System.Text.Json.JsonElement raw) => new()
    {
        Name = component.Name,
        Raw = raw,
        ExternalService = component.External?.Service,
        ExternalPort = component.External?.Port ?? 0,
        DependsOn = component.DependsOn ?? [],
        Replicas = component.Replicas ?? SpecDefaults.Replicas,
        CanaryReplicas = component.CanaryReplicas,
        Metadata = Metadata(component.Metadata),
        ProgressDeadline = RagDuration.TryParse(component.ProgressDeadline, out var deadline) ? deadline : null,
        MinReadySeconds = component.MinReadySeconds,
    };

    private static ResolvedMetadata Metadata(MetadataSpec? metadata) =>
        metadata is null ? ResolvedMetadata.None : new(Sorted(metadata.Labels), Sorted(metadata.Annotations));

    private static List<KeyValuePair<string, string>> Sorted(Dictionary<string, string>? texts) =>
        [.. (texts ?? []).OrderBy(static t => t.Key, StringComparer.Ordinal)];

    /// <summary>Each component after all that it depends on; among those that could be next, the one that the user wrote first.</summary>
    private static List<ResolvedComponent> InStartOrder(List<ResolvedComponent> waiting)
    {
        var ordered = new List<ResolvedComponent>(waiting.Count);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        while (waiting.Find(c => c.DependsOn.All(placed.Contains)) is { } next)
        {
            waiting.Remove(next);
            ordered.Add(next);
            placed.Add(next.Name);
        }

        return ordered;
    }

    private static ResolvedStep Step(StepSpec step) =>
        new(step.Name, step.Weight, Duration(step.Hold, SpecDefaults.Hold), step.Approval == "Required", step.Flags ?? []);

    private static ResolvedSla Sla(SlaSpec sla, string entry, IMetricCatalog catalog) => new()
    {
        Source = sla.Source ?? SpecDefaults.Source,
        Interval = Duration(sla.Interval, SpecDefaults.Interval),
        WarmUp = Duration(sla.WarmUp, SpecDefaults.WarmUp),
        NoDataTimeout = Duration(sla.NoDataTimeout, SpecDefaults.NoDataTimeout),
        VolumeQuery = sla.Volume?.Query,
        VolumeMin = sla.Volume?.Min ?? 0,
        Metrics = [.. sla.Metrics!.Select(m => Metric(m, entry, catalog))],
    };

    private static ResolvedMetric Metric(MetricSpec metric, string entry, IMetricCatalog catalog) => new()
    {
        Name = metric.Name,
        Component = metric.Component ?? entry,
        Query = metric.Query ?? catalog.PresetQuery(metric.Preset!)!,
        Window = Duration(metric.Window, SpecDefaults.Window),
        Limit = Limit(metric.Limit!),
        FailAfter = metric.FailAfter ?? SpecDefaults.FailAfter,
        Steps = metric.Steps,
        OnBreach = metric.OnBreach switch { "Hold" => BreachAction.Hold, "Report" => BreachAction.Report, _ => BreachAction.Rollback },
    };

    private static ResolvedLimit Limit(LimitSpec limit)
    {
        (string Name, string? Text)[] parts =
        [
            ("max", limit.Max), ("min", limit.Min), ("maxIncrease", limit.MaxIncrease), ("maxDecrease", limit.MaxDecrease),
            ("maxIncreasePercent", limit.MaxIncreasePercent), ("minIncreasePercent", limit.MinIncreasePercent),
        ];
        return new ResolvedLimit
        {
            Max = Value(limit.Max),
            Min = Value(limit.Min),
            MaxIncrease = Value(limit.MaxIncrease),
            MaxDecrease = Value(limit.MaxDecrease),
            MaxIncreaseFraction = Percent(limit.MaxIncreasePercent),
            MinIncreaseFraction = Percent(limit.MinIncreasePercent),
            Unit = LimitValue.TryParse(limit.Max ?? limit.Min ?? limit.MaxIncrease ?? limit.MaxDecrease, out _, out var unit) ? unit : LimitUnit.None,
            Text = string.Join(", ", parts.Where(static p => p.Text is not null).Select(static p => $"{p.Name} {p.Text}")),
        };
    }

    private static double? Value(string? text) => LimitValue.TryParse(text, out var value) ? value : null;

    private static double? Percent(string? text) => LimitValue.TryParsePercent(text, out var value) ? value : null;

    private static TimeSpan Duration(string? text, TimeSpan otherwise) => RagDuration.TryParse(text, out var value) ? value : otherwise;

    private static List<string> Sorted(IEnumerable<string> names) => [.. names.Order(StringComparer.Ordinal)];
}
