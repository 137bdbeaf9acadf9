using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Owning the route: hands on it, a gateway that does not follow, a status that cannot be written.</summary>
public sealed class RouteTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim InStep(string step)
    {
        var sim = new Sim().UntilHealthy();
        return sim.Edit(static s => s.Image("api", "api:2")).UntilStep(step, StepStates.Holding);
    }

    [Fact]
    public void Route_names_no_Service_that_was_deleted_though_the_weight_is_lowered()
    {
        var sim = InStep("half");
        sim.Cluster.Services.Remove(sim.Deployment("api:2")!.Name);
        var before = sim.Trajectory.Count;
        sim.Edit(static s => s.Put("rollout.steps[2].weight", "25")).Run(TimeSpan.FromMinutes(2));
        var writes = sim.Trajectory.Skip(before).Select(static w => w.Write).ToList();
        Assert.InRange(writes.FindIndex(static w => w is CreateRevisionService), 0, writes.FindIndex(static w => w is ApplyRoute) - 1);
        Assert.Equal(25, sim.Weight("api:2"));
    }

    /// <summary>What has to be read live right before: all that the weight stands on.</summary>
    [Fact]
    public void Each_greater_weight_names_the_pods_and_the_Service_that_it_needs()
    {
        var sim = InStep("full");
        var raises = sim.Trajectory.Select(static t => t.Write).OfType<ApplyRoute>().Where(static r => r.Way == Direction.Raises && r.Backends.Count > 1).ToList();
        Assert.Equal([5, 10, 50, 100], raises.Select(static r => r.Backends[1].Weight).Distinct());
        Assert.All(raises, r =>
        {
            Assert.Equal(r.Backends[1].Service, r.Needs!.Service);
            Assert.Equal(["api:2", "embedder:1"], r.Needs.Pods.Keys.Select(sim.Cluster.ImageOf).Order(StringComparer.Ordinal));
            Assert.All(r.Needs.Pods.Values, static pods => Assert.InRange(pods, 1, 4));
        });
    }

    private static void Hand(Sim sim, int weight) => sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 100 - weight), (sim.Deployment("api:2")!.Name, weight));

    private static void HandOnSecond(Sim sim, int weight) =>
        sim.Cluster.HandOnSecondRule("kubectl-edit", (sim.Deployment("api:1")!.Name, 100 - weight), (sim.Deployment("api:2")!.Name, weight));

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void Hand_that_lowers_is_obeyed_and_pauses_until_resume(int weight)
    {
        var sim = InStep("half").Run(TimeSpan.FromMinutes(3));
        Hand(sim, weight);
        sim.Run(TimeSpan.FromHours(2));
        Assert.Equal(weight, sim.Weight("api:2"));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("kubectl-edit", sim.Message, StringComparison.Ordinal);
        Assert.True(sim.Told("WeightLowered"));
        Assert.Equal("half", sim.StepName);
        sim.Ask("resume/current").Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Hand_that_lowered_is_obeyed_through_a_restart()
    {
        var sim = InStep("half");
        Hand(sim, 10);
        sim.Run(s_minute).Away(TimeSpan.FromHours(1)).Run(s_minute);
        Assert.Equal(10, sim.Weight("api:2"));
        Hand(sim, 5);
        sim.Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Gateway_that_no_longer_confirms_the_weight_that_it_has_is_given_no_more()
    {
        var sim = InStep("ten").UntilStep("half", StepStates.Scaling);
        sim.Cluster.GatewayWorks(false, "no such listener");
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(("half", 10), (sim.StepName, sim.Weight("api:2")));
        Assert.Contains("waiting for the gateway to confirm the 10% from which the weight is to rise: no such listener", sim.Message, StringComparison.Ordinal);
        // What else may come in between does not make the gateway's time begin anew.
        sim.Metrics.Everything = new MetricAnswer(AnswerKind.NoData, Message: "the query answered nothing");
        sim.Run(TimeSpan.FromMinutes(2));
        sim.Metrics.Everything = null;
        sim.Run(TimeSpan.FromMinutes(6));
        Assert.Equal((Phases.Suspended, "False RouteNotAccepted"), (sim.Phase, sim.Condition("Ready")));
        sim.Cluster.GatewayWorks(true);
        sim.UntilStep("half", StepStates.Holding);
        Assert.Equal(50, sim.Weight("api:2"));
    }

    [Fact]
    public void Hand_that_raises_is_undone()
    {
        var sim = InStep("ten");
        Hand(sim, 80);
        sim.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.True(sim.Told("WeightRestored"));
        Assert.Null(sim.Status.Paused);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void Hand_that_lowers_one_rule_alone_is_obeyed_in_all(int weight)
    {
        var sim = InStep("half");
        HandOnSecond(sim, weight);
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(weight, sim.Weight("api:2"));
        Assert.Empty(sim.Cluster.Route!.Differing);
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.True(sim.Told("WeightLowered"));
        Assert.False(sim.Told("WeightRestored"));
        sim.Ask("resume/current").Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Hand_that_raises_one_rule_alone_is_undone()
    {
        var sim = InStep("ten");
        HandOnSecond(sim, 80);
        sim.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Empty(sim.Cluster.Route!.Differing);
        Assert.True(sim.Told("WeightRestored"));
        Assert.Null(sim.Status.Paused);
    }

    [Fact]
    public void Release_is_not_gone_from_the_route_while_one_rule_still_names_it()
    {
        var sim = InStep("half");
        sim.Cluster.GatewayDelay = null;
        sim.Ask("abort/current").Run(s_minute);
        // The gateway is slow; meanwhile a hand gives the failed release all of the second rule, and the gateway takes that.
        HandOnSecond(sim, 100);
        sim.Cluster.Route!.VerifiedAt = sim.Cluster.Now;
        sim.Run(TimeSpan.FromSeconds(1));
        Assert.NotEqual(Phases.Degraded, sim.Phase);
        sim.Cluster.GatewayWorks(true);
        sim.Run(s_minute);
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Empty(sim.Cluster.Route!.Differing);
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Hand_that_names_a_backend_twice_is_put_right()
    {
        var sim = InStep("ten");
        sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 90), (sim.Deployment("api:2")!.Name, 5), (sim.Deployment("api:2")!.Name, 5));
        sim.Run(s_minute);
        Assert.Equal(2, sim.Cluster.Route!.Backends.Count);
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Null(sim.Status.Paused);
    }

    [Fact]
    public void Route_edit_that_is_refused_is_an_invalid_spec_and_changes_nothing()
    {
        var sim = InStep("ten");
        sim.Cluster.RefusedHostname = "not_a_host";
        var writes = sim.Trajectory.Count(static s => s.Write is ApplyRoute);
        sim.Edit(static s => s.Put("traffic.gatewayApi.hostnames", "[not_a_host]")).Run(TimeSpan.FromMinutes(2));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Contains("spec.hostnames[0]", sim.Message, StringComparison.Ordinal);
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Equal(writes, sim.Trajectory.Count(static s => s.Write is ApplyRoute));
        sim.Edit(static s => s.Put("traffic.gatewayApi.hostnames", "[good.example]")).UntilHealthy();
    }

    [Fact]
    public void Hand_that_gives_a_failed_release_weight_is_undone()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(s_minute);
        Hand(sim, 30);
        sim.Run(s_minute);
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Single(sim.Cluster.Route!.Backends);
    }

    [Fact]
    public void Unverified_weight_raises_nothing_and_is_suspended_with_the_parents_words()
    {
        var sim = InStep("ten");
        sim.Cluster.GatewayWorks(false, "listener public has no address");
        sim.UntilStep("ten");
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("listener public has no address", sim.Message, StringComparison.Ordinal);
        Assert.Null(sim.Status.FailedRevision);
        sim.Cluster.GatewayWorks(true);
        sim.UntilHealthy();
    }

    [Fact]
    public void Unverified_first_weight_is_judged_on()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.GatewayDelay = null;
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(3));
        Assert.Equal("5 0", sim.Weights("api:2"));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.Cluster.GatewayWorks(true);
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal(0, sim.Status.Weight);
    }

    [Fact]
    public void Gateway_that_never_verified_is_suspended_before_the_first_weight()
    {
        var sim = new Sim();
        sim.Cluster.GatewayWorks(false, "no such gateway");
        sim.Run(s_minute);
        Assert.Equal(Phases.Progressing, sim.Phase);
        Assert.Contains("no such gateway", sim.Message, StringComparison.Ordinal);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(1));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("no such gateway", sim.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Route_kind_that_appears_later_is_waited_for()
    {
        var sim = new Sim();
        sim.Cluster.RouteKindKnown = false;
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("HTTPRoute", sim.Message, StringComparison.Ordinal);
        sim.Cluster.RouteKindKnown = true;
        sim.UntilHealthy();
    }

    [Fact]
    public void Rollback_lowers_also_when_status_cannot_be_written()
    {
        var sim = InStep("half");
        sim.Faults = static w => w is null ? Fault.Refused : Fault.None;
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.StartsWith(sim.Status.CanaryRevision + " SlaBreach", sim.Cluster.Route!.RolledBack, StringComparison.Ordinal);
        Assert.Null(sim.Status.FailedRevision);
        sim.Metrics.Set("errors", "api:2", 0.001);
        sim.Restart().Run(TimeSpan.FromMinutes(10));
        Assert.Equal(0, sim.Weight("api:2"));
        sim.Faults = null;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal("5 10 50 0", sim.Weights("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Null(sim.Cluster.Route.RolledBack);
        sim.Ask("retry/current").Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Mark_of_a_rollback_counts_also_when_status_was_lost()
    {
        var sim = InStep("half");
        sim.Faults = static w => w is null ? Fault.Refused : Fault.None;
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        sim.Cluster.StatusText = null;
        sim.Cluster.StatusVersion++;
        sim.Faults = null;
        sim.Metrics.Set("errors", "api:2", 0.001);
        sim.Restart().Run(TimeSpan.FromHours(1));
        Assert.Equal("5 10 50 0", sim.Weights("api:2"));
        Assert.Equal("True RolledBack", sim.Condition("RolledBack"));
    }

    [Fact]
    public void Rollback_that_stands_in_status_only_is_carried_out_after_a_crash()
    {
        var sim = InStep("half");
        var crashed = false;
        sim.Faults = w =>
        {
            if (crashed || w is not ApplyRoute) return Fault.None;
            crashed = true;
            return Fault.CrashBefore;
        };
        sim.Ask("abort/current").Run(s_minute);
        Assert.True(crashed);
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void Promotion_that_could_not_be_written_to_status_gives_the_canary_nothing()
    {
        var sim = InStep("full");
        sim.Faults = static w => w is null ? Fault.Refused : Fault.None;
        sim.Run(TimeSpan.FromHours(1));
        Hand(sim, 92);
        sim.Run(s_minute);
        Assert.Equal(92, sim.Weight("api:2"));
        sim.Faults = null;
        sim.Run(s_minute);
        // Still a canary for everybody, so the hand was obeyed as it would be otherwise.
        Assert.Equal((92, Phases.Suspended), (sim.Weight("api:2"), sim.Phase));
        sim.Ask("resume/current").UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void No_release_is_condemned_for_pods_that_no_status_allowed_to_ask_for()
    {
        // In a step that needs one pod more, and at the very start of a rollout.
        var midway = InStep("ten");
        midway.At(TimeSpan.FromSeconds(1), () => midway.Faults = static w => w is null ? Fault.Refused : Fault.None);
        var atStart = new Sim().UntilHealthy();
        atStart.Faults = static w => w is null ? Fault.Refused : Fault.None;
        atStart.Edit(static s => s.Image("api", "api:2"));
        foreach (var sim in (Sim[])[midway, atStart])
        {
            sim.Run(TimeSpan.FromHours(2));
            sim.Faults = null;
            sim.UntilHealthy();
            Assert.False(sim.Told("RollbackStarted"));
            Assert.Equal(100, sim.Weight("api:2"));
        }
    }

    [Fact]
    public void Rule_that_somebody_adds_for_another_purpose_lowers_nothing()
    {
        var sim = InStep("half");
        sim.Cluster.HandOnSecondRule("kubectl-edit", ("somebody-elses", 100));
        sim.Run(s_minute);
        Assert.False(sim.Told("WeightLowered"));
        Assert.Equal(50, sim.Weight("api:2"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Route_deleted_by_hand_comes_back_and_nothing_is_retired_meanwhile()
    {
        var sim = InStep("half");
        sim.Cluster.Route = null;
        sim.Run(TimeSpan.FromSeconds(20));
        Assert.Equal(100, sim.Weight("api:1") + sim.Weight("api:2"));
        Assert.Equal((4, 2), (sim.Pods("api:1"), sim.Pods("api:2")));
        sim.UntilHealthy();
    }

    [Fact]
    public void Release_whose_promotion_status_does_not_tell_is_judged_and_taken_back()
    {
        var sim = InStep("full");
        sim.Faults = static write => write is null ? Fault.Refused : Fault.None;
        sim.Run(TimeSpan.FromMinutes(15));
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(0, sim.Weight("api:2"));
        sim.Faults = null;
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal((Phases.Degraded, 4), (sim.Phase, sim.Pods("api:1")));
    }
}
