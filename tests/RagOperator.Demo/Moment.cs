using System.Globalization;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Demo;

/// <summary>One metric as shown.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">With the limit's unit; <c>-</c> for none.</param>
/// <param name="Limit">As status has it.</param>
/// <param name="Verdict">Empty before the first.</param>
/// <param name="Streak">Breaches in a row.</param>
/// <param name="FailAfter">How many it takes.</param>
internal sealed record ShownMetric(string Name, string Value, string Limit, string Verdict, int Streak, int FailAfter)
{
    public static ShownMetric Of(MetricStatus status, double? live)
    {
        var value = live ?? (double.TryParse(status.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var written) ? written : null);
        var limit = status.Limit ?? "";
        var text = status.Verdict is null || value is not { } v || !double.IsFinite(v) ? "-"
            : limit.Contains('%', StringComparison.Ordinal) ? $"{v * 100:0.0}%"
            : limit.EndsWith('s') ? v < 1 ? $"{v * 1000:0}ms" : $"{v:0.0}s"
            : $"{v:G4}";
        return new(status.Name, text, limit, status.Verdict ?? "", status.Streak, status.FailAfter);
    }
}

/// <summary>The pods of one component.</summary>
/// <param name="Component">Its name.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Ready">Ready pods.</param>
/// <param name="Total">All but those that are about to end.</param>
internal sealed record ShownPods(string Component, string Revision, int Ready, int Total);

/// <summary>How everything stands at one time: what the API says, and what the gateway counts.</summary>
internal sealed record Moment
{
    /// <summary>Unix seconds before the first read.</summary>
    public required double Began { get; init; }

    /// <summary>Unix seconds after the last read.</summary>
    public required double Ended { get; init; }

    public required long Generation { get; init; }

    public required RagDeploymentStatus Status { get; init; }

    /// <summary>The steps that spec names: name and weight.</summary>
    public required IReadOnlyList<(string Name, int Weight)> Steps { get; init; }

    /// <summary>Weights of the route by revision of the traffic component.</summary>
    public required IReadOnlyDictionary<string, int> Route { get; init; }

    public required IReadOnlyList<V1Pod> Pods { get; init; }

    public required IReadOnlyList<ShownMetric> Metrics { get; init; }

    /// <summary>The revision of the traffic component that is or was being brought in.</summary>
    public required string? NewRevision { get; init; }

    /// <summary>Requests of the last seconds that the new revision served, and all.</summary>
    public required (int New, int Total) Served { get; init; }

    /// <summary>The sum of the operator's reaction times so far, in seconds.</summary>
    public required double? Reactions { get; init; }

    public string Phase => Status.Phase ?? "";

    /// <summary>Whether the operator has acted on the newest spec.</summary>
    public bool IsCurrent => Status.ObservedGeneration == Generation;

    /// <summary>The new release's weight on the route; null where there is none.</summary>
    public int? Wanted => NewRevision is null || Route.Count == 0 ? null : Route.GetValueOrDefault(NewRevision);

    public double? Share => Served.Total == 0 ? null : 100.0 * Served.New / Served.Total;

    public bool IsTrue(string condition) => Status.Conditions?.Exists(c => c.Type == condition && c.Status == "True" && c.ObservedGeneration == Generation) == true;

    public IEnumerable<ShownPods> PodsByRevision() => Pods
        .Where(pod => pod.Metadata.DeletionTimestamp is null)
        .GroupBy(pod => (Component: pod.Metadata.Labels!.GetValueOrDefault("ragoperator.dev/component", ""), Revision: pod.Metadata.Labels!.GetValueOrDefault("ragoperator.dev/revision", "")))
        .Select(group => new ShownPods(group.Key.Component, group.Key.Revision, group.Count(IsReady), group.Count()))
        .OrderBy(pods => pods.Component, StringComparer.Ordinal);

    /// <summary>Names and restarts of the pods that the newest release uses for a component: whoever touched them shows here.</summary>
    public string Fingerprint(string component) => string.Join(' ', Pods
        .Where(pod => pod.Metadata.Labels!.GetValueOrDefault("ragoperator.dev/component") == component && pod.Metadata.DeletionTimestamp is null
            && pod.Metadata.Labels!.GetValueOrDefault("ragoperator.dev/revision") == Status.Components?.Find(c => c.Name == component)?.Revision)
        .Select(pod => $"{pod.Metadata.Name}:{pod.Status?.ContainerStatuses?.Sum(container => container.RestartCount) ?? 0}").Order(StringComparer.Ordinal));

    private static bool IsReady(V1Pod pod) => pod.Status?.Conditions?.Exists(condition => condition.Type == "Ready" && condition.Status == "True") == true;
}
