using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Operator.Workloads;

/// <summary>Why pods are not ready, in one line for people.</summary>
internal static class PodProblems
{
    private const int MaxLength = 300;

    // Reasons for waiting that every healthy pod goes through.
    private static readonly string[] StartingReasons = ["ContainerCreating", "PodInitializing"];

    /// <summary>Pods that no node has room for, or that a quota forbids; null where there are none.</summary>
    /// <param name="deployment">The Deployment.</param>
    /// <param name="pods">Its pods.</param>
    public static string? Capacity(V1Deployment deployment, IEnumerable<V1Pod> pods) =>
        ReplicaFailure(deployment) is { } failure && IsQuota(failure) ? Cut(failure)
        : Ordered(pods).FirstOrDefault(static p => PodPlaces.Of(p) == PodPlace.NoRoom) is { } pod ? Cut(Placed(pod, "no node has room for it"))
        : null;

    /// <summary>Pods that somebody keeps from the scheduler, until there is room for them for instance; null where there are none.</summary>
    /// <param name="pods">The pods.</param>
    public static string? Gate(IEnumerable<V1Pod> pods) =>
        Ordered(pods).FirstOrDefault(static p => PodPlaces.Of(p) == PodPlace.Gated) is { } pod ? Cut(Placed(pod, "a scheduling gate holds it")) : null;

    /// <summary>Anything else that keeps pods from being ready; null where nothing is known.</summary>
    /// <param name="deployment">The Deployment.</param>
    /// <param name="pods">Its pods.</param>
    public static string? Other(V1Deployment deployment, IEnumerable<V1Pod> pods)
    {
        // A cause that some pod names says more than a step that it has not passed yet, and a pod that was taken away says least.
        var shown = Ordered(pods).Where(static p => p.Metadata.DeletionTimestamp is null).ToList();
        var there = shown.Where(static p => PodLosses.Stays(p)).ToList();
        var failure = ReplicaFailure(deployment);
        var text = First(there, Cause)
            ?? First(there, static p => PodPlaces.Of(p) == PodPlace.None ? Placed(p, "no node can take it") : null)
            ?? (failure is not null && !IsQuota(failure) ? failure : null)
            ?? First(there, Unready)
            ?? First(there, Unmade)
            ?? First(shown, Cause);
        return text is null ? null : Cut(text);
    }

    /// <summary>Whether a refusal is about a quota: time may heal it, and it says nothing about the release.</summary>
    /// <param name="message">The API server's message.</param>
    public static bool IsQuota(string message) =>
        message.Contains("exceeded quota", StringComparison.OrdinalIgnoreCase) || message.Contains("forbidden by quota", StringComparison.OrdinalIgnoreCase)
        || message.Contains("failed quota", StringComparison.OrdinalIgnoreCase);

    private static string? ReplicaFailure(V1Deployment deployment) =>
        deployment.Status?.Conditions?.Find(static c =>
            string.Equals(c.Type, "ReplicaFailure", StringComparison.Ordinal) && string.Equals(c.Status, "True", StringComparison.Ordinal))?.Message;

    private static string Placed(V1Pod pod, string otherwise) => $"pod {pod.Name()}: {PodPlaces.Condition(pod)?.Message ?? otherwise}";

    private static string? Cause(V1Pod pod)
    {
        if (pod.Status is not { } status) return null;
        foreach (var container in Containers(status))
        {
            if (container.State?.Waiting is not { Reason: { } reason } waiting || StartingReasons.Contains(reason, StringComparer.Ordinal)) continue;
            // How it ended says why it is started again; the waiting message only counts the seconds, and each second would be news.
            var detail = container.LastState?.Terminated is { } last ? $" ({Ending(last)})" : Detail(waiting.Message);
            return $"pod {pod.Name()}, container {container.Name}: {reason}{detail}";
        }

        foreach (var container in Containers(status))
        {
            if (container.State?.Terminated is { } ended && (ended.ExitCode ?? 0) != 0)
                return $"pod {pod.Name()}, container {container.Name}: {Ending(ended)}{Detail(ended.Message)}";
        }

        return string.Equals(status.Phase, "Failed", StringComparison.Ordinal)
            ? $"pod {pod.Name()}: {status.Reason ?? "Failed"}{Detail(status.Message)}"
            : null;
    }

    private static string Ending(V1ContainerStateReason ended) => $"{ended.Reason ?? "Error"}, exit code {ended.ExitCode ?? 0}";

    private static string? Unready(V1Pod pod)
    {
        if (pod.Status is not { } status) return null;
        foreach (var container in status.InitContainerStatuses ?? [])
        {
            if (container.State?.Running is null) continue;
            if (!IsSidecar(pod, container)) return $"pod {pod.Name()}, init container {container.Name}: runs and has not ended, the containers wait for that";
            if (container.Started != true) return $"pod {pod.Name()}, sidecar {container.Name}: runs and has not started by its startup probe, the containers wait for that";
        }

        if (status.Phase is not "Running") return null;
        if ((status.ContainerStatuses ?? []).Find(static c => !c.Ready) is { } unready) return $"pod {pod.Name()}, container {unready.Name}: not ready";
        if ((status.InitContainerStatuses ?? []).Find(c => IsSidecar(pod, c) && !c.Ready) is { } sidecar) return $"pod {pod.Name()}, sidecar {sidecar.Name}: not ready";
        // All containers are: somebody's readiness gate is not.
        return status.Conditions?.Find(static c => c is { Type: "Ready", Status: "False" }) is { Message: { Length: > 0 } message } ? $"pod {pod.Name()}: {message}" : null;
    }

    /// <summary>A pod on a node of which no container was made. What its volumes or its network wait for is in its events only, which are not read here.</summary>
    private static string? Unmade(V1Pod pod) =>
        pod.Status?.Conditions?.Exists(static c => c is { Type: "PodReadyToStartContainers" or "PodHasNetwork", Status: "False" }) == true
        && Containers(pod.Status).Any() && Containers(pod.Status).All(static c => c.State?.Waiting is not null)
            ? $"pod {pod.Name()}: waits for its volumes or its network, why is in its events (FailedMount, FailedAttachVolume, FailedCreatePodSandBox)"
            : null;

    // A server that knows no native sidecars drops the field: then it is an init container that never ends, and named so.
    private static bool IsSidecar(V1Pod pod, V1ContainerStatus container) => pod.Spec?.InitContainers?.Exists(c =>
        string.Equals(c.Name, container.Name, StringComparison.Ordinal) && string.Equals(c.RestartPolicy, "Always", StringComparison.Ordinal)) == true;

    private static IEnumerable<V1ContainerStatus> Containers(V1PodStatus status) =>
        (status.InitContainerStatuses ?? []).Concat(status.ContainerStatuses ?? []);

    private static string Detail(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.ReplaceLineEndings(" ").Trim()}";

    private static string? First(IEnumerable<V1Pod> pods, Func<V1Pod, string?> text) => pods.Select(text).FirstOrDefault(static t => t is not null);

    // Caches keep no order; a message that names another pod each time would be a change each time.
    private static IOrderedEnumerable<V1Pod> Ordered(IEnumerable<V1Pod> pods) => pods.OrderBy(static p => p.Name(), StringComparer.Ordinal);

    private static string Cut(string text) => text.Length <= MaxLength ? text : text[..MaxLength];
}
