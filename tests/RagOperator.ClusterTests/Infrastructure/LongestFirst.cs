using RagOperator.ClusterTests.Lifecycle;
using RagOperator.ClusterTests.Mutations;
using RagOperator.ClusterTests.Operation;
using RagOperator.ClusterTests.Outages;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("RagOperator.ClusterTests.Infrastructure.LongestFirst", "RagOperator.ClusterTests")]

namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>Begins with the classes that wait longest, so that none of them is left over at the end with an idle machine.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    // By what they took, longest first.
    private static readonly string[] s_long =
    [
        typeof(IdleTests).FullName!, typeof(DeletionTests).FullName!, typeof(UndoTests).FullName!, typeof(MutationTests).FullName!, typeof(SilenceTests).FullName!,
        typeof(PrometheusFaultTests).FullName!, typeof(PrometheusOutageTests).FullName!, typeof(CrashTests).FullName!, typeof(RolloutTests).FullName!,
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(static c => Rank(c.DisplayName)).ThenBy(static c => c.DisplayName, StringComparer.Ordinal);

    // A class without a collection of its own is named "Test collection for" and its name.
    private static int Rank(string name) => Array.FindIndex(s_long, c => name.EndsWith(c, StringComparison.Ordinal)) is >= 0 and var i ? i : s_long.Length;
}
