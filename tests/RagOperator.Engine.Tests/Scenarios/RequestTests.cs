using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Requests by people: handled exactly once, and what each verb does.</summary>
public sealed class RequestTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim InStep(string step)
    {
        var sim = new Sim().UntilHealthy();
        return sim.Edit(static s => s.Image("api", "api:2")).UntilStep(step, StepStates.Holding);
    }

    [Fact]
    public void Pause_raises_nothing_while_the_clock_goes_on()
    {
        var sim = InStep("ten");
        sim.Ask("pause/current").Run(TimeSpan.FromHours(1));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Equal("10m", sim.Status.Step!.HeldFor);
        Assert.Equal(10, sim.Weight("api:2"));
        sim.Ask("resume/current").Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
    }

    [Theory]
    [InlineData("approve/current/ten")]
    [InlineData("promote/current")]
    [InlineData("resume/current")]
    public void Request_of_nobody_known_is_refused_where_somebody_has_to_be(string request)
    {
        var sim = InStep("ten");
        sim.Unidentified = "it is not proven who asks";
        sim.Ask(request).Run(s_minute);
        Assert.Equal(("Refused", "it is not proven who asks", null, true), (sim.Status.LastRequest!.Outcome, sim.Status.LastRequest.Message, sim.Status.LastRequest.By, sim.Status.LastRequest.Removed));
        Assert.Null(sim.Status.Promoting);
    }

    [Fact]
    public void Abort_and_pause_are_carried_out_for_nobody_known_too()
    {
        var sim = InStep("ten");
        sim.Unidentified = "it is not proven who asks";
        sim.Ask("pause/current").Run(s_minute);
        Assert.Equal(("Accepted", "request"), (sim.Status.LastRequest!.Outcome, sim.Status.Paused!.By));
        sim.Ask("abort/current").Run(s_minute);
        Assert.Equal(("Accepted", 0), (sim.Status.LastRequest!.Outcome, sim.Weight("api:2")));
    }

    [Fact]
    public void Who_asked_is_told_in_status_and_for_as_long_as_a_pause_lasts()
    {
        var sim = InStep("ten");
        sim.RequestedBy = "ann";
        sim.Ask("pause/current").Run(s_minute);
        sim.RequestedBy = null;
        Assert.Equal(("ann", "ann"), (sim.Status.LastRequest!.By, sim.Status.Paused!.By));
        Assert.Contains("paused by ann", sim.Status.Message, StringComparison.Ordinal);
        sim.Ask("resume/current").Run(s_minute);
        Assert.Null(sim.Status.LastRequest!.By);
    }

    [Fact]
    public void Pause_does_not_keep_from_rolling_back()
    {
        var sim = InStep("ten");
        sim.Ask("pause/current").Run(s_minute);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Pause_keeps_a_newer_release_from_starting()
    {
        var sim = InStep("ten");
        sim.Ask("pause/current").Run(s_minute);
        sim.Edit(static s => s.Image("api", "api:3")).Run(TimeSpan.FromHours(1));
        Assert.Equal((0, 0), (sim.Weight("api:2"), sim.Pods("api:3")));
        Assert.Equal(Phases.Suspended, sim.Phase);
        sim.Ask("resume/current").Run(s_minute);
        Assert.Equal(5, sim.Weight("api:3"));
    }

    [Fact]
    public void Resume_does_not_lift_the_pause_of_spec()
    {
        var sim = InStep("ten");
        sim.Edit(static s => s.Put("rollout.paused", "true")).Run(TimeSpan.FromHours(1));
        Assert.Equal((Phases.Suspended, 10), (sim.Phase, sim.Weight("api:2")));
        sim.Ask("resume/current").Run(s_minute);
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        Assert.Contains("spec.rollout.paused", sim.Status.LastRequest.Message, StringComparison.Ordinal);
        sim.Edit(static s => s.Put("rollout.paused", "false")).UntilHealthy();
    }

    [Fact]
    public void Promote_walks_the_steps_without_holds_but_with_one_window_of_pass_each()
    {
        var sim = InStep("canary");
        sim.Edit(static s => s.Put("rollout.steps[2].approval", "Required"));
        var start = sim.Now;
        sim.Ask("promote/current").UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
        Assert.InRange(sim.Now - start, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(9));
        Assert.Null(sim.Status.Promoting);
    }

    [Fact]
    public void Promote_does_not_pass_over_a_breach()
    {
        var sim = InStep("canary");
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Ask("promote/current").Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("5 0", sim.Weights("api:2"));
    }

    [Fact]
    public void Abort_rolls_back_and_retry_begins_at_the_first_step()
    {
        var sim = InStep("half");
        sim.Ask("abort/2").Run(s_minute);
        Assert.Equal((Phases.Degraded, 0), (sim.Phase, sim.Weight("api:2")));
        Assert.Contains("aborted by request", sim.Message, StringComparison.Ordinal);
        sim.Ask("retry/current").Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Null(sim.Status.FailedRevision);
        sim.UntilHealthy();
        Assert.Null(sim.Cluster.Records.Values.Single(r => r.Release?.Number == 2).Failed);
    }

    [Fact]
    public void Retry_right_after_the_decision_brings_the_weight_to_zero_first()
    {
        var sim = InStep("half");
        sim.Cluster.GatewayDelay = TimeSpan.FromSeconds(20);
        sim.Ask("abort/current").Run(TimeSpan.FromSeconds(1));
        sim.Ask("retry/current").Run(TimeSpan.FromSeconds(15));
        Assert.Equal(0, sim.Weight("api:2"));
        sim.Run(s_minute);
        Assert.Equal("5 10 50 0 5", sim.Weights("api:2"));
    }

    [Theory]
    [InlineData("abort/current", "Refused")]
    [InlineData("abort/7", "Refused")]
    [InlineData("retry/current", "Refused")]
    [InlineData("pause/current", "Refused")]
    [InlineData("dance/current", "Refused")]
    [InlineData("abort", "Refused")]
    public void Request_without_a_rollout_or_with_a_wrong_name_is_refused(string request, string outcome)
    {
        var sim = new Sim().UntilHealthy();
        sim.Ask(request).Run(s_minute);
        Assert.Equal(outcome, sim.Status.LastRequest!.Outcome);
        Assert.Null(sim.Cluster.Request);
        Assert.True(sim.Told("RequestRefused"));
        Assert.Equal(Phases.Healthy, sim.Phase);
    }

    [Fact]
    public void Request_on_an_object_seen_for_the_first_time_is_refused()
    {
        var sim = new Sim().Ask("abort/current").UntilHealthy();
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        Assert.Null(sim.Cluster.Request);
    }

    [Fact]
    public void Same_request_once_more_after_it_was_removed_counts_again()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(s_minute);
        sim.Ask("retry/current").Run(s_minute);
        sim.Ask("abort/current").Run(s_minute);
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal(2, sim.Status.History!.Count(static h => h.Outcome == "RolledBack"));
    }

    [Theory]
    [InlineData((int)Fault.CrashBefore)]
    [InlineData((int)Fault.CrashAfter)]
    [InlineData((int)Fault.AnswerLost)]
    [InlineData((int)Fault.Refused)]
    public void Request_counts_once_whatever_happens_to_the_removal_of_its_annotation(int fault)
    {
        var sim = InStep("half");
        var struck = false;
        sim.Faults = w =>
        {
            if (w is not RemoveRequest || struck) return Fault.None;
            struck = true;
            return (Fault)fault;
        };
        sim.Ask("abort/current").Run(s_minute);
        Assert.True(struck);
        sim.Run(s_minute);
        Assert.Single(sim.Status.History!, static h => h.Outcome == "RolledBack");
        Assert.Null(sim.Cluster.Request);
        Assert.True(sim.Status.LastRequest!.Removed);
        Assert.Single(sim.Events, static e => e.Event.Reason == "RollbackStarted");
    }

    [Theory]
    [InlineData((int)Fault.CrashBefore)]
    [InlineData((int)Fault.CrashAfter)]
    [InlineData((int)Fault.AnswerLost)]
    [InlineData((int)Fault.Conflict)]
    [InlineData((int)Fault.Refused)]
    public void Approval_counts_whatever_happens_to_its_status_write(int fault)
    {
        var sim = new Sim(new SpecText().Put("rollout.steps[0].approval", "Required")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(1));
        var struck = false;
        sim.Faults = w =>
        {
            if (w is not null || struck) return Fault.None;
            struck = true;
            return (Fault)fault;
        };
        sim.Ask("approve/current/canary").Run(s_minute);
        Assert.True(struck);
        Assert.Equal("ten", sim.StepName);
    }

    /// <summary>One apply brings both, or both came while the operator was away.</summary>
    [Theory]
    [InlineData("replay", 4, 10, "name: replay, weight: 10, hold: 10m, approval: Required", "name: full, weight: 100, hold: 10m")]
    [InlineData("full", 40, 100, "name: full, weight: 100, hold: 10m")]
    public void Resume_beside_an_edit_of_the_steps_goes_on_in_the_step_of_that_name(string step, int lowered, int then, params string[] left)
    {
        var sim = new Sim(new SpecText().Steps("name: canary, weight: 5, hold: 10m", "name: replay, weight: 10, hold: 10m", "name: full, weight: 100, hold: 1h")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep(step, StepStates.Holding).Run(s_minute);
        sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 100 - lowered), (sim.Deployment("api:2")!.Name, lowered));
        sim.Run(s_minute);
        Assert.Equal(Phases.Suspended, sim.Phase);
        sim.Ask("resume/current").Edit(s => s.Steps(left)).Run(s_minute);
        Assert.Equal((step, then), (sim.StepName, sim.Weight("api:2")));
        Assert.Equal("Accepted", sim.Status.LastRequest!.Outcome);
    }

    [Fact]
    public void Approval_of_a_step_that_spec_raises_in_that_moment_is_asked_for_again()
    {
        var sim = new Sim(new SpecText().Steps("name: canary, weight: 5, hold: 10m, approval: Required", "name: full, weight: 100, hold: 10m")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Waiting);
        sim.Ask("approve/current/canary").Edit(static s => s.Put("rollout.steps[0].weight", "50")).Run(TimeSpan.FromHours(1));
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        Assert.Equal((50, StepStates.Waiting), (sim.Weight("api:2"), sim.Status.Step!.State));
        sim.Ask("approve/current/canary").UntilHealthy();
    }

    [Fact]
    public void Resume_beside_a_raised_step_goes_on_from_what_the_hand_left_though_the_gateway_has_not_taken_that()
    {
        var sim = InStep("ten").Run(s_minute);
        sim.Cluster.GatewayDelay = null;
        sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 96), (sim.Deployment("api:2")!.Name, 4));
        sim.Run(s_minute);
        sim.Ask("resume/current").Edit(static s => s.Put("rollout.steps[1].weight", "20")).Run(s_minute);
        Assert.Null(sim.Status.Paused);
        sim.Cluster.GatewayWorks(true);
        sim.Until(static s => s.Weight("api:2") == 20);
    }
}
