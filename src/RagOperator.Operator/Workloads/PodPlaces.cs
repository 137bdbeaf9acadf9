using RagOperator.Abstractions.Models;

namespace RagOperator.Operator.Workloads;

/// <summary>Whether a pod has a place to run.</summary>
internal enum PodPlace
{
    /// <summary>Nobody has said yet.</summary>
    Unknown,

    /// <summary>It is on a node.</summary>
    There,

    /// <summary>It waits for room.</summary>
    NoRoom,

    /// <summary>A scheduling gate keeps it from the scheduler: of Kueue, for instance, until its queue has room.</summary>
    Gated,

    /// <summary>No node can take it as it is: a claim that is missing, a selector, an affinity or a taint.</summary>
    None,
}

/// <summary>Reads where pods stand with the scheduler.</summary>
internal static class PodPlaces
{
    /// <summary>Where one stands.</summary>
    public static PodPlace Of(V1Pod pod) => Condition(pod) switch
    {
        { Status: "False", Reason: "Unschedulable" } no => SchedulerWords.IsRoom(no.Message ?? "") ? PodPlace.NoRoom : PodPlace.None,
        { Status: "False", Reason: "SchedulingGated" } => PodPlace.Gated,
        { Status: "True" } => PodPlace.There,
        _ => pod.Status?.ContainerStatuses is { Count: > 0 } || pod.Status?.InitContainerStatuses is { Count: > 0 } ? PodPlace.There : PodPlace.Unknown,
    };

    /// <summary>Whether a pod that stays is not ready though room is not what it lacks: it has its place, or no room would help it. Such a pod is late by its
    /// own doing, whatever others of its kind wait for. It is told by no state that a crash loop goes in and out of.</summary>
    public static bool IsOnItsOwn(V1Pod pod) =>
        PodLosses.Stays(pod) && pod.Status is { Phase: not "Succeeded" } status && Of(pod) is PodPlace.There or PodPlace.None && !IsReady(status);

    /// <summary>What the scheduler says of it.</summary>
    public static V1PodCondition? Condition(V1Pod pod) => pod.Status?.Conditions?.Find(static c => string.Equals(c.Type, "PodScheduled", StringComparison.Ordinal));

    private static bool IsReady(V1PodStatus status) => status.Conditions?.Find(static c => string.Equals(c.Type, "Ready", StringComparison.Ordinal)) is { } ready
        ? string.Equals(ready.Status, "True", StringComparison.Ordinal)
        : status.ContainerStatuses is { Count: > 0 } containers && containers.TrueForAll(static c => c.Ready);
}
