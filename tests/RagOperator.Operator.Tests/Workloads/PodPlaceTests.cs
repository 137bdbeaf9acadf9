using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

/// <summary>What the scheduler says of pods, in the words of Kubernetes 1.20 to 1.36: lack of room waits, what no room would help is the release's.</summary>
public sealed class PodPlaceTests
{
    private const string Waiting = """{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient cpu."}]}""";

    [Theory]
    [InlineData("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")]
    [InlineData("0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")]
    [InlineData("0/5 nodes are available: 2 Insufficient cpu, 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.")]
    [InlineData("0/5 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 4 Insufficient memory.")]
    [InlineData("0/2 nodes are available: 2 Too many pods.")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.")]
    [InlineData("0/2 nodes are available: 2 node(s) exceed max volume count.")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match pod affinity/anti-affinity, 2 node(s) didn't match pod anti-affinity rules.")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't satisfy existing pods anti-affinity rules.")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.")]
    [InlineData("0/2 nodes are available: 1 node(s) were unschedulable, 1 node(s) had volume node affinity conflict.")]
    [InlineData("0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.")]
    [InlineData("0/1 nodes are available: 1 node(s) had taint {node.kubernetes.io/unreachable: }, that the pod didn't tolerate.")]
    [InlineData("0/1 nodes are available: 1 node(s) had untolerated taint {ToBeDeletedByClusterAutoscaler: 1764500000}.")]
    [InlineData("0/2 nodes are available: 2 node(s) had untolerated taint(s).")]
    [InlineData("0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.")]
    [InlineData("0/2 nodes are available: 2 node(s) rejected by somebody's own plugin.")]
    [InlineData("no nodes available to schedule pods")]
    [InlineData("")]
    public void Lack_of_room_waits(string message)
    {
        var view = View(Unschedulable(message));

        Assert.Equal($"pod p0: {message}", view.CapacityProblem);
        Assert.Null(view.PodProblem);
        Assert.False(view.HasPodsOnTheirOwn);
    }

    [Theory]
    [InlineData("persistentvolumeclaim \"model-cach\" not found")]
    [InlineData("0/1 nodes are available: persistentvolumeclaim \"model-cach\" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [InlineData("0/3 nodes are available: 3 persistentvolumeclaim \"model-cach\" not found.")]
    [InlineData("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")]
    [InlineData("0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.")]
    [InlineData("0/3 nodes are available: 3 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.")]
    [InlineData("0/3 nodes are available: 3 node(s) had volume node affinity conflict.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match node selector.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match pod affinity/anti-affinity, 3 node(s) didn't match pod affinity rules.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match pod affinity rules.")]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).")]
    [InlineData("0/5 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 4 node(s) had taint {gpu: yes}, that the pod didn't tolerate.")]
    [InlineData("0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector.")]
    [InlineData("0/3 nodes are available: resourceclaim \"gpu\" not found.")]
    public void What_no_room_would_help_is_named_in_the_schedulers_words(string message)
    {
        var view = View(Unschedulable(message));

        Assert.Null(view.CapacityProblem);
        Assert.Equal($"pod p0: {message}", view.PodProblem);
        Assert.True(view.HasPodsOnTheirOwn);
    }

    [Fact]
    public void A_scheduling_gate_has_a_name_of_its_own()
    {
        var view = View("""{"conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated","message":"Scheduling is blocked due to non-empty scheduling gates"}]}""");

        Assert.Equal("pod p0: Scheduling is blocked due to non-empty scheduling gates", view.GateProblem);
        Assert.Null(view.CapacityProblem);
        Assert.Null(view.PodProblem);
        Assert.False(view.HasPodsOnTheirOwn);
    }

    [Theory]
    [InlineData("""{"phase":"Running","containerStatuses":[{"name":"c","restartCount":2,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"reason":"Error","exitCode":1}}}]}""", "CrashLoopBackOff (Error, exit code 1)")]
    [InlineData("""{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"restartCount":2,"state":{"running":{}}}]}""", "not ready")]
    public void A_pod_that_has_its_place_counts_before_those_that_lack_room(string status, string problem)
    {
        var view = View(Waiting, status, Waiting);

        Assert.True(view.HasPodsOnTheirOwn);
        Assert.Contains("pod p1", view.PodProblem, StringComparison.Ordinal);
        Assert.Contains(problem, view.PodProblem, StringComparison.Ordinal);
        Assert.NotNull(view.CapacityProblem);
    }

    [Theory]
    [InlineData("""{"phase":"Running","conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c","ready":true}]}""")]
    [InlineData("""{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}""")]
    [InlineData("""{"phase":"Pending"}""")]
    public void A_pod_that_is_ready_or_was_taken_away_makes_no_lack_of_room_the_releases_fault(string status) =>
        Assert.False(View(Waiting, status).HasPodsOnTheirOwn);

    private static string Unschedulable(string message) =>
        $$"""{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":{{JsonValue.Create(message).ToJsonString()}} }]}""";

    private static DeploymentView View(params string[] podStatuses) => WorkloadViews.Deployment(
        Sample.Owner,
        JsonSerializer.Deserialize("""{"metadata":{"name":"d","generation":1},"spec":{"replicas":3},"status":{"observedGeneration":1}}""", AbstractionsJsonContext.Default.V1Deployment)!,
        () => [.. podStatuses.Select(static (s, i) => JsonSerializer.Deserialize($$"""{"metadata":{"name":"p{{i}}"},"status":{{s}}}""", AbstractionsJsonContext.Default.V1Pod)!)]);
}
