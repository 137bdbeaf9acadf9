using RagOperator.ClusterTests.Lifecycle;
using RagOperator.ClusterTests.Mutations;
using RagOperator.ClusterTests.Operation;
using RagOperator.ClusterTests.Outages;
using RagOperator.Tests.Shared;

[assembly: TestCollectionOrderer("RagOperator.ClusterTests.Infrastructure.LongestFirst", "RagOperator.ClusterTests")]

namespace RagOperator.ClusterTests.Infrastructure;

/// <inheritdoc/>
public sealed class LongestFirst() : LongestFirstOrderer(
    typeof(IdleTests), typeof(DeletionTests), typeof(UndoTests), typeof(MutationTests), typeof(SilenceTests),
    typeof(PrometheusFaultTests), typeof(PrometheusOutageTests), typeof(CrashTests), typeof(RolloutTests));
