using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Workloads;

/// <summary>Whether pods that are missing ended by their own doing, or were taken away.</summary>
internal static class PodLosses
{
    private const int MaxLength = 300;

    /// <summary>Pods that are there and stay, as far as anybody can tell: not ended, not on their way out.</summary>
    /// <param name="pods">The pods of one Deployment.</param>
    public static int Live(IEnumerable<V1Pod> pods) => pods.Count(static p => Stays(p) && p.Status?.Phase is not ("Failed" or "Succeeded"));

    /// <summary>The newest end of a container that ended with an error or was started again; null where none is known. Pods that somebody takes away are
    /// left out: their containers are killed, which looks like an error.</summary>
    /// <param name="pods">The pods of one Deployment.</param>
    public static PodCrash? NewestCrash(IEnumerable<V1Pod> pods) => pods.Where(Stays)
        .SelectMany(static p => (p.Status?.InitContainerStatuses ?? []).Concat(p.Status?.ContainerStatuses ?? []).Select(c => Crash(p, c)))
        .OfType<PodCrash>().OrderBy(static c => c.At).ThenBy(static c => c.Message, StringComparer.Ordinal).LastOrDefault();

    private static PodCrash? Crash(V1Pod pod, V1ContainerStatus container)
    {
        var ended = container.State?.Terminated is { ExitCode: not 0 } now ? now
            : container.RestartCount > 0 ? container.LastState?.Terminated
            : null;
        if (ended?.FinishedAt is not { } at) return null;
        var text = $"pod {pod.Name()}, container {container.Name}: {ended.Reason ?? "Error"}, exit code {ended.ExitCode ?? 0}";
        return new PodCrash(at, text.Length <= MaxLength ? text : text[..MaxLength]);
    }

    // A pod that failed as a whole has a reason of the node's or the kubelet's: Evicted, NodeShutdown, Preempting, OutOfcpu. One whose containers
    // ended by themselves has none.
    internal static bool Stays(V1Pod pod) => pod.Metadata.DeletionTimestamp is null
        && pod.Status is not { Phase: "Failed", Reason.Length: > 0 }
        && pod.Status?.Conditions?.Exists(static c => c is { Type: "DisruptionTarget", Status: "True" }) != true;
}
