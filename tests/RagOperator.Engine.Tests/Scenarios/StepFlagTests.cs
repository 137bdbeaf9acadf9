using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Flags that a step turns on: after its weight, when it may rise, and for those who approved it as it is.</summary>
public sealed class StepFlagTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    /// <summary>Four steps; "deep" has data only where debate is on, as a metric of what the flag does.</summary>
    private static Sim Release(string state, string step, Action<SpecText>? edit = null)
    {
        var sim = new Sim().UntilHealthy();
        sim.Metrics.Set("deep", "api:2", () => sim.Flags("api:2")!.Contains("debate", StringComparison.Ordinal) ? MetricAnswer.Of(0) : new MetricAnswer(AnswerKind.NoData, Message: "no series"));
        return sim.Edit(s =>
        {
            s.Image("api", "api:2").Flag("bandit", true).Flag("debate", true).Put("rollout.steps[2].flags", "[bandit]").Put("rollout.steps[3].flags", "[debate]");
            edit?.Invoke(s);
        }).UntilStep(step, state);
    }

    [Theory]
    [InlineData("half")]
    [InlineData("canary")]
    public void Flag_brought_forward_together_with_the_metric_that_needs_it_is_no_dead_end(string step)
    {
        var sim = Release(StepStates.Holding, step);
        var index = step == "half" ? 2 : 0;
        sim.Edit(s => s.Put("rollout.steps[3].flags", "-").Put($"rollout.steps[{index}].flags", index == 0 ? "[debate]" : "[bandit, debate]")
            .Metric($"{{name: deep, query: 'deep{{service=\"$(service)\"}}', limit: {{max: 1%}}, failAfter: 3, steps: [{step}]}}")).Run(TimeSpan.FromMinutes(3));
        Assert.Contains("debate", sim.Flags("api:2"), StringComparison.Ordinal);
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    /// <summary>The step before is gone, or has less than what was verified: the weight tells nothing of the flags that are still off.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Metric_that_needs_a_flag_of_this_step_is_not_waited_for_though_the_step_before_has_less(bool isGone)
    {
        // The step before must not wait for pods that the next does: it is caught while they come up.
        var sim = Release(StepStates.Holding, "ten", static s => s.Metric("{name: deep, query: 'deep{service=\"$(service)\"}', limit: {max: 1%}, failAfter: 3, steps: [half]}")
            .Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]"));
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(5);
        sim.UntilStep("half", StepStates.Scaling);
        sim.Edit(s => s.Put(isGone ? "rollout.steps[1]" : "rollout.steps[1].weight", isGone ? "-" : "8")).Run(TimeSpan.FromMinutes(8));
        Assert.Equal("half", sim.StepName);
        Assert.Equal("bandit,debate", sim.Flags("api:2"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Metric_in_breach_keeps_the_weight_though_it_may_lack_its_flag()
    {
        var sim = Release(StepStates.Holding, "half");
        sim.Metrics.Set("deep", "api:2", 0.5);
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]").Put("rollout.steps[2].weight", "60")
            .Metric("{name: deep, query: 'deep{service=\"$(service)\"}', limit: {max: 1%}, onBreach: Hold, steps: [half]}")).Run(TimeSpan.FromMinutes(10));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Equal("bandit", sim.Flags("api:2"));
    }

    [Theory]
    [InlineData("request")]
    [InlineData("spec")]
    [InlineData("invalid")]
    [InlineData("orphan")]
    public void Nothing_goes_on_in_a_weight_that_was_on_its_way_when_nothing_may_rise_any_more(string why)
    {
        var sim = Release(StepStates.Holding, "ten");
        sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(2);
        sim.UntilStep("half", StepStates.Shifting).Run(TimeSpan.FromSeconds(10));
        Assert.Equal(50, sim.Weight("api:2"));
        switch (why)
        {
            case "request": sim.Ask("pause/current"); break;
            case "spec": sim.Edit(static s => s.Put("rollout.paused", "true")); break;
            case "invalid": sim.Edit(static s => s.Put("rollout.steps[3].weight", "90")); break;
            default:
                sim.Cluster.Services[sim.Deployment("api:2")!.Name].OwnerUid = null;
                sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
                break;
        }

        sim.Run(TimeSpan.FromMinutes(30));
        Assert.Equal((50, ""), (sim.Weight("api:2"), sim.Flags("api:2")));
        Assert.Equal((50, StepStates.Shifting), (sim.Status.Weight, sim.Status.Step!.State));

        switch (why)
        {
            case "request": sim.Ask("resume/current"); break;
            case "spec": sim.Edit(static s => s.Put("rollout.paused", "false")); break;
            case "invalid": sim.Edit(static s => s.Put("rollout.steps[3].weight", "100")); break;
            default: sim.Faults = null; break;
        }

        sim.Run(s_minute);
        Assert.Equal("bandit", sim.Flags("api:2"));
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    /// <summary>It was approved as it was, before its weight was there.</summary>
    [Theory]
    [InlineData(StepStates.Scaling)]
    [InlineData(StepStates.Shifting)]
    public void Approval_is_of_the_step_without_the_flag_that_it_was_given_since(string state)
    {
        var sim = Release(StepStates.Holding, "ten", static s => s.Put("rollout.steps[2].approval", "Required"));
        if (state == StepStates.Scaling) sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(5);
        else sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(5);
        sim.UntilStep("half", state).Ask("approve/current/half").Run(TimeSpan.FromSeconds(10));
        Assert.True(sim.Status.Step!.Approved);
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]")).Run(TimeSpan.FromHours(2));
        Assert.Equal(("half", StepStates.Waiting), (sim.StepName, sim.Status.Step!.State));
        Assert.Equal("bandit,debate", sim.Flags("api:2"));
        sim.Ask("approve/current/half").UntilHealthy();
    }

    [Fact]
    public void Approval_in_the_pass_that_gives_the_step_a_flag_is_for_the_step_that_was_seen()
    {
        var sim = Release(StepStates.Holding, "ten", static s => s.Put("rollout.steps[2].approval", "Required"));
        sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(5);
        sim.UntilStep("half", StepStates.Shifting);
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]")).Ask("approve/current/half").Run(TimeSpan.FromSeconds(10));
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        sim.Run(TimeSpan.FromHours(2));
        Assert.Equal("half", sim.StepName);
    }

    [Fact]
    public void Weight_lowered_and_flag_added_in_one_edit_begin_the_step_anew()
    {
        var sim = Release(StepStates.Holding, "half", static s => s.Put("rollout.steps[2].approval", "Required"));
        sim.Ask("approve/current/half").Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]").Put("rollout.steps[2].weight", "30")).Run(TimeSpan.FromSeconds(1));
        Assert.Equal(30, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromHours(2));
        Assert.Equal(("half", null), (sim.StepName, sim.Status.Step!.Approved));
        Assert.Equal((30, "bandit,debate"), (sim.Weight("api:2"), sim.Flags("api:2")));
    }
}
