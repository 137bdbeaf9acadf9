using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

public sealed class DeploymentViewTests
{
    [Theory]
    [InlineData(4, 4, 2, 2)]
    [InlineData(4, 3, 2, 0)]
    [InlineData(4, 0, 2, 0)]
    public void Available_counts_only_for_the_newest_generation(long generation, long observed, int available, int expected)
    {
        var deployment = Deployment($$$"""
            {"metadata":{"name":"d","generation":{{{generation}}}},"spec":{"replicas":2},
             "status":{"observedGeneration":{{{observed}}},"availableReplicas":{{{available}}}}}
            """);

        Assert.Equal(expected, View(deployment).Available);
    }

    [Fact]
    public void Pods_of_a_complete_deployment_are_not_looked_at()
    {
        var deployment = Deployment("""{"metadata":{"name":"d","generation":1},"spec":{"replicas":1},"status":{"observedGeneration":1,"availableReplicas":1}}""");

        var view = WorkloadViews.Deployment(Sample.Owner, deployment, static () => throw new InvalidOperationException("looked"));

        Assert.Null(view.PodProblem);
        Assert.Null(view.CapacityProblem);
    }

    [Theory]
    [InlineData(
        """{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]}""",
        "pod p: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", null)]
    [InlineData(
        """{"initContainerStatuses":[{"name":"i","state":{"running":{"startedAt":"2026-12-01T00:00:00Z"}}}],"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"PodInitializing"}}}]}""",
        null, "pod p, init container i: runs and has not ended, the containers wait for that")]
    [InlineData(
        """{"phase":"Pending","initContainerStatuses":[{"name":"side","started":false,"state":{"running":{}}}],"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"PodInitializing"}}}]}""",
        null, "pod p, sidecar side: runs and has not started by its startup probe, the containers wait for that")]
    [InlineData(
        """{"phase":"Running","initContainerStatuses":[{"name":"side","started":true,"ready":false,"state":{"running":{}}}],"containerStatuses":[{"name":"c","ready":true,"state":{"running":{}}}]}""",
        null, "pod p, sidecar side: not ready")]
    [InlineData(
        """{"phase":"Running","initContainerStatuses":[{"name":"side","started":true,"ready":true,"state":{"running":{}}}],"containerStatuses":[{"name":"c","ready":false,"state":{"running":{}}}]}""",
        null, "pod p, container c: not ready")]
    [InlineData(
        """{"phase":"Running","conditions":[{"type":"Ready","status":"False","reason":"ReadinessGatesNotReady","message":"corresponding condition of pod readiness gate \"lb\" does not exist."}],"containerStatuses":[{"name":"c","ready":true,"state":{"running":{}}}]}""",
        null, "pod p: corresponding condition of pod readiness gate \"lb\" does not exist.")]
    [InlineData(
        """{"conditions":[{"type":"PodScheduled","status":"True"}],"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"CreateContainerConfigError","message":"secret \"litellm-keys\" not found"}}}]}""",
        null, "pod p, container c: CreateContainerConfigError: secret \"litellm-keys\" not found")]
    [InlineData(
        """{"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}}}]}""",
        null, "pod p, container c: ImagePullBackOff: Back-off pulling image")]
    [InlineData(
        """{"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ErrImageNeverPull"}}}]}""", null, "pod p, container c: ErrImageNeverPull")]
    [InlineData(
        """{"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ContainerCreating"}}}]}""", null, null)]
    [InlineData(
        """{"containerStatuses":[{"name":"c","restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 20s"}},"lastState":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}""",
        null, "pod p, container c: CrashLoopBackOff (OOMKilled, exit code 137)")]
    [InlineData(
        """{"initContainerStatuses":[{"name":"i","state":{"terminated":{"reason":"Error","exitCode":2}}}]}""", null, "pod p, container i: Error, exit code 2")]
    [InlineData(
        """{"initContainerStatuses":[{"name":"i","state":{"terminated":{"reason":"Completed","exitCode":0}}}]}""", null, null)]
    [InlineData(
        """{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True"},{"type":"PodReadyToStartContainers","status":"False"}],"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ContainerCreating"}}}]}""",
        null, "pod p: waits for its volumes or its network, why is in its events (FailedMount, FailedAttachVolume, FailedCreatePodSandBox)")]
    [InlineData(
        """{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True"},{"type":"PodReadyToStartContainers","status":"True"}],"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ContainerCreating"}}}]}""", null, null)]
    [InlineData(
        """{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"state":{}}]}""", null, "pod p, container c: not ready")]
    public void Problem_of_a_pod_is_named_by_kind(string status, string? capacity, string? problem)
    {
        var view = View(Deployment("""{"metadata":{"name":"d","generation":1},"spec":{"replicas":1},"status":{"observedGeneration":1}}"""), status);

        Assert.Equal(capacity, view.CapacityProblem);
        Assert.Equal(problem, view.PodProblem);
    }

    [Theory]
    [InlineData("pods \"d-1\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4", true)]
    [InlineData("pods \"d-1\" is forbidden: violates PodSecurity \"restricted:latest\"", false)]
    public void ReplicaFailure_is_capacity_only_for_a_quota(string message, bool capacity)
    {
        var deployment = Deployment("""{"metadata":{"name":"d","generation":1},"spec":{"replicas":1},"status":{"observedGeneration":1}}""");
        deployment.Status!.Conditions = [new() { Type = "ReplicaFailure", Status = "True", Message = message }];

        var view = View(deployment);

        Assert.Equal(capacity ? message : null, view.CapacityProblem);
        Assert.Equal(capacity ? null : message, view.PodProblem);
    }

    [Fact]
    public void ReadyAddresses_count_an_address_once()
    {
        var endpoints = JsonSerializer.Deserialize(
            """{"subsets":[{"addresses":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}],"notReadyAddresses":[{"ip":"10.0.0.3"}]},{"addresses":[{"ip":"10.0.0.1"}]}]}""",
            AbstractionsJsonContext.Default.V1Endpoints)!;

        Assert.Equal(2, WorkloadViews.ReadyAddresses(endpoints));
        Assert.Equal(0, WorkloadViews.ReadyAddresses(new V1Endpoints()));
    }

    private static DeploymentView View(V1Deployment deployment, params string[] podStatuses) => WorkloadViews.Deployment(
        Sample.Owner,
        deployment,
        () => [.. podStatuses.Select(static s => JsonSerializer.Deserialize($$"""{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"i"},{"name":"side","restartPolicy":"Always"}]},"status":{{s}}}""", AbstractionsJsonContext.Default.V1Pod)!)]);

    private static V1Deployment Deployment(string json) => JsonSerializer.Deserialize(json, AbstractionsJsonContext.Default.V1Deployment)!;
}
