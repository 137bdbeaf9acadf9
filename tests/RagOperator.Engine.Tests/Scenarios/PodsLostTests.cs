using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rule 11: a canary that loses its pods for no fault of its own loses its weight, and keeps its place.</summary>
public sealed class PodsLostTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim AtHalf()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2").Put("rollout.steps[2].hold", "2h").Put("rollout.steps[2].approval", "Required")).UntilStep("half", StepStates.Holding);
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromSeconds(40);
        return sim.Run(TimeSpan.FromMinutes(30));
    }

    [Fact]
    public void Evicted_pods_take_the_weight_and_bring_it_back_with_hold_and_approval_kept()
    {
        var sim = AtHalf().Ask("approve/current/half").Run(s_minute);
        var held = sim.Status.Step!.HeldFor;
        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromSeconds(9));
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromSeconds(5));
        Assert.Equal((0, 0, "half"), (sim.Weight("api:2"), sim.Status.Weight, sim.StepName));
        Assert.Equal((Phases.Suspended, "True PodsLost"), (sim.Phase, sim.Condition("Reconciling")));
        Assert.True(sim.Told("PodsLost"));
        // Pods are there again after 40 s; they have to stay for 30 s.
        sim.Run(TimeSpan.FromSeconds(50));
        Assert.Equal(0, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Equal((50, 50), (sim.Weight("api:2"), sim.Status.Weight));
        Assert.Null(sim.Status.Rollback);
        Assert.Equal((true, true), (sim.Status.Step!.Approved, Hours(sim.Status.Step.HeldFor) >= Hours(held)));
        sim.UntilHealthy(TimeSpan.FromHours(3));
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weight_goes_at_once_where_no_pod_is_left(bool isDeploymentGone)
    {
        var sim = AtHalf();
        var lost = sim.Deployment("api:2")!;
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromSeconds(5);
        if (isDeploymentGone)
            sim.Cluster.Deployments.Remove(lost.Name);
        else
            sim.Eyes = seen => seen with { Deployments = seen.Deployments.ToDictionary(static d => d.Key, d => d.Key == lost.Name && d.Value.Available == 0 ? d.Value with { LivePods = 0 } : d.Value) };
        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(0, sim.Cluster.WeightOf(lost.Name));
        Assert.Null(sim.Status.Rollback);
        sim.Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
    }

    [Fact]
    public void Container_that_ended_with_an_error_since_the_weight_condemns()
    {
        var sim = AtHalf();
        sim.Cluster.Fail("api:2", "pod x, container api: OOMKilled, exit code 137");
        sim.Run(TimeSpan.FromSeconds(13));
        Assert.Equal((0, RollbackCauses.NoReadyAddress), (sim.Weight("api:2"), sim.Status.Rollback?.Cause));
        Assert.Contains("OOMKilled", sim.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Container_that_ended_before_the_first_weight_condemns_nobody()
    {
        var sim = AtHalf();
        sim.Cluster.Pods("api:2").FailedAt = sim.Status.Attempt!.FirstWeightAt - s_minute;
        sim.Cluster.Mute("api:2");
        sim.Run(TimeSpan.FromSeconds(13));
        Assert.Equal((0, null), (sim.Weight("api:2"), sim.Status.Rollback));
    }

    [Fact]
    public void Fourth_loss_in_one_step_condemns()
    {
        var sim = AtHalf();
        for (var i = 0; i < 3; i++)
        {
            sim.Cluster.Evict("api:2");
            sim.Run(TimeSpan.FromMinutes(3));
            Assert.Equal((50, i + 1), (sim.Weight("api:2"), sim.Status.Step?.Losses));
        }

        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromSeconds(13));
        Assert.Equal((0, RollbackCauses.NoReadyAddress), (sim.Weight("api:2"), sim.Status.Rollback?.Cause));
        Assert.Contains("4th time", sim.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pods_that_do_not_come_back_within_the_deadline_condemn()
    {
        var sim = AtHalf();
        sim.Cluster.Mute("api:2");
        sim.Run(TimeSpan.FromMinutes(9.5));
        Assert.Equal((0, Phases.Suspended), (sim.Weight("api:2"), sim.Phase));
        sim.Run(s_minute);
        Assert.Equal(RollbackCauses.Deadline, sim.Status.Rollback?.Cause);
    }

    [Fact]
    public void Full_cluster_condemns_no_canary_that_lost_its_pods()
    {
        var sim = AtHalf();
        sim.Cluster.Pods("api:2").NoRoom = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu";
        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromHours(5));
        Assert.Equal((0, null, Phases.Suspended), (sim.Weight("api:2"), sim.Status.Rollback, sim.Phase));
        Assert.Contains("Insufficient nvidia.com/gpu", sim.Message, StringComparison.Ordinal);
        sim.Cluster.Heal("api:2");
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal(50, sim.Weight("api:2"));
    }

    [Fact]
    public void Loss_on_the_way_to_the_next_step_goes_back_to_the_weight_before()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("ten", StepStates.Holding);
        // More pods for the next step take long.
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(5);
        sim.UntilStep("half", StepStates.Scaling).Run(s_minute);
        Assert.Equal(10, sim.Weight("api:2"));
        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromSeconds(15));
        Assert.Equal((0, "half"), (sim.Weight("api:2"), sim.StepName));
        sim.UntilHealthy(TimeSpan.FromHours(2));
        Assert.Equal("5 10 0 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Operator_that_starts_anew_meanwhile_goes_on_from_status()
    {
        var sim = AtHalf();
        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromSeconds(12)).Restart().Run(TimeSpan.FromSeconds(30)).Restart();
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((50, 1), (sim.Weight("api:2"), sim.Status.Step?.Losses));
    }

    [Fact]
    public void Metric_that_breaches_only_while_the_pods_are_gone_takes_nothing_back()
    {
        var sim = AtHalf();
        sim.Metrics.SilentWithoutTraffic = false;
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(5);
        sim.Cluster.Evict("api:2");
        sim.Metrics.Set("errors", "api:2", 1);
        sim.Run(TimeSpan.FromMinutes(5));
        sim.Metrics.Set("errors", "api:2", 0);
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal((50, null), (sim.Weight("api:2"), sim.Status.Rollback));
    }

    [Fact]
    public void Pause_keeps_the_weight_away_until_resume()
    {
        var sim = AtHalf().Ask("pause/current").Run(s_minute);
        sim.Cluster.Evict("api:2");
        sim.Run(TimeSpan.FromMinutes(10));
        Assert.Equal(0, sim.Weight("api:2"));
        sim.Ask("resume/current").Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
    }

    private static double Hours(string? text) => Api.Values.RagDuration.TryParse(text, out var time) ? time.TotalHours : 0;
}
