using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>What nobody can see is not raised, not promoted, and not called well.</summary>
public sealed class UnwatchedTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly MetricAnswer s_refused = new(AnswerKind.Error, Message: "refused");

    private static Sim InStep(string step, Action<SpecText>? edit = null)
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(edit ?? (static _ => { }));
        return sim.Edit(static s => s.Image("api", "api:2")).UntilStep(step, StepStates.Holding);
    }

    [Fact]
    public void While_something_cannot_be_read_nothing_rises_and_a_breach_is_taken_back()
    {
        var sim = InStep("ten");
        sim.IsBlind = true;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(("ten", 10), (sim.StepName, sim.Weight("api:2")));
        Assert.DoesNotContain(sim.Trajectory.Where(t => t.At > sim.Now - TimeSpan.FromHours(1)), static t => t.Write is { Way: Direction.Raises });

        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(10));
        Assert.Equal((0, Phases.Degraded), (sim.Weight("api:2"), sim.Phase));
    }

    [Fact]
    public void While_something_cannot_be_read_stable_keeps_its_pods()
    {
        var sim = InStep("ten");
        sim.IsBlind = true;
        sim.Cluster.Deployments.Remove(sim.Deployment("api:1")!.Name);
        sim.Run(s_minute);
        Assert.Equal(4, sim.Pods("api:1"));
    }

    [Fact]
    public void Read_that_fails_now_and_then_gives_a_canary_that_does_not_start_no_more_time()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Fail("embedder:2");
        sim.Edit(static s => s.Image("embedder", "embedder:2"));
        for (var minute = 0; minute < 10; minute++)
        {
            sim.Run(s_minute);
            sim.IsBlind = true;
            sim.Pass();
            sim.IsBlind = false;
        }

        sim.Run(TimeSpan.FromSeconds(30));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void Component_that_becomes_external_keeps_stables_pods_as_they_are()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Externals["emb"] = 1;
        sim.Edit(static s => s.Put("components[0]", "{name: embedder, external: {service: emb, port: 8003}}")).UntilStep("half", StepStates.Holding);
        Assert.Equal(2, sim.Pods("embedder:1"));
        sim.Ask("abort/current").Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal(2, sim.Pods("embedder:1"));
    }

    [Fact]
    public void Release_whose_pods_die_at_the_end_of_its_last_hold_does_not_become_stable()
    {
        var sim = InStep("full").Run(TimeSpan.FromMinutes(11));
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromSeconds(45));
        Assert.NotEqual("Promoted", sim.Status.History![0].Outcome);
        sim.Run(TimeSpan.FromMinutes(20));
        Assert.Equal("RolledBack", sim.Status.History![0].Outcome);
        Assert.Equal(100, sim.Weight("api:1"));
    }

    [Fact]
    public void Raised_weight_of_a_step_waits_while_the_metric_source_is_silent()
    {
        var sim = InStep("canary");
        sim.Metrics.Everything = s_refused;
        sim.Run(s_minute);
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "8")).Run(TimeSpan.FromMinutes(5));
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Contains("errors cannot be asked", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Everything = null;
        sim.Run(s_minute);
        Assert.Equal(8, sim.Weight("api:2"));
    }

    [Fact]
    public void Step_put_in_before_the_next_raises_nothing_while_the_metric_source_is_silent()
    {
        var sim = InStep("ten");
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(3);
        sim.UntilStep("half", StepStates.Scaling);
        sim.Metrics.Everything = s_refused;
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal((10, 2), (sim.Weight("api:2"), sim.Pods("api:2")));
        sim.Edit(static s => s.Steps("name: canary, weight: 5, hold: 10m", "name: ten, weight: 10, hold: 10m", "name: thirty, weight: 30, hold: 10m", "name: half, weight: 50, hold: 10m", "name: full, weight: 100, hold: 10m"));
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(10, sim.Weight("api:2"));
    }

    [Fact]
    public void Approved_step_says_what_it_waits_for_besides()
    {
        var sim = InStep("canary", static s => s.Put("rollout.steps[0].approval", "Required")).UntilStep("canary", StepStates.Waiting);
        sim.Metrics.Everything = s_refused;
        sim.Run(TimeSpan.FromMinutes(3));
        sim.Ask("approve/current/canary").Run(s_minute);
        Assert.Equal("canary", sim.StepName);
        Assert.DoesNotContain("waiting for approval", sim.Message, StringComparison.Ordinal);
        Assert.Contains("errors cannot be asked", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Everything = null;
        sim.UntilStep("ten");
    }

    [Fact]
    public void Other_question_by_the_same_name_begins_anew()
    {
        var sim = InStep("half");
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Until(static s => s.Status.Sla![0].Streak == 2);
        sim.Edit(static s => s.Put("sla.metrics[0].query", "'others{service=\"$(service)\"}'")).Run(TimeSpan.FromSeconds(1));
        Assert.Equal((0, null), (sim.Status.Sla![0].Streak, sim.Status.Sla[0].StableValue));
        sim.Run(TimeSpan.FromSeconds(65));
        Assert.False(sim.Told("RollbackStarted"));
        sim.Run(s_minute);
        Assert.True(sim.Told("RollbackStarted"));
    }

    [Fact]
    public void Policy_that_is_gone_stops_nobody_from_a_newer_release()
    {
        var sim = InStep("half");
        foreach (var policy in sim.Cluster.Records.Where(static r => r.Value.Release is null).Select(static r => r.Key).ToList()) sim.Cluster.Records.Remove(policy);
        sim.Restart();
        sim.Edit(static s => s.Image("api", "api:3")).UntilHealthy();
        Assert.Equal(100, sim.Weight("api:3"));
    }

    [Fact]
    public void Paused_install_says_so_and_how_to_go_on()
    {
        var sim = new Sim();
        sim.Cluster.Pods("api:1").Start = TimeSpan.FromMinutes(2);
        sim.Run(TimeSpan.FromSeconds(30));
        sim.Ask("pause/current").Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("ragoperator.dev/request=resume/1", sim.Message, StringComparison.Ordinal);
        sim.Ask("resume/current").UntilHealthy();
    }

    [Fact]
    public void Policy_that_cannot_be_recorded_leaves_the_old_one_judging()
    {
        var sim = InStep("half");
        sim.Unrecordable = "exceeded quota: count/controllerrevisions.apps";
        sim.Edit(static s => s.Put("rollout.steps[3].hold", "20m"));
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromSeconds(40));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Contains("exceeded quota", sim.Message, StringComparison.Ordinal);
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback!.Cause);
        sim.Unrecordable = null;
        sim.Run(s_minute);
        Assert.Equal("True RolledBack", sim.Condition("Stalled"));
    }

    [Theory]
    [InlineData("5h", 4.5, 1)]
    [InlineData("0s", 0.6, 0)]
    public void Edit_of_how_long_failed_pods_are_kept_counts_for_those_that_are_kept_already(string keep, double hours, int pods)
    {
        var sim = InStep("half", static s => s.Put("rollback.keepFailedPods", "1h"));
        sim.Ask("abort/current").Run(TimeSpan.FromMinutes(30));
        Assert.Equal(1, sim.Pods("api:2"));
        sim.Edit(s => s.Put("rollback.keepFailedPods", keep)).Run(TimeSpan.FromHours(hours) - TimeSpan.FromMinutes(30));
        Assert.Equal(pods, sim.Pods("api:2"));
    }

    [Fact]
    public void Refused_spec_is_never_called_well_after_a_restart()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.RefusedHostname = "not_a_host";
        sim.Edit(static s => s.Put("traffic.gatewayApi.hostnames", "[not_a_host]")).Run(s_minute);
        Assert.Equal(Phases.Degraded, sim.Phase);
        var from = sim.Trajectory.Count;
        sim.Restart().Run(TimeSpan.FromMinutes(3));
        Assert.DoesNotContain(sim.Trajectory.Skip(from), s => s.Status is { Phase: Phases.Healthy } told && told.ObservedGeneration == sim.Cluster.Generation);
    }

    [Fact]
    public void Policy_that_is_gone_and_cannot_be_recorded_judges_on_where_spec_is_the_same()
    {
        var sim = InStep("half");
        foreach (var policy in sim.Cluster.Records.Where(static r => r.Value.Release is null).Select(static r => r.Key).ToList()) sim.Cluster.Records.Remove(policy);
        sim.Unrecordable = "exceeded quota: count/controllerrevisions.apps";
        sim.Restart();
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((Phases.Degraded, 0), (sim.Phase, sim.Weight("api:2")));
    }

    [Fact]
    public void Canary_that_answers_nobody_is_taken_back_though_its_policy_is_gone()
    {
        var sim = InStep("half");
        foreach (var policy in sim.Cluster.Records.Where(static r => r.Value.Release is null).Select(static r => r.Key).ToList()) sim.Cluster.Records.Remove(policy);
        sim.Restart();
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "500")).Run(TimeSpan.FromMinutes(1));
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromMinutes(1));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(RollbackCauses.NoReadyAddress, sim.Status.Rollback!.Cause);
    }
}
