using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rules 7, 8 and 9: spec edited midway.</summary>
public sealed class PolicyEditTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim InStep(string step, Action<SpecText>? edit = null)
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(edit ?? (static _ => { }));
        return sim.Edit(static s => s.Image("api", "api:2")).UntilStep(step, StepStates.Holding);
    }

    [Fact]
    public void Newer_release_midway_takes_the_older_back_and_begins_at_the_first_step()
    {
        var sim = InStep("half");
        sim.Edit(static s => s.Image("api", "api:3")).Run(TimeSpan.FromSeconds(30));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(5, sim.Weight("api:3"));
        Assert.Equal("Superseded", sim.Status.History![0].Outcome);
        sim.Run(s_minute);
        Assert.Equal(0, sim.Pods("api:2"));
        Assert.Equal(4, sim.Pods("api:1"));
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:3"));
        Assert.Equal(3, sim.Status.Release);
    }

    [Fact]
    public void Newer_release_waits_until_stable_can_serve()
    {
        var sim = InStep("half");
        sim.Cluster.Fail("api:1");
        sim.Edit(static s => s.Image("api", "api:3")).Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Cluster.Heal("api:1");
        sim.Run(s_minute);
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(5, sim.Weight("api:3"));
    }

    [Fact]
    public void Withdrawn_midway_is_healthy_once_weight_zero_is_verified()
    {
        var sim = InStep("half");
        sim.Edit(static s => s.Image("api", "api:1")).Run(TimeSpan.FromSeconds(1));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.UntilHealthy(s_minute);
        Assert.Equal(100, sim.Weight("api:1"));
        Assert.Equal("Withdrawn", sim.Status.History![0].Outcome);
        Assert.Equal(1, sim.Status.Release);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal(0, sim.Pods("api:2"));
    }

    [Fact]
    public void Full_weight_soak_that_is_replaced_goes_back_to_stable_first()
    {
        var sim = InStep("full");
        Assert.Equal(4, sim.Pods("api:1"));
        sim.Edit(static s => s.Image("api", "api:3")).Run(TimeSpan.FromSeconds(30));
        Assert.Equal(95, sim.Weight("api:1"));
        Assert.Equal(5, sim.Weight("api:3"));
    }

    [Fact]
    public void Step_that_is_gone_is_gone_on_from_the_greatest_weight_not_above()
    {
        var sim = InStep("half").Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Steps("name: a, weight: 1, hold: 5m", "name: b, weight: 20, hold: 5m", "name: c, weight: 60, hold: 5m", "name: d, weight: 100, hold: 5m"));
        sim.Run(TimeSpan.FromSeconds(20));
        Assert.Equal("b", sim.StepName);
        Assert.Equal(20, sim.Weight("api:2"));
        sim.UntilHealthy();
        Assert.Equal("5 10 50 20 60 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Step_that_is_gone_with_none_below_goes_on_in_the_first()
    {
        var sim = InStep("canary");
        sim.Edit(static s => s.Steps("name: a, weight: 20, hold: 5m", "name: d, weight: 100, hold: 5m")).Run(s_minute);
        Assert.Equal("a", sim.StepName);
    }

    [Fact]
    public void Lower_weight_applies_at_once_and_the_hold_goes_on()
    {
        var sim = InStep("half").Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Put("rollout.steps[2].weight", "30")).Run(TimeSpan.FromSeconds(1));
        Assert.Equal(30, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Contains(sim.Status.Step!.HeldFor, new[] { "3m", "3m30s", "4m" });
        sim.UntilHealthy();
    }

    [Fact]
    public void Higher_weight_enters_the_step_anew()
    {
        var sim = InStep("ten", static s => s.Put("rollout.steps[1].approval", "Required"));
        sim.Ask("approve/current/ten").Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Put("rollout.steps[1].weight", "20")).Run(TimeSpan.FromSeconds(30));
        Assert.Equal(20, sim.Weight("api:2"));
        Assert.Null(sim.Status.Step!.Approved);
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal("ten", sim.StepName);
        Assert.Equal(Phases.Suspended, sim.Phase);
    }

    [Fact]
    public void Step_whose_weight_is_raised_before_it_was_verified_is_no_dead_end()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Shifting);
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "8")).UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Steps_alone_start_nothing()
    {
        var sim = new Sim().UntilHealthy();
        var writes = sim.Trajectory.Count(static t => t.Write is not null and not Contracts.CreatePolicy and not Contracts.DeleteChild);
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "8").Put("sla.interval", "1m").Put("rollback.keepFailedPods", "5m")).UntilHealthy();
        Assert.Equal(writes, sim.Trajectory.Count(static t => t.Write is not null and not Contracts.CreatePolicy and not Contracts.DeleteChild));
        Assert.Equal(1, sim.Status.Release);
        Assert.Single(sim.Cluster.Records.Values, static r => r.Release is null);
    }

    [Fact]
    public void Invalid_spec_midway_raises_nothing_and_the_accepted_policy_goes_on_judging()
    {
        var sim = InStep("ten");
        sim.Edit(static s => s.Put("rollout.steps[3].weight", "90").Replicas("api", 9)).Run(TimeSpan.FromHours(2));
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Equal(4, sim.Pods("api:1"));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True InvalidSpec", sim.Condition("Stalled"));
        Assert.Contains("spec.rollout.steps[3].weight", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Spec_made_valid_again_goes_on_where_it_was()
    {
        var sim = InStep("ten").Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Put("rollout.steps[3].weight", "90")).Restart().Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Put("rollout.steps[3].weight", "100")).Run(s_minute);
        Assert.Equal("ten", sim.StepName);
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Refused_by_the_api_server_is_an_invalid_spec_and_nothing_is_half_made()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Refused["api:2"] = "spec.template.spec.containers[0].image: Invalid value";
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True InvalidSpec", sim.Condition("Stalled"));
        Assert.Contains("Invalid value", sim.Message, StringComparison.Ordinal);
        Assert.Equal(2, sim.Cluster.Deployments.Count);
        sim.Cluster.Refused.Clear();
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Replicas_apply_at_once_to_every_release_and_start_nothing()
    {
        var sim = InStep("half");
        Assert.Equal(2, sim.Pods("api:2"));
        sim.Edit(static s => s.Replicas("api", 8)).Run(TimeSpan.FromSeconds(5));
        Assert.Equal((8, 4), (sim.Pods("api:1"), sim.Pods("api:2")));
        Assert.Equal("half", sim.StepName);
        Assert.Equal(2, sim.Status.Release);
        sim.Edit(static s => s.Replicas("api", 2)).Run(TimeSpan.FromSeconds(5));
        Assert.Equal((2, 1), (sim.Pods("api:1"), sim.Pods("api:2")));
    }

    [Fact]
    public void Canary_has_its_share_of_pods_and_the_fixed_count_where_one_is_given()
    {
        var sim = InStep("canary");
        Assert.Equal(1, sim.Pods("api:2"));
        sim.UntilStep("half", StepStates.Holding);
        Assert.Equal(2, sim.Pods("api:2"));
        sim.Edit(static s => s.Put("components[1].canaryReplicas", "1")).Run(TimeSpan.FromSeconds(5));
        Assert.Equal(1, sim.Pods("api:2"));
        sim.UntilStep("full", StepStates.Holding);
        Assert.Equal((4, 4), (sim.Pods("api:1"), sim.Pods("api:2")));
    }

    [Fact]
    public void Going_back_within_the_undo_window_needs_no_steps()
    {
        var sim = InStep("full").UntilHealthy();
        sim.Run(TimeSpan.FromHours(10));
        Assert.Equal(0, sim.Pods("api:1"));
        var first = sim.Trajectory.Count;
        sim.Edit(static s => s.Image("api", "api:1")).Run(TimeSpan.FromSeconds(20));
        Assert.Equal(100, sim.Weight("api:1"));
        Assert.Equal(4, sim.Pods("api:2"));
        Assert.DoesNotContain(sim.Trajectory.Skip(first).Select(static t => t.Write).OfType<Contracts.CreateRelease>(), static _ => true);
        sim.UntilHealthy();
        Assert.Equal(1, sim.Status.Release);
    }

    [Fact]
    public void Going_back_is_watched_and_taken_back_in_turn()
    {
        var sim = InStep("full").UntilHealthy();
        sim.Metrics.Set("errors", "api:1", 0.5);
        sim.Edit(static s => s.Image("api", "api:1")).Run(TimeSpan.FromMinutes(5));
        Assert.Equal(100, sim.Weight("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    /// <summary>What is left behind answers on, though it serves nobody: that is no value to compare with, and none to wait for.</summary>
    [Fact]
    public void Going_back_does_not_wait_for_a_value_of_what_it_replaces()
    {
        var sim = InStep("full", static s => s.Metric("{name: memory, query: 'memory{service=\"$(service)\"}', limit: {max: 80%, maxIncrease: 5%}, failAfter: 3}").Put("sla.warmUp", "1m")).UntilHealthy();
        sim.Metrics.Set("memory", "api:1", 0.5);
        sim.Metrics.Set("memory", "api:2", 0.1);
        sim.Metrics.SilentWithoutTraffic = false;
        // Warmed up it has its full weight, with the first answer.
        sim.Edit(static s => s.Image("api", "api:1")).UntilHealthy(TimeSpan.FromHours(1));
        Assert.True(sim.Told("GoingBack"));
        Assert.Equal((100, 1), (sim.Weight("api:1"), sim.Status.Release));
    }

    [Fact]
    public void Going_back_after_the_undo_window_takes_all_steps()
    {
        var sim = InStep("full", static s => s.Put("rollback.undoWindow", "1h")).UntilHealthy();
        sim.Run(TimeSpan.FromMinutes(61));
        sim.Edit(static s => s.Image("api", "api:1")).Run(s_minute);
        Assert.Equal(5, sim.Weight("api:1"));
    }

    [Fact]
    public void Another_release_ends_the_hold_after_a_rollback()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(s_minute);
        Assert.Equal(RollbackCauses.Aborted, sim.Status.Rollback!.Cause);
        sim.Edit(static s => s.Image("api", "api:3")).Run(s_minute);
        Assert.Equal(5, sim.Weight("api:3"));
        Assert.Null(sim.Status.FailedRevision);
        sim.Edit(static s => s.Image("api", "api:2")).Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Spec_equal_to_stable_ends_the_hold_after_a_rollback()
    {
        var sim = InStep("half");
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        sim.Edit(static s => s.Image("api", "api:1")).UntilHealthy(s_minute);
        Assert.Equal("True Healthy", sim.Condition("Promoted"));
        Assert.Equal("False Healthy", sim.Condition("RolledBack"));
        Assert.StartsWith("Unknown", sim.Condition("SlaMet"), StringComparison.Ordinal);
    }

    [Fact]
    public void Policy_edit_does_not_end_the_hold_after_a_rollback()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(s_minute);
        sim.Edit(static s => s.Put("sla.interval", "1m").Replicas("api", 6)).Run(s_minute);
        Assert.Equal("True RolledBack", sim.Condition("RolledBack"));
        Assert.Equal(6, sim.Pods("api:1"));
        Assert.Equal(sim.Cluster.Generation, sim.Status.ObservedGeneration);
    }

    [Fact]
    public void History_keeps_the_last_ten_and_records_go_with_it()
    {
        var sim = new Sim(new SpecText().Steps("name: all, weight: 100, hold: 0s").Put("sla", "-")).UntilHealthy();
        for (var i = 2; i < 16; i++) sim.Edit(s => s.Image("api", $"api:{i}")).UntilHealthy().Run(TimeSpan.FromMinutes(2));
        Assert.Equal(10, sim.Status.History!.Count);
        Assert.Equal(15, sim.Status.Release);
        Assert.Equal(10, sim.Cluster.Records.Values.Count(static r => r.Release is not null));
        Assert.Equal(2, sim.Cluster.Deployments.Count);
    }

    [Fact]
    public void Old_release_stays_at_full_size_until_it_is_retired()
    {
        var sim = InStep("full", static s => s.Put("rollout.retireDelay", "5m")).UntilHealthy();
        Assert.Equal(4, sim.Pods("api:1"));
        sim.Run(TimeSpan.FromMinutes(4.5));
        Assert.Equal(4, sim.Pods("api:1"));
        Assert.Single(sim.Status.Retiring!);
        sim.Run(s_minute);
        Assert.Equal(0, sim.Pods("api:1"));
        Assert.Null(sim.Status.Retiring);
        Assert.Equal(2, sim.Cluster.Deployments.Count);
    }
}
