using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rule 7: stable serves nobody, and the fix goes out at once.</summary>
public sealed class RecoveryTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim Down(SpecText? spec = null)
    {
        var sim = new Sim(spec).UntilHealthy();
        sim.Cluster.Fail("api:1", "api: CrashLoopBackOff");
        return sim.Run(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void Stable_without_a_ready_address_is_degraded_and_told_once()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Fail("api:1", "pod a, container api: CrashLoopBackOff");
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal((Phases.Degraded, "False StableNotReady"), (sim.Phase, sim.Condition("Ready")));
        Assert.Equal("True StableNotReady", sim.Condition("Stalled"));
        Assert.Equal("False NoReadyAddress", sim.Condition("Available"));
        Assert.Contains("CrashLoopBackOff", sim.Message, StringComparison.Ordinal);
        Assert.Single(sim.Events, static e => e.Event is { Reason: "StableNotReady", Warning: true });
        var writes = sim.StatusWrites;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(writes, sim.StatusWrites);
        sim.Cluster.Heal("api:1");
        sim.UntilHealthy();
        Assert.True(sim.Told("StableReady"));
        Assert.Null(sim.Status.StableUnreadySince);
    }

    [Fact]
    public void Fix_serves_everything_as_soon_as_it_is_available()
    {
        var sim = Down(new SpecText().Put("rollout.steps[0].approval", "Required").Put("rollout.steps[3].approval", "Required").Put("rollout.steps[3].hold", "20m"));
        // What stable cannot answer any more holds nobody up.
        sim.Metrics.Set("errors", "api:1", static () => new(Contracts.AnswerKind.NoData));
        sim.Edit(static s => s.Image("api", "api:2")).Until(static s => s.Weight("api:2") == 100, s_minute);
        Assert.Equal(4, sim.Pods("api:2"));
        Assert.Equal("100", sim.Weights("api:2"));
        Assert.Equal((100, sim.Status.CanaryRevision), (sim.Status.Recovery?.Weight, sim.Status.Recovery?.Release));
        sim.Run(s_minute);
        Assert.Equal((Phases.Progressing, 100), (sim.Phase, sim.Status.Weight));
        sim.UntilHealthy();
        Assert.Equal("Recovered", sim.Status.History![0].Reason);
        sim.Run(s_minute);
        Assert.Equal((0, null), (sim.Pods("api:1"), sim.Status.Recovery));
    }

    [Fact]
    public void Fix_that_comes_while_a_bad_canary_has_weight_takes_it_all_in_one_write()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Cluster.Fail("api:1");
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(10));
        // Both are bad: what has weight keeps it until somebody is there to take it.
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.NotNull(sim.Status.Rollback);
        sim.Edit(static s => s.Image("api", "api:3")).Until(static s => s.Weight("api:3") > 0, s_minute);
        Assert.Equal((100, 0, 0), (sim.Weight("api:3"), sim.Weight("api:2"), sim.Weight("api:1")));
        sim.UntilHealthy();
    }

    [Fact]
    public void Fix_is_judged_by_absolute_limits_from_then_on()
    {
        var sim = Down(new SpecText().Put("sla.metrics[1]", "{name: slower, query: 'latency{service=\"$(service)\"}', limit: {maxIncrease: 50ms}}"));
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Edit(static s => s.Image("api", "api:2").Put("rollout.steps[3].hold", "2h")).Run(TimeSpan.FromMinutes(10));
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback?.Cause);
        // There is nobody to fall back on: the weight stays until stable is there.
        Assert.Equal(100, sim.Weight("api:2"));
        sim.Cluster.Heal("api:1");
        sim.Run(s_minute);
        Assert.Equal((0, 100), (sim.Weight("api:2"), sim.Weight("api:1")));
    }

    [Fact]
    public void Stable_that_is_back_before_the_fix_is_available_makes_it_go_through_its_steps()
    {
        var sim = Down();
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(5);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(2));
        Assert.Equal((0, true), (sim.Weight("api:2"), sim.Told("RecoveryStarted")));
        sim.Cluster.Heal("api:1");
        sim.UntilHealthy(TimeSpan.FromHours(3));
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
        Assert.True(sim.Told("RecoveryEnded"));
    }

    [Fact]
    public void Outage_of_less_than_a_minute_skips_no_step()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2"));
        sim.Cluster.Fail("api:1");
        sim.At(TimeSpan.FromSeconds(50), () => sim.Cluster.Heal("api:1"));
        sim.UntilHealthy(TimeSpan.FromHours(3));
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Canary_that_was_to_be_tried_on_few_takes_over_only_when_somebody_says_so()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2").Put("rollout.steps[0].hold", "7d")).UntilStep("canary", StepStates.Holding);
        sim.Cluster.Fail("api:1");
        sim.Run(TimeSpan.FromMinutes(10));
        Assert.Equal((5, Phases.Degraded), (sim.Weight("api:2"), sim.Phase));
        sim.Ask("promote/current").Run(s_minute);
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Stable_that_only_the_caches_miss_is_not_replaced()
    {
        var sim = new Sim().UntilHealthy();
        var stable = sim.Deployment("api:1")!.Name;
        sim.Eyes = seen => seen with { ReadyAddresses = seen.ReadyAddresses.Where(a => a.Key != stable).ToDictionary() };
        sim.Run(TimeSpan.FromMinutes(2));
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(10));
        Assert.Null(sim.Status.Recovery?.DecidedAt);
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Pause_holds_a_recovery_too()
    {
        var sim = Down();
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(2);
        sim.Edit(static s => s.Image("api", "api:2")).Run(s_minute).Ask("pause/current").Run(TimeSpan.FromMinutes(5));
        Assert.Equal(0, sim.Weight("api:2"));
        sim.Ask("resume/current").Run(TimeSpan.FromMinutes(3));
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Operator_that_dies_in_a_recovery_goes_on_with_it()
    {
        var sim = Down();
        sim.Faults = Once(static w => w is Contracts.ApplyRoute);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(2));
        Assert.Equal(100, sim.Weight("api:2"));
    }

    private static FaultPlan Once(Func<Contracts.Write?, bool> at)
    {
        var done = false;
        return write =>
        {
            if (done || !at(write)) return Fault.None;
            done = true;
            return Fault.CrashBefore;
        };
    }
}
