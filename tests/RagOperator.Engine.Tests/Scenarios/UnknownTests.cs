using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>What nobody can see, or nothing tells of any more, is not what is not there.</summary>
public sealed class UnknownTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim InStep(string step, Action<SpecText>? spec = null)
    {
        var text = new SpecText();
        spec?.Invoke(text);
        return new Sim(text).UntilHealthy().Edit(static s => s.Image("api", "api:2").Image("embedder", "embedder:2")).UntilStep(step, StepStates.Holding);
    }

    private static void Wipe(Sim sim)
    {
        sim.Cluster.StatusText = null;
        sim.Cluster.StatusVersion++;
    }

    [Fact]
    public void Route_of_a_kind_that_is_said_to_be_missing_may_send_requests_and_keeps_the_pods_of_what_was_taken_back()
    {
        var sim = InStep("half");
        // The weight is lowered, and no gateway confirms it; then the server says that it knows no routes.
        sim.Cluster.GatewayWorks(false);
        sim.Ask("abort/current").Run(s_minute);
        var pods = sim.Pods("api:2");
        sim.Eyes = static seen => seen with { RouteKindKnown = false, Route = null };
        sim.Run(TimeSpan.FromHours(1));
        Assert.Null(sim.Status.Rollback!.VerifiedAt);
        Assert.Equal((pods, 1), (sim.Pods("api:2"), sim.Pods("embedder:2")));
        Assert.Contains("serves no HTTPRoute", sim.Message, StringComparison.Ordinal);

        sim.Eyes = static seen => seen;
        sim.Cluster.GatewayWorks(true);
        sim.Until(static s => s.Told("Retired"));
        Assert.Equal((0, 0), (sim.Pods("api:2"), sim.Pods("embedder:2")));
    }

    [Fact]
    public void Route_that_somebody_else_took_over_still_sends_requests()
    {
        var sim = InStep("half");
        sim.Cluster.Route!.OwnerUid = "somebody";
        sim.Ask("abort/current").Run(TimeSpan.FromHours(1));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Null(sim.Status.Rollback!.VerifiedAt);
        Assert.Equal(1, sim.Pods("embedder:2"));
        Assert.True(sim.Pods("api:2") >= 2);
    }

    [Theory]
    [InlineData("api:1")]
    [InlineData("api:3")]
    public void Canary_that_no_status_tells_of_keeps_its_parts_until_the_route_is_verified_without_it(string spec)
    {
        var sim = InStep("half");
        sim.Cluster.GatewayDelay = s_minute;
        Wipe(sim);
        sim.Edit(s => s.Image("api", spec).Image("embedder", "embedder:1"));
        sim.Run(TimeSpan.FromSeconds(50));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(1, sim.Pods("embedder:2"));
        sim.Cluster.GatewayDelay = TimeSpan.FromSeconds(2);
        sim.Run(s_minute * 2);
        Assert.Equal((0, 0), (sim.Pods("api:2"), sim.Pods("embedder:2")));
        sim.UntilHealthy();
    }

    [Fact]
    public void Canary_that_no_status_tells_of_keeps_its_parts_while_stable_cannot_take_its_requests()
    {
        var sim = InStep("half");
        sim.Cluster.Fail("api:1");
        Wipe(sim);
        sim.Edit(static s => s.Image("api", "api:1").Image("embedder", "embedder:1")).Run(TimeSpan.FromHours(1));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Equal(1, sim.Pods("embedder:2"));
        sim.Cluster.Heal("api:1");
        sim.Until(static s => s.Told("Retired"));
        Assert.Equal((0, 0), (sim.Pods("api:2"), sim.Pods("embedder:2")));
    }

    [Fact]
    public void Release_whose_pods_died_unseen_does_not_become_stable()
    {
        var sim = InStep("full", static s => s.Put("sla", "-"));
        var seen = sim.Cluster.Observe();
        sim.Eyes = now => now with { Deployments = seen.Deployments, ReadyAddresses = seen.ReadyAddresses };
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromHours(1));
        Assert.DoesNotContain(sim.Trajectory, static t => t.Write is DeleteChild { Kind: ChildKind.Deployment });
        Assert.Equal(1, sim.Status.History![0].Release);
        Assert.False(sim.Told("Promoted"));
    }

    [Fact]
    public void Old_pods_stay_while_the_release_that_replaced_them_does_not_serve()
    {
        var sim = InStep("full").Until(static s => s.Told("Promoted"));
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(4, sim.Pods("api:1"));
        sim.Cluster.Heal("api:2");
        sim.Until(static s => s.Told("Retired"));
        Assert.Equal(0, sim.Pods("api:1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Old_pods_do_not_take_the_room_that_stable_or_its_cure_waits_for(bool isCure)
    {
        var sim = InStep("full").Until(static s => s.Told("Promoted"));
        sim.Cluster.Pods(isCure ? "api:3" : "api:2").NoRoom = "exceeded quota";
        if (isCure) sim.Cluster.Fail("api:2");
        else sim.Deployment("api:2")!.Pods.ForEach(static p => p.ReadyAt = null);
        if (isCure) sim.Edit(static s => s.Image("api", "api:3"));
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(0, sim.Pods("api:1"));
        Assert.True(sim.Told("Retired"));
    }

    [Fact]
    public void Release_starts_no_pods_where_no_weight_can_be_moved()
    {
        var sim = new Sim().UntilHealthy();
        sim.Eyes = static seen => seen with { RouteKindKnown = false, Route = null };
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(1));
        sim.Edit(static s => s.Image("api", "api:3")).Run(TimeSpan.FromHours(1));
        Assert.Equal((Phases.Suspended, false), (sim.Phase, sim.Told("RollbackStarted")));
        Assert.Equal((4, 0, 0), (sim.Pods("api:1"), sim.Pods("api:2"), sim.Pods("api:3")));
        sim.Eyes = static seen => seen;
        sim.UntilHealthy();
        Assert.Equal(4, sim.Pods("api:3"));
    }

    [Fact]
    public void Hold_without_metrics_goes_on_while_passes_are_a_minute_apart()
    {
        var sim = InStep("canary", static s => s.Put("sla", "-").Put("rollout.steps[0].hold", "5m"));
        var until = sim.Status.Step!.HoldUntil;
        for (var pass = 0; pass < 6 && sim.StepName == "canary"; pass++)
        {
            Assert.Equal(until, sim.Status.Step!.HoldUntil);
            sim.Cluster.Now += TimeSpan.FromSeconds(61);
            sim.Pass();
        }

        Assert.Equal("ten", sim.StepName);
    }

    [Fact]
    public void Hand_that_raises_while_stable_is_gone_is_told_only_once_it_is_undone()
    {
        var sim = InStep("ten");
        var (stable, canary) = (sim.Deployment("api:1")!.Name, sim.Deployment("api:2")!.Name);
        sim.Cluster.Fail("api:1");
        sim.Cluster.Hand("kubectl", (stable, 20), (canary, 80));
        sim.Run(s_minute);
        Assert.Equal((false, 80), (sim.Told("WeightRestored"), sim.Weight("api:2")));
        sim.Cluster.Heal("api:1");
        sim.Run(s_minute);
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Single(sim.Events, static e => e.Event.Reason == "WeightRestored");
    }

    [Fact]
    public void Stable_whose_addresses_are_out_of_sight_gets_its_requests_back()
    {
        var sim = InStep("half");
        var stable = sim.Deployment("api:1")!.Name;
        sim.Eyes = now => now with { ReadyAddresses = now.ReadyAddresses.Where(a => a.Key != stable).ToDictionary() };
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Until(static s => s.Status.Rollback is not null).Run(TimeSpan.FromSeconds(5));
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Stable_that_really_has_no_address_is_looked_at_every_two_seconds()
    {
        var sim = InStep("half");
        sim.Cluster.Fail("api:1");
        sim.Ask("abort/current").Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Contains("both are bad", sim.Message, StringComparison.Ordinal);
        Assert.InRange(sim.Last.NextLook!.Value - sim.Now, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        sim.Cluster.Heal("api:1");
        sim.Run(s_minute);
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Verdict_from_before_the_operator_was_away_raises_nothing()
    {
        var sim = InStep("canary", static s => s.Steps("name: canary, weight: 5, hold: 1h", "name: half, weight: 50, hold: 1h", "name: full, weight: 100, hold: 1h")).Run(TimeSpan.FromMinutes(5));
        // More pods for the greater weight take a while, and the operator goes meanwhile.
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(5);
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "40")).Run(s_minute);
        Assert.Equal((StepStates.Scaling, 5), (sim.Status.Step!.State, sim.Weight("api:2")));
        Assert.Equal("Pass", sim.Status.Sla!.Single().Verdict);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Away(TimeSpan.FromHours(3));
        sim.Pass();
        sim.Pass();
        Assert.Equal(5, sim.Weight("api:2"));
        sim.Until(static s => s.Status.Rollback is not null);
        Assert.Equal("5 0", sim.Weights("api:2"));
    }

    [Fact]
    public void Hold_without_metrics_counts_no_time_in_which_nobody_looked()
    {
        var sim = InStep("canary", static s => s.Put("sla", "-"));
        // No pass for the whole hold, in a process that remembers: a watch that was mute.
        sim.Cluster.Now += TimeSpan.FromMinutes(10);
        sim.Pass();
        Assert.Equal("canary", sim.StepName);
        sim.Run(TimeSpan.FromMinutes(9));
        Assert.Equal("canary", sim.StepName);
        sim.UntilStep("ten");
    }

    [Fact]
    public void Release_that_failed_once_is_never_gone_back_to_without_steps_though_that_is_forgotten()
    {
        var sim = new Sim(new SpecText().Put("rollback.undoWindow", "72h").Steps("name: canary, weight: 5, hold: 1m", "name: full, weight: 100, hold: 1m")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).Until(static s => s.Told("Promoted")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:1")).Until(static s => s.Told("GoingBack"));
        sim.Ask("abort/current").Until(static s => s.Phase == Phases.Degraded);
        for (var release = 3; release < 14; release++)
        {
            sim.Edit(s => s.Image("api", $"api:{release}")).UntilStep("canary");
        }

        Assert.DoesNotContain(sim.Status.History!, static h => h.Outcome == Outcomes.RolledBack);
        var told = sim.Events.Count;
        sim.Edit(static s => s.Image("api", "api:1")).UntilStep("canary").Run(TimeSpan.FromSeconds(5));
        Assert.DoesNotContain(sim.Events.Skip(told), static e => e.Event.Reason == "GoingBack");
        Assert.Equal("canary", sim.StepName);
    }

    private static Fault RaisesRefused(Write? write) => write is ApplyRoute { Way: Direction.Raises } ? Fault.Refused : Fault.None;

    [Fact]
    public void Weight_that_was_decided_and_never_written_is_decided_anew()
    {
        var sim = InStep("ten").Run(TimeSpan.FromMinutes(5));
        sim.Faults = RaisesRefused;
        sim.UntilStep("half", StepStates.Shifting);
        sim.Faults = null;
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Away(TimeSpan.FromHours(2));
        sim.Pass();
        sim.Pass();
        Assert.Equal(10, sim.Weight("api:2"));
        sim.Until(static s => s.Status.Rollback is not null);
        Assert.Equal("5 10 0", sim.Weights("api:2"));
    }

    [Fact]
    public void Weight_that_was_decided_and_never_written_comes_once_the_metrics_answer_again()
    {
        var sim = InStep("ten").Run(TimeSpan.FromMinutes(5));
        sim.Faults = RaisesRefused;
        sim.UntilStep("half", StepStates.Shifting);
        sim.Faults = null;
        sim.Away(TimeSpan.FromHours(2)).UntilStep("half", StepStates.Holding);
        Assert.Equal("5 10 50", sim.Weights("api:2"));
        Assert.Equal(1, sim.Events.Count(static e => e.Event.Reason == "StepStarted" && e.Event.Message.Contains("half", StringComparison.Ordinal)));
    }

    [Fact]
    public void Release_that_had_no_requests_yet_warms_up_from_when_it_gets_the_first()
    {
        var sim = new Sim(new SpecText().Put("sla.warmUp", "5m")).UntilHealthy();
        sim.Faults = RaisesRefused;
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Shifting);
        // Cold caches: bad at first, and none of its requests is from before.
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(9));
        sim.Faults = null;
        sim.Run(TimeSpan.FromMinutes(4));
        Assert.Equal((5, null), (sim.Weight("api:2"), sim.Status.Rollback));
        sim.Metrics.Set("errors", "api:2", 0);
        sim.UntilHealthy();
    }

    [Fact]
    public void Weight_that_is_never_taken_is_late_as_before_and_writes_little_meanwhile()
    {
        var sim = new Sim().UntilHealthy();
        sim.Faults = RaisesRefused;
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Shifting);
        var since = sim.Status.Step!.UnverifiedSince;
        var writes = sim.StatusWrites;
        sim.Run(TimeSpan.FromMinutes(30));
        Assert.Equal((StepStates.Shifting, since), (sim.Status.Step!.State, sim.Status.Step.UnverifiedSince));
        Assert.InRange(sim.StatusWrites - writes, 0, 30 * 6 + 5);
    }

    [Fact]
    public void Release_that_had_requests_does_not_warm_up_again_for_a_hand_that_took_them_away()
    {
        var sim = new Sim(new SpecText().Put("sla.warmUp", "30m").Put("rollout.steps[2].hold", "5h")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding).Run(TimeSpan.FromHours(1));
        sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 100), (sim.Deployment("api:2")!.Name, 0));
        sim.Run(s_minute);
        sim.Faults = RaisesRefused;
        sim.Ask("resume/current").Run(s_minute);
        sim.Faults = null;
        sim.Until(static s => s.Weight("api:2") == 50);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal((0, RollbackCauses.SlaBreach), (sim.Weight("api:2"), sim.Status.Rollback?.Cause));
    }

    [Fact]
    public void First_weight_that_waits_for_a_pause_warms_up_after_it_and_nobody_is_asked_meanwhile()
    {
        var sim = new Sim(new SpecText().Put("sla.warmUp", "5m")).UntilHealthy();
        sim.Faults = RaisesRefused;
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Shifting);
        sim.Ask("pause/current").Run(TimeSpan.FromHours(1));
        sim.Faults = null;
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Ask("resume/current").Run(TimeSpan.FromMinutes(4));
        Assert.Equal((5, null), (sim.Weight("api:2"), sim.Status.Rollback));
        sim.Metrics.Set("errors", "api:2", 0);
        sim.UntilHealthy();
    }

    /// <summary>A metric that calls silence a breach: before the first request it says nothing about the release.</summary>
    [Fact]
    public void Weight_that_is_late_is_not_judged_before_it_comes()
    {
        var sim = new Sim().UntilHealthy();
        sim.Faults = RaisesRefused;
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Shifting).Run(TimeSpan.FromMinutes(5));
        Assert.Null(sim.Status.Rollback);
        sim.Metrics.Set("errors", "api:2", 0);
        sim.Faults = null;
        sim.UntilHealthy();
    }

    [Fact]
    public void Metric_of_one_step_does_not_flip_while_the_next_weight_is_not_taken()
    {
        var sim = new Sim(new SpecText().Metric("{name: deep, query: 'deep{service=\"$(service)\"}', limit: {max: 1%}, failAfter: 3, steps: [ten]}")).UntilHealthy();
        sim.Metrics.Set("deep", "api:2", 0);
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("ten", StepStates.Holding);
        sim.Faults = RaisesRefused;
        sim.UntilStep("half", StepStates.Shifting);
        var writes = sim.StatusWrites;
        sim.Run(TimeSpan.FromMinutes(9));
        Assert.Equal(StepStates.Shifting, sim.Status.Step!.State);
        Assert.InRange(sim.StatusWrites - writes, 0, 5);
        sim.Faults = null;
        sim.UntilHealthy();
    }

    /// <summary>Raised in spec, or lowered by a hand and resumed: the canary has this step's weight or flags all the while.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Metric_of_a_step_judges_on_while_that_step_begins_anew_and_is_not_taken(bool byHand)
    {
        var sim = new Sim(new SpecText().Flag("bandit", true).Metric("{name: deep, query: 'deep{service=\"$(service)\"}', limit: {max: 1%}, failAfter: 3, steps: [half]}")).UntilHealthy();
        sim.Metrics.Set("deep", "api:2", 0);
        sim.Edit(static s => s.Image("api", "api:2").Flag("replay", true).Put("rollout.steps[2].flags", "[replay]")).UntilStep("half", StepStates.Holding).Run(TimeSpan.FromMinutes(2));
        if (byHand)
        {
            sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 92), (sim.Deployment("api:2")!.Name, 8));
            sim.Run(s_minute);
        }

        sim.Faults = RaisesRefused;
        if (byHand) sim.Ask("resume/current");
        else sim.Edit(static s => s.Put("rollout.steps[2].weight", "60"));
        sim.Run(TimeSpan.FromMinutes(2));
        sim.Metrics.Set("deep", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal((0, RollbackCauses.SlaBreach), (sim.Weight("api:2"), sim.Status.Rollback?.Cause));
    }

    [Fact]
    public void Question_that_is_edited_before_the_first_request_is_not_asked_before_it()
    {
        var sim = new Sim(new SpecText().Put("sla.warmUp", "5m")).UntilHealthy();
        sim.Faults = RaisesRefused;
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Shifting);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Edit(static s => s.Put("sla.metrics[0].window", "2m")).Run(TimeSpan.FromMinutes(30));
        Assert.Null(sim.Status.Rollback);
        sim.Faults = null;
        sim.Run(TimeSpan.FromMinutes(4));
        Assert.Equal((5, null), (sim.Weight("api:2"), sim.Status.Rollback));
    }
}
