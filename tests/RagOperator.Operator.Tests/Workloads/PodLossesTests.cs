using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

/// <summary>Pods that were taken away, told from pods that failed. The statuses are as kubelets write them.</summary>
public sealed class PodLossesTests
{
    private const string Killed = """{"name":"api","restartCount":0,"state":{"terminated":{"exitCode":137,"reason":"Error","finishedAt":"2026-01-01T00:00:30Z"}}}""";

    [Theory]
    // Deleted, drained, evicted by the API: its container is killed on the way.
    [InlineData("""{"name":"p","deletionTimestamp":"2026-01-01T00:00:00Z"}""", $$"""{"phase":"Running","containerStatuses":[{{Killed}}]}""", 0, null)]
    // Evicted by the kubelet for memory or disk.
    [InlineData("""{"name":"p"}""", $$"""{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory.","containerStatuses":[{{Killed}}]}""", 0, null)]
    [InlineData("""{"name":"p"}""", """{"phase":"Failed","reason":"NodeShutdown"}""", 0, null)]
    // Preempted, from 1.26 on told by a condition.
    [InlineData("""{"name":"p"}""", $$"""{"phase":"Running","conditions":[{"type":"DisruptionTarget","status":"True","reason":"PreemptionByScheduler"}],"containerStatuses":[{{Killed}}]}""", 0, null)]
    // Its own doing.
    [InlineData("""{"name":"p"}""", $$"""{"phase":"Running","containerStatuses":[{{Killed}}]}""", 1, "pod p, container api: Error, exit code 137")]
    [InlineData("""{"name":"p"}""", """{"phase":"Running","containerStatuses":[{"name":"api","restartCount":2,"state":{"running":{}},"lastState":{"terminated":{"exitCode":0,"reason":"Completed","finishedAt":"2026-01-01T00:00:30Z"}}}]}""", 1, "pod p, container api: Completed, exit code 0")]
    [InlineData("""{"name":"p"}""", """{"phase":"Failed","containerStatuses":[{"name":"api","restartCount":0,"state":{"terminated":{"exitCode":1,"finishedAt":"2026-01-01T00:00:30Z"}}}]}""", 0, "pod p, container api: Error, exit code 1")]
    // An init container that did its work, a pod that starts.
    [InlineData("""{"name":"p"}""", """{"phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed","finishedAt":"2026-01-01T00:00:30Z"}}}]}""", 1, null)]
    public void Pod_is_lost_or_fails_by_its_own_doing(string metadata, string status, int live, string? crash)
    {
        var view = View(2, Pod(metadata, status));

        Assert.Equal((live, crash), (view.LivePods, view.Crash?.Message));
        if (crash is not null) Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 30, TimeSpan.Zero), view.Crash!.At);
    }

    [Fact]
    public void Nobody_counts_while_all_are_available() => Assert.Equal((null, null), (View(0).LivePods, View(0).Crash));

    private static Engine.Contracts.DeploymentView View(int replicas, params V1Pod[] pods) =>
        WorkloadViews.Deployment(Sample.Owner, new V1Deployment { Metadata = new() { Name = "d" }, Spec = new() { Replicas = replicas } }, () => pods);

    private static V1Pod Pod(string metadata, string status) =>
        JsonSerializer.Deserialize($$"""{"metadata":{{metadata}},"status":{{status}}}""", AbstractionsJsonContext.Default.V1Pod)!;
}
