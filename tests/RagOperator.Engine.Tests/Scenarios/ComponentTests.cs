using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>What a change renews and what stays the very same pods.</summary>
public sealed class ComponentTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Unchanged_component_below_is_shared_and_not_started_twice()
    {
        var sim = new Sim().UntilHealthy();
        var embedder = sim.Deployment("embedder:1")!;
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        Assert.Single(sim.Cluster.Deployments.Values, static d => d.Component == "embedder");
        Assert.True(sim.Status.Components!.Find(static c => c.Name == "embedder")!.Shared);
        sim.UntilHealthy().Run(s_minute);
        Assert.Same(embedder, sim.Deployment("embedder:1"));
        Assert.All(embedder.Pods, p => Assert.True(p.Born < sim.Status.History![0].StartedAt));
    }

    [Fact]
    public void Change_below_renews_all_that_is_above()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("embedder", "embedder:2")).UntilStep("half", StepStates.Holding);
        Assert.Equal(2, sim.Cluster.Deployments.Values.Count(static d => d.Component == "api"));
        Assert.Equal(2, sim.Cluster.Deployments.Values.Count(static d => d.Component == "embedder"));
        sim.UntilHealthy().Run(s_minute);
        Assert.Equal(2, sim.Cluster.Deployments.Count);
        Assert.Equal(0, sim.Pods("embedder:1"));
    }

    [Fact]
    public void Pods_of_a_promoted_release_are_not_started_a_second_time()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("full", StepStates.Holding);
        var pods = sim.Deployment("api:2")!.Pods.ToList();
        sim.UntilHealthy().Run(s_minute);
        Assert.Equal(pods, sim.Deployment("api:2")!.Pods);
        Assert.Equal(sim.Deployment("api:2")!.Revision, sim.Cluster.Services["assistant"].Revision);
    }

    [Fact]
    public void Component_removed_from_spec_stays_for_stable_until_it_is_retired()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Put("components[1].dependsOn", "-").Put("components[0]", "-")).UntilStep("half", StepStates.Holding);
        Assert.Equal(2, sim.Pods("embedder:1"));
        sim.UntilHealthy().Run(s_minute);
        Assert.Equal(0, sim.Pods("embedder:1"));
        Assert.DoesNotContain("assistant-embedder", sim.Cluster.Services.Keys);
    }

    [Fact]
    public void Release_that_only_touches_replicas_is_none()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Replicas("embedder", 5).Put("components[1].canaryReplicas", "2")).UntilHealthy();
        Assert.Equal(1, sim.Status.Release);
        Assert.Equal(5, sim.Pods("embedder:1"));
    }

    [Fact]
    public void Shared_component_is_scaled_for_the_one_that_wants_most()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2").Put("components[0].canaryReplicas", "1")).UntilStep("half", StepStates.Holding);
        Assert.Equal(2, sim.Pods("embedder:1"));
    }

    [Fact]
    public void Late_first_install_is_degraded_keeps_trying_and_a_newer_spec_replaces_it_at_once()
    {
        var sim = new Sim();
        sim.Cluster.Fail("api:1", "ImagePullBackOff");
        sim.Run(TimeSpan.FromMinutes(11));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True ProgressDeadlineExceeded", sim.Condition("Stalled"));
        Assert.Contains("ImagePullBackOff", sim.Message, StringComparison.Ordinal);
        sim.Edit(static s => s.Image("api", "api:2")).UntilHealthy(s_minute);
        Assert.Equal(100, sim.Weight("api:2"));
        Assert.Equal(0, sim.Pods("api:1"));
        Assert.DoesNotContain(sim.Trajectory, static s => s.Write is CreateDeployment { Component: "embedder", Release.Number: 2 });
    }

    [Fact]
    public void Late_first_install_that_gets_well_is_healthy()
    {
        var sim = new Sim();
        sim.Cluster.Fail("api:1");
        sim.Run(TimeSpan.FromHours(1));
        sim.Cluster.Heal("api:1");
        sim.UntilHealthy(s_minute);
    }

    [Fact]
    public void First_install_without_room_is_suspended()
    {
        var sim = new Sim();
        sim.Cluster.Pods("embedder:1").NoRoom = "0/3 nodes are available";
        sim.Run(TimeSpan.FromMinutes(11));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("0/3 nodes are available", sim.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Healthy_service_whose_pods_fail_stays_and_says_so()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Fail("api:1");
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal("False NoReadyAddress", sim.Condition("Available"));
        Assert.Equal(100, sim.Weight("api:1"));
    }
}
