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
    public static string? Capacity(V1Deployment deployment, IEnumerable<V1Pod> pods)
    {
        if (ReplicaFailure(deployment) is { } failure && IsQuota(failure)) return Cut(failure);
        foreach (var pod in Ordered(pods))
        {
            var scheduled = pod.Status?.Conditions?.Find(static c => string.Equals(c.Type, "PodScheduled", StringComparison.Ordinal));
            if (scheduled is { Status: "False", Reason: "Unschedulable" }) return Cut($"pod {pod.Name()}: {scheduled.Message ?? "no node has room for it"}");
        }

        return null;
    }

    /// <summary>Anything else that keeps pods from being ready; null where nothing is known.</summary>
    /// <param name="deployment">The Deployment.</param>
    /// <param name="pods">Its pods.</param>
    public static string? Other(V1Deployment deployment, IEnumerable<V1Pod> pods)
    {
        // A cause that some pod names says more than a probe that does not pass yet.
        string? unready = null;
        foreach (var pod in Ordered(pods))
        {
            if (pod.Metadata.DeletionTimestamp is not null) continue;
            if (Cause(pod) is { } cause) return Cut(cause);
            unready ??= Unready(pod);
        }

        var failure = ReplicaFailure(deployment);
        return failure is not null && !IsQuota(failure) ? Cut(failure) : unready is null ? null : Cut(unready);
    }

    /// <summary>Whether a refusal is about a quota: time may heal it, and it says nothing about the release.</summary>
    /// <param name="message">The API server's message.</param>
    public static bool IsQuota(string message) =>
        message.Contains("exceeded quota", StringComparison.OrdinalIgnoreCase) || message.Contains("forbidden by quota", StringComparison.OrdinalIgnoreCase)
        || message.Contains("failed quota", StringComparison.OrdinalIgnoreCase);

    private static string? ReplicaFailure(V1Deployment deployment) =>
        deployment.Status?.Conditions?.Find(static c =>
            string.Equals(c.Type, "ReplicaFailure", StringComparison.Ordinal) && string.Equals(c.Status, "True", StringComparison.Ordinal))?.Message;

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
        if (pod.Status is not { Phase: "Running" } status) return null;
        var container = (status.ContainerStatuses ?? []).Find(static c => !c.Ready);
        return container is null ? null : $"pod {pod.Name()}, container {container.Name}: not ready";
    }

    private static IEnumerable<V1ContainerStatus> Containers(V1PodStatus status) =>
        (status.InitContainerStatuses ?? []).Concat(status.ContainerStatuses ?? []);

    private static string Detail(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.ReplaceLineEndings(" ").Trim()}";

    // Caches keep no order; a message that names another pod each time would be a change each time.
    private static IOrderedEnumerable<V1Pod> Ordered(IEnumerable<V1Pod> pods) => pods.OrderBy(static p => p.Name(), StringComparer.Ordinal);

    private static string Cut(string text) => text.Length <= MaxLength ? text : text[..MaxLength];
}
