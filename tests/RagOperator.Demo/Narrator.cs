using RagOperator.Api.V1Alpha1;

namespace RagOperator.Demo;

/// <summary>Says in a few words what changed from one moment to the next; silent where nothing did.</summary>
internal static class Narrator
{
    public static IReadOnlyList<string> Tell(Moment? before, Moment now)
    {
        var told = new List<string>();
        var was = before?.Status;
        var status = now.Status;
        if (status.CanaryRevision is not null && status.CanaryRevision != was?.CanaryRevision && status.StableRevision is not null)
            told.Add($"release {status.Release} ({status.CanaryRevision}) begins");
        if (was?.Step is { State: "Holding" or "Waiting" } left && (left.Name != status.Step?.Name || status.Step.State == "Shifting") && before is { Share: { } share })
            told.Add($"step {left.Name}: {left.Weight}% wanted, {share:0.0}% of {before.Served.Total} requests served");
        var earlier = before?.NewRevision == now.NewRevision ? before?.Wanted ?? 0 : 0;
        if (now.Wanted is { } weight && weight != earlier && status.StableRevision is not null && before?.Status.StableRevision is not null)
            told.Add($"weight {earlier}% -> {weight}%");
        if (status.Step is { } step && (step.Name != was?.Step?.Name || step.State != was.Step.State))
            told.Add(step.State switch
            {
                "Scaling" => step.Index < 0 ? "bringing up pods" : $"step {step.Name}: bringing up pods",
                "Shifting" => $"step {step.Name}: the gateway takes the weight",
                "Holding" => $"step {step.Name}: holding",
                _ => $"step {step.Name}: waiting",
            });
        foreach (var metric in now.Metrics)
            if (Metric(before?.Metrics.FirstOrDefault(other => other.Name == metric.Name), metric) is { } text)
                told.Add(text);
        foreach (var flag in status.Flags ?? [])
            if (Flag(was?.Flags?.Find(other => other.Name == flag.Name), flag) is { } text)
                told.Add(text);
        if (status.Rollback is { } rollback && rollback.DecidedAt != was?.Rollback?.DecidedAt)
            told.Add($"ROLLBACK: {rollback.Message}");
        if (status.StableRevision is not null && was is not null && status.StableRevision != was.StableRevision)
            told.Add($"release {status.Release} is stable now");
        if (now.Phase != before?.Phase && now.Phase.Length > 0 && now.Phase != "Progressing")
            told.Add(now.Phase);
        return told;
    }

    private static string? Metric(ShownMetric? before, ShownMetric now) => now.Verdict switch
    {
        _ when before is not null && before.Verdict == now.Verdict && before.Streak == now.Streak => null,
        "" => null,
        "Breach" => $"{now.Name} {now.Value} beyond {now.Limit}, {now.Streak} in a row",
        "Pass" => $"{now.Name} passes",
        _ => $"{now.Name}: {now.Verdict}",
    };

    private static string? Flag(FlagStatus? before, FlagStatus now)
    {
        if (before is null || (before.Stable == now.Stable && before.Canary == now.Canary))
            return null;
        return before.Canary != now.Canary && now.Canary is { } canary && (before.Canary ?? false) != canary
            ? $"flag {now.Name} {(canary ? "on" : "off")} in the new release"
            : before.Stable != now.Stable ? $"flag {now.Name} {(now.Stable ? "on" : "off")} in stable" : null;
    }
}
