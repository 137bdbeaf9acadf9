namespace RagOperator.Operator.Workloads;

/// <summary>What keeps a pod from being put on a node, by the scheduler's message: there are no fields for it. The words are those of Kubernetes 1.20 to 1.36.</summary>
internal static class SchedulerWords
{
    // What the pod names is not there: no node comes into it.
    private static readonly string[] s_missing = ["\" not found", "unbound immediate PersistentVolumeClaims", "bound to non-existent", "is being deleted"];

    // Such a node will never do, however empty it is. The last is said beside a reason that tells which of the two it was.
    private static readonly string[] s_misplaced =
    [
        "node affinity", "node selector", "the requested node name", "pod affinity rules", "volume node affinity conflict", "(missing required label)", "taint {", "ReadWriteOncePod",
        "available persistent volumes to bind", "non-existent pv", "pod affinity/anti-affinity",
    ];

    // Taints that come and go with a node's health: such a node will do.
    private static readonly string[] s_passing = ["{node.kubernetes.io/", "{node.cloudprovider.kubernetes.io/", "ClusterAutoscaler", "{karpenter.sh/", "agent-not-ready"];

    /// <summary>Whether a pod waits for room: a node that is there, or one more like it, could take it once there is room.</summary>
    /// <param name="message">The message of the condition PodScheduled.</param>
    /// <remarks>One node that could take it is enough. A reason that nobody here knows counts as room: it is none to condemn a release for.</remarks>
    public static bool IsRoom(string message)
    {
        if (Has(message, s_missing)) return false;
        var reasons = Reasons(message);
        return reasons.Count == 0 || reasons.Exists(static r => !Has(r, s_misplaced) || Has(r, s_passing));
    }

    /// <summary><c>0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had taint {a: b}, that the pod didn't tolerate. preemption: ...</c>, one by one.</summary>
    private static List<string> Reasons(string message)
    {
        const string Begin = "nodes are available:";
        // Whether others could be thrown out says nothing of why there is no place.
        var end = message.IndexOf("preemption:", StringComparison.Ordinal);
        var head = end < 0 ? message : message[..end];
        var start = head.IndexOf(Begin, StringComparison.Ordinal);
        if (start >= 0) head = head[(start + Begin.Length)..];
        return
        [
            .. head.Split([", ", ". "], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Where(static r => !r.StartsWith("that the pod didn't tolerate", StringComparison.Ordinal) && !r.StartsWith("still not schedulable", StringComparison.Ordinal)),
        ];
    }

    private static bool Has(string text, string[] words) => Array.Exists(words, w => text.Contains(w, StringComparison.Ordinal));
}
