namespace RagOperator.Tests.Shared.Mutations;

/// <summary>Fields that act only later, or only when something goes wrong, and what they do then. LateFieldTests plays each of them in a simulated
/// cluster, where days take no time; a field that is not here has to show at once, or in a rollout that begins with it.</summary>
public static class LateFields
{
    /// <summary>Field by path, and its effect.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["traffic.settle"] = "a gateway that names no generation is believed that long after a change of the route",
        ["components[].progressDeadline"] = "a release whose pods of this component do not come is taken back after it",
        ["rollout.progressDeadline"] = "a release whose pods do not come is taken back after it",
        ["rollout.retireDelay"] = "the old release's pods stay for it",
        ["rollout.steps[].hold"] = "the next step begins after it",
        ["rollout.steps[].flags"] = "the flag goes on for a canary in this step, and not before",
        ["rollback.keepFailedPods"] = "a failed release's pods stay for it",
        ["rollback.undoWindow"] = "going back needs no steps for it",
        ["sla.interval"] = "the time between two questions",
        ["sla.warmUp"] = "nothing is judged for it",
        ["sla.noDataTimeout"] = "a rollout without answers is Suspended after it",
        ["sla.volume.min"] = "fewer requests are too few to be judged",
        ["sla.metrics[].window"] = "breaches have to be so far apart to take back",
        ["sla.metrics[].onBreach"] = "a breach takes back, holds or is only shown",
    };
}
