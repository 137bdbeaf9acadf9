using RagOperator.FaultTests.Crashes;
using RagOperator.FaultTests.Hands;
using RagOperator.FaultTests.Leadership;
using RagOperator.FaultTests.Restores;
using RagOperator.Tests.Shared;

[assembly: TestCollectionOrderer("RagOperator.FaultTests.Running.LongestFirst", "RagOperator.FaultTests")]

namespace RagOperator.FaultTests.Running;

/// <inheritdoc/>
public sealed class LongestFirst() : LongestFirstOrderer(
    typeof(CrashInTroubleTests), typeof(ApiFaultTests), typeof(WorkloadTests), typeof(CrashMidwayTests), typeof(CrashInReleaseTests), typeof(LostPodsTests), typeof(BlindTests),
    typeof(StatusRefusedTests), typeof(OtherRestoreTests), typeof(WatchFaultTests), typeof(RouteHandTests), typeof(RestoreTests), typeof(NamespaceRestoreTests), typeof(HeldWriteTests));
