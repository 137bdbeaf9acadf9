using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;

namespace RagOperator.Api.Validation;

/// <summary>Metrics: where they are asked for, what is asked, what they are about, and limits that can be kept.</summary>
internal static class SlaRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        if (candidate.Spec.Sla is not { } sla)
            return;
        var metrics = sla.Metrics ?? [];
        CheckSource(candidate, sla, findings);
        CheckQuery(sla.Volume?.Query, "spec.sla.volume.query", findings);
        findings.AddDuplicates("spec.sla.metrics", ".name", metrics.Select(static m => m.Name), "metrics");
        for (var i = 0; i < metrics.Count; i++)
            CheckMetric(candidate, metrics[i], $"spec.sla.metrics[{i}]", findings);
    }

    private static void CheckSource(SpecCandidate candidate, SlaSpec sla, Findings findings)
    {
        if (sla.Source is null && sla.Metrics is not { Count: > 0 })
            return;
        var source = sla.Source ?? SpecDefaults.Source;
        var usable = candidate.Catalog.SourcesFor(candidate.Namespace);
        if (usable.Contains(source))
            return;
        var offer = usable.Count == 0 ? "there is none" : $"there are {string.Join(", ", usable.Order(StringComparer.Ordinal))}";
        findings.Add("spec.sla.source", source, candidate.Catalog.SourceExists(source)
            ? $"is a metric source that namespace {candidate.Namespace} may not use; for it {offer}"
            : $"is no metric source of the operator's configuration; for namespace {candidate.Namespace} {offer}");
    }

    private static void CheckMetric(SpecCandidate candidate, MetricSpec metric, string path, Findings findings)
    {
        if (metric.Query is null && metric.Preset is null)
            findings.Add($"{path}.query", null, "is required where no preset is named");
        if (metric is { Query: not null, Preset: not null })
            findings.Add($"{path}.preset", metric.Preset, "must be left out where a query is given");
        else if (metric.Preset is { } preset && candidate.Catalog.PresetQuery(preset) is null)
            findings.Add($"{path}.preset", preset, $"is no preset; there are {string.Join(", ", candidate.Catalog.Presets.Order(StringComparer.Ordinal))}");
        CheckQuery(metric.Query, $"{path}.query", findings);
        if (metric.Component is { } component && candidate.IsNoWorkload(component))
            findings.Add($"{path}.component", component, $"must be a component that is run here: one of {candidate.WorkloadNames}");
        var steps = metric.Steps ?? [];
        findings.AddDuplicates($"{path}.steps", "", steps, "names");
        for (var i = 0; i < steps.Count; i++)
        {
            if (!candidate.StepNames.Contains(steps[i]))
                findings.Add($"{path}.steps[{i}]", steps[i], $"is no step; there are {string.Join(", ", candidate.StepNames)}");
        }

        if (metric.Limit is { } limit)
            CheckLimit(limit, $"{path}.limit", findings);
    }

    private static void CheckQuery(string? query, string path, Findings findings)
    {
        if (query is null || query.Length > SpecLimits.QueryLength)
            return;
        foreach (var (piece, rule) in QueryTemplate.Check(query))
            findings.Add(path, piece, rule);
    }

    private static void CheckLimit(LimitSpec limit, string path, Findings findings)
    {
        if (limit is { Max: null, Min: null, MaxIncrease: null, MaxDecrease: null, MaxIncreasePercent: null, MinIncreasePercent: null })
            findings.Add(path, null, "must have at least one of max, min, maxIncrease, maxDecrease, maxIncreasePercent, minIncreasePercent");
        if (LimitValue.TryParse(limit.Max, out var max) && LimitValue.TryParse(limit.Min, out var min) && max < min)
            findings.Add($"{path}.max", limit.Max, $"must not be below min, which is {limit.Min}");
        if (LimitValue.TryParsePercent(limit.MaxIncreasePercent, out var most) && LimitValue.TryParsePercent(limit.MinIncreasePercent, out var least) && most < least)
            findings.Add($"{path}.maxIncreasePercent", limit.MaxIncreasePercent, $"must not be below minIncreasePercent, which is {limit.MinIncreasePercent}");
    }
}
