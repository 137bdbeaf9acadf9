using RagOperator.Api.Values;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rule 4: the hold's clock, approval, restarts, and how often status is written meanwhile.</summary>
public sealed class HoldTests
{
    private static Sim Rolling(Action<SpecText>? edit = null)
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(edit ?? (static _ => { }));
        return sim.Edit(static s => s.Image("api", "api:2"));
    }

    private static TimeSpan Held(Sim sim) => RagDuration.TryParse(sim.Status.Step?.HeldFor, out var held) ? held : TimeSpan.Zero;

    [Fact]
    public void Restart_keeps_what_was_held_and_loses_only_the_time_in_which_nobody_watched()
    {
        var sim = Rolling(static s => s.Put("rollout.steps[0].hold", "2h")).UntilStep("canary", StepStates.Holding);
        sim.Run(TimeSpan.FromMinutes(61));
        var held = Held(sim);
        Assert.InRange(held, TimeSpan.FromMinutes(54), TimeSpan.FromMinutes(60));
        sim.Away(TimeSpan.FromHours(5)).Run(TimeSpan.FromMinutes(10));
        Assert.InRange(Held(sim) - held, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(11));
        Assert.Equal("canary", sim.StepName);
    }

    [Fact]
    public void Restart_without_metrics_loses_five_minutes_at_most()
    {
        var sim = Rolling(static s => s.Put("sla", "-").Put("rollout.steps[0].hold", "7d")).UntilStep("canary", StepStates.Holding);
        sim.At(TimeSpan.FromDays(3), () => sim.Away(TimeSpan.FromDays(2))).Run(TimeSpan.FromDays(3));
        sim.Run(TimeSpan.FromMinutes(1));
        Assert.InRange(Held(sim), TimeSpan.FromDays(3) - TimeSpan.FromMinutes(5), TimeSpan.FromDays(3) + TimeSpan.FromMinutes(2));
        var start = sim.Now;
        sim.UntilStep("ten");
        Assert.InRange(sim.Now - start, TimeSpan.FromDays(3.99), TimeSpan.FromDays(4.01));
    }

    [Fact]
    public void Hold_of_seven_days_writes_status_about_once_per_five_minutes()
    {
        var sim = Rolling(static s => s.Put("rollout.steps[0].hold", "7d")).UntilStep("canary", StepStates.Holding);
        var writes = sim.StatusWrites;
        sim.UntilStep("ten");
        Assert.InRange(sim.StatusWrites - writes, 7 * 24 * 10, (7 * 24 * 12) + 10);
    }

    [Fact]
    public void Short_hold_writes_progress_each_interval_at_most()
    {
        var sim = Rolling().UntilStep("canary", StepStates.Holding);
        var writes = sim.StatusWrites;
        sim.UntilStep("ten");
        Assert.InRange(sim.StatusWrites - writes, 5, 14);
    }

    [Fact]
    public void Approval_any_time_within_the_step_is_enough()
    {
        var sim = Rolling(static s => s.Put("rollout.steps[0].approval", "Required")).UntilStep("canary", StepStates.Holding);
        sim.Ask("approve/current/canary").UntilStep("ten");
        Assert.True(sim.Told("Approved"));
        Assert.Equal("Accepted", sim.Status.LastRequest!.Outcome);
        Assert.True(sim.Status.LastRequest.Removed);
        Assert.Null(sim.Cluster.Request);
    }

    [Fact]
    public void Without_approval_the_step_waits_suspended_and_writes_nothing()
    {
        var sim = Rolling(static s => s.Put("rollout.steps[0].approval", "Required")).Run(TimeSpan.FromHours(1));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("approve/2/canary", sim.Message, StringComparison.Ordinal);
        Assert.Equal("10m", sim.Status.Step!.HeldFor);
        var writes = sim.Trajectory.Count;
        sim.Run(TimeSpan.FromDays(3));
        Assert.Equal(writes, sim.Trajectory.Count);
        sim.Ask("approve/2/canary").Run(TimeSpan.FromMinutes(1));
        Assert.Equal("ten", sim.StepName);
    }

    [Fact]
    public void Approval_of_another_step_is_refused()
    {
        var sim = Rolling(static s => s.Put("rollout.steps[0].approval", "Required")).UntilStep("canary", StepStates.Holding);
        sim.Ask("approve/current/ten").Run(TimeSpan.FromHours(1));
        Assert.Equal("canary", sim.StepName);
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        Assert.True(sim.Told("RequestRefused"));
    }

    [Fact]
    public void Approved_step_still_breaches_and_does_not_end_while_metrics_are_silent()
    {
        var sim = Rolling(static s => s.Put("rollout.steps[0].approval", "Required")).Run(TimeSpan.FromHours(1));
        sim.Metrics.Everything = new Contracts.MetricAnswer(Contracts.AnswerKind.NoData);
        sim.Run(TimeSpan.FromMinutes(2));
        sim.Ask("approve/current/canary").Run(TimeSpan.FromHours(1));
        Assert.Equal("canary", sim.StepName);
        sim.Metrics.Everything = null;
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal("ten", sim.StepName);
    }

    /// <summary>Who goes by status alone, as health-holding.lua does, sees by that whether the clock runs: the step's state stays Holding.</summary>
    [Theory]
    [InlineData("NoData")]
    [InlineData("Invalid")]
    [InlineData("Error")]
    public void Hold_whose_clock_stands_has_no_end(string kind)
    {
        var sim = Rolling().UntilStep("canary", StepStates.Holding).Run(TimeSpan.FromMinutes(3));
        sim.Metrics.Everything = new Contracts.MetricAnswer(Enum.Parse<Contracts.AnswerKind>(kind));
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((Phases.Progressing, StepStates.Holding, null), (sim.Status.Phase, sim.Status.Step!.State, sim.Status.Step.HoldUntil));
        sim.Metrics.Everything = null;
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.NotNull(sim.Status.Step!.HoldUntil);
    }

    [Fact]
    public void Message_tells_until_when_a_hold_lasts()
    {
        var sim = Rolling().UntilStep("canary", StepStates.Holding).Run(TimeSpan.FromMinutes(3));
        Assert.InRange(sim.Status.Step!.HoldUntil!.Value, sim.Now + TimeSpan.FromMinutes(6), sim.Now + TimeSpan.FromMinutes(10));
        Assert.Contains("holding for 10m", sim.Message, StringComparison.Ordinal);
    }
}
