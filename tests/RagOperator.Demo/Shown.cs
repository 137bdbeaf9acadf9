namespace RagOperator.Demo;

/// <summary>A moment's parts as text, the same on a terminal and in a pipe.</summary>
internal static class Shown
{
    public static string Clock(TimeSpan time) => $"{(int)time.TotalMinutes}:{time.Seconds:00}";

    public static string Step(Moment moment) => moment.Status.Step is { Index: >= 0 } step && moment.Status.CanaryRevision is not null
        ? $"{step.Name} ({step.Index + 1} of {moment.Steps.Count}), {step.State}"
        : "none";

    public static string Wanted(Moment moment) => moment.Wanted is { } weight ? $"{weight}%" : "-";

    public static string Served(Moment moment, string counter) => moment.Share is { } share ? $"{share:0.0}% of {moment.Served.Total} requests {counter}" : "-";

    public static string Metric(ShownMetric metric) =>
        $"{metric.Name} {metric.Value} ({metric.Limit}) {(metric.Verdict.Length == 0 ? "not asked yet" : metric.Verdict)} {metric.Streak}/{metric.FailAfter}";

    public static string Flags(Moment moment) => moment.Status.Flags is { Count: > 0 } flags
        ? string.Join("; ", flags.Select(flag => $"{flag.Name} {OnOff(flag.Stable)} in stable{(flag.Canary is { } canary ? $", {OnOff(canary)} in the new one" : "")}"))
        : "none";

    /// <summary>Pods by component: those that serve already, and those of the new release.</summary>
    public static string Pods(Moment moment)
    {
        var parts = new List<string>();
        foreach (var component in moment.PodsByRevision().GroupBy(pods => pods.Component, StringComparer.Ordinal))
        {
            var current = moment.Status.Components?.Find(other => other.Name == component.Key);
            var isNew = moment.Status.CanaryRevision is not null && moment.Status.StableRevision is not null && current?.Shared != true;
            var (fresh, old) = (component.Where(pods => isNew && pods.Revision == current?.Revision).ToList(), component.Where(pods => !isNew || pods.Revision != current?.Revision).ToList());
            var shared = current?.Shared == true ? " (shared)" : "";
            parts.Add($"{component.Key} {old.Sum(pods => pods.Ready)}{shared}{(fresh.Count > 0 ? $" + {fresh.Sum(pods => pods.Ready)} new" : "")}");
        }

        return string.Join(", ", parts);
    }

    private static string OnOff(bool value) => value ? "on" : "off";
}
