namespace RagOperator.Operator.Workloads;

/// <summary>Environment variables that the operator's configuration adds to pods (<c>podEnvironment</c>): a proxy, a region, a log format.
/// They are no part of a release: a Deployment's template is written once, so that a change of them starts no rollout, restarts no pod, and
/// counts for the Deployments created from then on.</summary>
/// <param name="Variables">Names and values, in the order in which they stand in a container.</param>
public sealed record PodEnvironment(IReadOnlyList<KeyValuePair<string, string>> Variables)
{
    /// <summary>No variable.</summary>
    public static PodEnvironment None { get; } = new([]);
}
