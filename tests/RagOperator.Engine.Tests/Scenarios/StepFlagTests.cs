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
        var sim = Release(StepStates.Holding, "ten", static s => s.Metric("{name: deep, query: 'deep{service=\"$(service)\"}', limit: {max: 1%}, onBreach: Hold, steps: [half]}"));
        sim.Metrics.Set("deep", "api:2", 0.5);
        sim.UntilStep("half", StepStates.Holding).Until(static s => s.Told("MetricBreach"));
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]").Put("rollout.steps[2].weight", "60")).Run(TimeSpan.FromMinutes(10));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Equal("bandit", sim.Flags("api:2"));
    }

    [Theory]
    [InlineData("request")]
    [InlineData("spec")]
    [InlineData("invalid")]
    [InlineData("orphan")]
    public void Weight_that_was_on_its_way_when_nothing_may_rise_any_more_stays_and_no_flag_goes_on(string why)
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

        sim.Run(TimeSpan.FromMinutes(10)).Restart().Run(TimeSpan.FromMinutes(20));
        Assert.Equal((50, ""), (sim.Weight("api:2"), sim.Flags("api:2")));
        Assert.Equal((50, StepStates.Shifting), (sim.Status.Weight, sim.Status.Step!.State));

        switch (why)
        {
            case "request": sim.Ask("resume/current"); break;
            case "spec": sim.Edit(static s => s.Put("rollout.paused", "false")); break;
            case "invalid": sim.Edit(static s => s.Put("rollout.steps[3].weight", "100")); break;
            default: sim.Faults = null; break;
        }

        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal("bandit", sim.Flags("api:2"));
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    /// <summary>In that time the source of the metrics fell silent, or what is judged went wrong.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Flags_that_were_stopped_need_what_their_weight_needed(bool isSilent)
    {
        var sim = Release(StepStates.Holding, "ten", static s => s.Metric("{name: memory, query: 'memory{service=\"$(service)\"}', limit: {max: 85%}, onBreach: Hold}"));
        sim.Metrics.Set("memory", "api:1", 0.5);
        sim.Metrics.Set("memory", "api:2", 0.5);
        sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(1);
        sim.UntilStep("half", StepStates.Shifting).Ask("pause/current").Run(TimeSpan.FromMinutes(5));
        if (isSilent) sim.Metrics.Everything = new MetricAnswer(AnswerKind.Error, Message: "connection refused");
        else sim.Metrics.Set("memory", "api:2", 0.9);
        sim.Run(TimeSpan.FromMinutes(2)).Ask("resume/current").Run(TimeSpan.FromMinutes(10));
        Assert.Equal((50, ""), (sim.Weight("api:2"), sim.Flags("api:2")));
        Assert.Contains("memory", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Everything = null;
        sim.Metrics.Set("memory", "api:2", 0.5);
        sim.UntilHealthy();
    }

    /// <summary>"hits" is far too low without the flag: nobody asked what it is then.</summary>
    [Theory]
    [InlineData("canary", "pause")]
    [InlineData("half", "pause")]
    [InlineData("canary", "silent gateway")]
    [InlineData("half", "silent gateway")]
    [InlineData("canary", "refused file")]
    [InlineData("half", "refused file")]
    public void Metric_of_a_step_is_not_judged_before_the_steps_flag_is_served(string step, string why)
    {
        var sim = new Sim().UntilHealthy();
        sim.Metrics.Set("hits", "api:1", 0);
        sim.Metrics.Set("hits", "api:2", () => MetricAnswer.Of(sim.Flags("api:2")!.Length > 0 ? 1 : 0));
        sim.Edit(s => s.Image("api", "api:2").Flag("bandit", true).Put($"rollout.steps[{(step == "half" ? 2 : 0)}].flags", "[bandit]")
            .Metric($"{{name: hits, query: 'hits{{service=\"$(service)\"}}', limit: {{min: 10%}}, steps: [{step}, full]}}"));
        if (step == "half") sim.UntilStep("ten", StepStates.Holding);
        sim.Cluster.GatewayDelay = why == "silent gateway" ? TimeSpan.FromHours(2) : TimeSpan.FromMinutes(1);
        if (why == "refused file") sim.Faults = static write => write is ApplyFlags { Flags: var flags } && flags.Values.Contains(true) ? Fault.Refused : Fault.None;
        sim.UntilStep(step, why == "refused file" ? StepStates.Holding : StepStates.Shifting);
        if (why != "refused file") sim.Ask("pause/current");
        sim.Run(TimeSpan.FromHours(1)).Restart().Run(TimeSpan.FromHours(1));
        Assert.Equal((step == "half" ? 50 : 5, ""), (sim.Weight("api:2"), sim.Flags("api:2")));
        Assert.Equal((null, step), (sim.Status.Rollback, sim.StepName));

        sim.Cluster.GatewayDelay = TimeSpan.FromSeconds(1);
        sim.Faults = null;
        if (why != "refused file") sim.Ask("resume/current");
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    /// <summary>Pods see a changed file up to a minute later, and a window looks back further.</summary>
    [Theory]
    [InlineData("canary")]
    [InlineData("half")]
    public void Metric_of_a_step_is_judged_a_window_after_its_flag_went_on(string step)
    {
        var sim = new Sim().UntilHealthy();
        DateTimeOffset? on = null;
        sim.Metrics.Set("hits", "api:1", 0);
        sim.Metrics.Set("hits", "api:2", () =>
        {
            if (sim.Flags("api:2")!.Length > 0) on ??= sim.Now;
            return MetricAnswer.Of(sim.Now - on > TimeSpan.FromSeconds(75) ? 1 : 0);
        });
        sim.Edit(s => s.Image("api", "api:2").Flag("bandit", true).Put($"rollout.steps[{(step == "half" ? 2 : 0)}].flags", "[bandit]")
            .Metric($"{{name: hits, query: 'hits{{service=\"$(service)\"}}', limit: {{min: 10%}}, failAfter: 3, steps: [{step}, full]}}")).UntilHealthy();
        Assert.Equal((100, null), (sim.Weight("api:2"), sim.Status.Rollback));
    }

    /// <summary>All flags go on in one step then, whichever names them.</summary>
    [Fact]
    public void Release_that_comes_back_at_once_is_not_judged_before_its_pods_see_its_flags()
    {
        const string Hits = "{name: hits, query: 'hits{service=\"$(service)\"}', limit: {min: 10%}, failAfter: 3, steps: [half, full]}";
        var sim = new Sim().UntilHealthy();
        DateTimeOffset? on = null;
        sim.Metrics.Set("hits", "api:1", 1);
        sim.Metrics.Set("hits", "api:3", 1);
        sim.Metrics.Set("hits", "api:2", () =>
        {
            if (sim.Flags("api:2")!.Length == 0) on = null;
            else on ??= sim.Now;
            return MetricAnswer.Of(sim.Now - on > TimeSpan.FromSeconds(75) ? 1 : 0);
        });
        sim.Edit(static s => s.Image("api", "api:2").Flag("bandit", true).Put("rollout.steps[2].flags", "[bandit]").Metric(Hits)).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:3").Put("featureFlags.flags[0]", "-").Put("rollout.steps[2].flags", "-")).UntilHealthy();
        sim.Run(TimeSpan.FromMinutes(2));
        on = null;
        sim.Edit(static s => s.Image("api", "api:2").Flag("bandit", true).Put("rollout.steps[2].flags", "[bandit]")).UntilHealthy();
        Assert.Equal((100, null), (sim.Weight("api:2"), sim.Status.Rollback));
    }

    /// <summary>The flag goes off with the last request, and is on again a while after the first.</summary>
    [Theory]
    [InlineData("canary")]
    [InlineData("half")]
    public void Step_that_a_hand_took_all_requests_from_is_judged_as_one_that_was_not_judged_before(string step)
    {
        var sim = new Sim().UntilHealthy();
        sim.Metrics.Set("hits", "api:1", 0);
        sim.Metrics.Set("hits", "api:2", () => MetricAnswer.Of(sim.Flags("api:2")!.Length > 0 ? 1 : 0));
        sim.Edit(s => s.Image("api", "api:2").Flag("bandit", true).Put($"rollout.steps[{(step == "half" ? 2 : 0)}].flags", "[bandit]")
            .Metric($"{{name: hits, query: 'hits{{service=\"$(service)\"}}', limit: {{min: 10%}}, failAfter: 3, steps: [{step}, full]}}"))
            .UntilStep(step, StepStates.Holding).Run(TimeSpan.FromMinutes(5));
        sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 100), (sim.Deployment("api:2")!.Name, 0));
        sim.Run(s_minute);
        sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(5);
        sim.Ask("resume/current").UntilHealthy();
        Assert.Null(sim.Status.Rollback);
    }

    /// <summary>A hand lowered the weight, or spec raised it, while the flag waits: it is the step's, and without its flag.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Step_that_begins_anew_while_its_flag_waits_is_not_judged_for_want_of_it(bool byHand)
    {
        var sim = new Sim().UntilHealthy();
        sim.Metrics.Set("hits", "api:1", 0);
        sim.Metrics.Set("hits", "api:2", () => MetricAnswer.Of(sim.Flags("api:2")!.Length > 0 ? 1 : 0));
        sim.Edit(static s => s.Image("api", "api:2").Flag("bandit", true).Put("rollout.steps[2].flags", "[bandit]")
            .Metric("{name: hits, query: 'hits{service=\"$(service)\"}', limit: {min: 10%}, failAfter: 3, steps: [half, full]}")).UntilStep("ten", StepStates.Holding);
        sim.Cluster.GatewayDelay = s_minute;
        sim.UntilStep("half", StepStates.Shifting).Ask("pause/current").Run(TimeSpan.FromMinutes(5));
        if (byHand) sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 80), (sim.Deployment("api:2")!.Name, 20));
        else sim.Edit(static s => s.Put("rollout.steps[2].weight", "60"));
        sim.Run(TimeSpan.FromMinutes(10)).Ask("resume/current").UntilHealthy();
        Assert.Null(sim.Status.Rollback);
    }

    /// <summary>It would be far too low without the flag.</summary>
    [Theory]
    [InlineData("half", "[half]", false)]
    [InlineData("half", "[half, full]", true)]
    [InlineData("ten", "[ten, half, full]", false)]
    public void Flag_brought_forward_together_with_the_metric_that_is_too_low_without_it_is_no_breach(string step, string steps, bool isKnown)
    {
        const string Hits = "{name: hits, query: 'hits{service=\"$(service)\"}', limit: {min: 10%}, failAfter: 3, steps: ";
        var sim = Release(StepStates.Holding, "ten", s => _ = isKnown ? s.Metric($"{Hits}[full]}}") : s);
        sim.Metrics.Set("hits", "api:1", 0);
        sim.Metrics.Set("hits", "api:2", () => MetricAnswer.Of(sim.Flags("api:2")!.Contains("debate", StringComparison.Ordinal) ? 1 : 0));
        sim.UntilStep("half", StepStates.Holding).Run(TimeSpan.FromMinutes(3));
        sim.Edit(s =>
        {
            s.Put("rollout.steps[3].flags", "-").Put(step == "half" ? "rollout.steps[2].flags" : "rollout.steps[1].flags", step == "half" ? "[bandit, debate]" : "[debate]");
            if (isKnown) s.Put("sla.metrics[1].steps", steps);
            else s.Metric($"{Hits}{steps}}}");
        }).Run(s_minute);
        Assert.Equal("bandit,debate", sim.Flags("api:2"));
        sim.UntilHealthy();
        Assert.Null(sim.Status.Rollback);
    }

    /// <summary>It was judged before the step was given a flag: it needs none.</summary>
    [Fact]
    public void Metric_of_a_step_goes_on_being_judged_while_a_flag_that_was_added_waits()
    {
        var sim = Release(StepStates.Holding, "ten", static s => s.Put("rollout.steps[2].flags", "-").Put("rollout.steps[3].flags", "[bandit, debate]")
            .Metric("{name: memory, query: 'memory{service=\"$(service)\"}', limit: {max: 85%}, failAfter: 3, steps: [half, full]}"));
        sim.Metrics.Set("memory", "api:1", 0.5);
        sim.Metrics.Set("memory", "api:2", 0.5);
        sim.UntilStep("half", StepStates.Holding).Run(TimeSpan.FromMinutes(3));
        sim.Cluster.GatewayDelay = TimeSpan.FromHours(1);
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "[debate]").Put("rollout.steps[2].flags", "[bandit]").Put("rollout.steps[2].weight", "60"))
            .Until(static s => s.Weight("api:2") == 60).Ask("pause/current").Run(s_minute);
        sim.Metrics.Set("memory", "api:2", 0.9);
        sim.Until(static s => s.Status.Rollback is not null, TimeSpan.FromMinutes(10));
    }

    /// <summary>What needs no flag is judged all the while.</summary>
    [Fact]
    public void Canary_that_waits_for_its_first_flags_is_taken_back_for_its_errors()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(1);
        sim.Edit(static s => s.Image("api", "api:2").Flag("bandit", true).Put("rollout.steps[0].flags", "[bandit]")).UntilStep("canary", StepStates.Shifting);
        sim.Ask("pause/current").Run(TimeSpan.FromMinutes(10));
        Assert.Equal(5, sim.Weight("api:2"));
        sim.Metrics.Set("errors", "api:2", 0.2);
        sim.Until(static s => s.Status.Rollback is not null);
    }

    /// <summary>The flag comes a step or more before this one by now, and so does the metric that needs it.</summary>
    [Theory]
    [InlineData("[ten, half, full]")]
    [InlineData("[half, full]")]
    public void Flag_moved_to_an_earlier_step_with_its_metric_is_no_dead_end(string steps)
    {
        var sim = Release(StepStates.Holding, "half");
        sim.Edit(s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[1].flags", "[debate]")
            .Metric($"{{name: deep, query: 'deep{{service=\"$(service)\"}}', limit: {{max: 1%}}, steps: {steps}}}")).Run(TimeSpan.FromMinutes(3));
        Assert.Equal("bandit,debate", sim.Flags("api:2"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Metric_of_all_steps_that_needs_a_flag_of_the_first_is_no_dead_end()
    {
        var sim = Release(StepStates.Holding, "canary");
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[0].flags", "[debate]")
            .Metric("{name: deep, query: 'deep{service=\"$(service)\"}', limit: {max: 1%}}")).Run(TimeSpan.FromMinutes(3));
        Assert.Contains("debate", sim.Flags("api:2"), StringComparison.Ordinal);
        sim.UntilHealthy();
    }

    [Fact]
    public void Flag_that_was_decided_and_not_written_does_not_go_on_in_a_pause()
    {
        var sim = Release(StepStates.Holding, "ten");
        sim.Faults = static write => write is ApplyFlags ? Fault.Refused : Fault.None;
        sim.UntilStep("half", StepStates.Holding).Ask("pause/current").Run(s_minute);
        sim.Faults = null;
        sim.Run(TimeSpan.FromMinutes(10)).Restart().Run(TimeSpan.FromMinutes(10));
        Assert.Equal("", sim.Flags("api:2"));
        sim.Ask("resume/current").Run(TimeSpan.FromMinutes(2));
        Assert.Equal("bandit", sim.Flags("api:2"));
        sim.UntilHealthy();
    }

    /// <summary>A process that has just begun does not know yet that the API server refuses the new spec.</summary>
    [Fact]
    public void Flag_that_was_decided_and_not_written_does_not_go_on_while_spec_is_refused()
    {
        var sim = Release(StepStates.Holding, "ten");
        sim.Cluster.Refused["api:3"] = "image: not here";
        sim.Faults = static write => write is ApplyFlags ? Fault.Refused : Fault.None;
        sim.UntilStep("half", StepStates.Holding).Edit(static s => s.Image("api", "api:3")).Run(s_minute);
        sim.Faults = null;
        sim.Restart().Run(TimeSpan.FromMinutes(10));
        Assert.Equal("", sim.Flags("api:2"));
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(2));
        Assert.Equal("bandit", sim.Flags("api:2"));
        sim.UntilHealthy();
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

    [Fact]
    public void Status_tells_no_end_of_the_hold_while_the_gateway_has_not_taken_a_lowered_weight()
    {
        var sim = Release(StepStates.Holding, "half").Run(TimeSpan.FromMinutes(3));
        Assert.NotNull(sim.Status.Step!.HoldUntil);
        sim.Cluster.GatewayDelay = TimeSpan.FromMinutes(10);
        sim.Edit(static s => s.Put("rollout.steps[2].weight", "30")).Run(s_minute);
        Assert.Equal((StepStates.Shifting, null), (sim.Status.Step!.State, sim.Status.Step.HoldUntil));
    }

    [Fact]
    public void Status_tells_the_weight_that_was_lowered_though_its_step_cannot_go_on()
    {
        var sim = Release(StepStates.Holding, "half");
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[2].flags", "[bandit, debate]").Put("rollout.steps[2].weight", "30").Put("rollout.paused", "true")).Run(TimeSpan.FromMinutes(2));
        Assert.Equal((30, 30), (sim.Weight("api:2"), sim.Status.Weight));
    }

    /// <summary>Silence ends no streak, and a source that fails is no metric that lacks its flag.</summary>
    [Theory]
    [InlineData(AnswerKind.NoData, 2)]
    [InlineData(AnswerKind.Error, 0)]
    public void Metric_that_holds_or_whose_source_fails_keeps_weight_and_flag_of_a_step_that_begins_anew(AnswerKind then, int breaches)
    {
        var sim = Release(StepStates.Holding, "ten", static s => s.Metric("{name: memory, query: 'memory{service=\"$(service)\"}', limit: {max: 85%}, failAfter: 2, onBreach: Hold, steps: [ten, half, full]}"));
        var answers = 0;
        sim.Metrics.Set("memory", "api:2", () => ++answers <= breaches * 2 ? MetricAnswer.Of(0.9) : new MetricAnswer(then, Message: "silent"));
        sim.Run(TimeSpan.FromMinutes(4));
        sim.Edit(static s => s.Put("rollout.steps[2].flags", "-").Put("rollout.steps[1].flags", "[bandit]").Put("rollout.steps[1].weight", "30")).Run(TimeSpan.FromMinutes(20));
        Assert.Equal((10, ""), (sim.Weight("api:2"), sim.Flags("api:2")));
        Assert.Equal(("ten", 30), (sim.StepName, sim.Status.Step!.Weight));
    }
}
