using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rules 2, 4 and 5, and the causes of a rollback: what metrics do to a rollout.</summary>
public sealed class JudgingTests
{
    private const string Relative = "{name: latency, query: 'latency{service=\"$(service)\"}', limit: {max: 500ms, maxIncrease: 50ms}}";

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim Rolling(Action<SpecText>? edit = null, Action<Sim>? before = null)
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(edit ?? (static _ => { }));
        before?.Invoke(sim);
        return sim.Edit(static s => s.Image("api", "api:2"));
    }

    [Theory]
    [InlineData("{max: 1%}", double.PositiveInfinity)]
    [InlineData("{min: 1%}", double.NegativeInfinity)]
    public void Infinity_beyond_a_limit_is_a_breach(string limit, double value)
    {
        var sim = Answering(limit, value);
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback?.Cause);
    }

    [Theory]
    [InlineData("{min: 1%}", double.PositiveInfinity)]
    [InlineData("{max: 1%}", double.NegativeInfinity)]
    public void Infinity_within_a_limit_is_no_answer(string limit, double value)
    {
        var sim = Answering(limit, value);
        Assert.Equal("Invalid", Metric(sim).Verdict);
        Assert.Null(sim.Status.Rollback);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    /// <summary>Ten minutes of a canary whose metric has this limit and this value.</summary>
    private static Sim Answering(string limit, double value) => Rolling(s => s.Put("sla.metrics[0].limit", limit), s =>
    {
        s.Metrics.Set("errors", "api:1", 0.01);
        s.Metrics.Set("errors", "api:2", value);
    }).Run(s_minute * 10);

    private static MetricStatus Metric(Sim sim, string name = "errors") => sim.Status.Sla!.Find(m => m.Name == name)!;

    [Fact]
    public void Baseline_silent_on_stable_is_named_and_the_rollout_waits()
    {
        var sim = Rolling(before: static s => s.Metrics.Set("errors", "api:1", static () => new MetricAnswer(AnswerKind.NoData, Message: "the query answered nothing")));
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("errors", sim.Message, StringComparison.Ordinal);
        Assert.True(sim.Told("BaselineNoData"));
        sim.Metrics.Set("errors", "api:1", 0.001);
        sim.Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Equal("0.001", Metric(sim).Baseline);
    }

    [Fact]
    public void Baseline_that_is_invalid_waits()
    {
        var sim = Rolling(before: static s => s.Metrics.Set("errors", "api:1", static () => new MetricAnswer(AnswerKind.Invalid, Message: "parse error: unexpected }")));
        sim.Run(TimeSpan.FromMinutes(20));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Contains("parse error", sim.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Baseline_with_too_few_requests_is_no_obstacle()
    {
        var sim = Rolling(static s => s.Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 100}"), static s =>
        {
            s.Metrics.Traffic = 0.1;
            s.Metrics.Set("errors", "api:1", static () => new MetricAnswer(AnswerKind.NoData));
        });
        sim.Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Baseline_of_a_component_that_stable_lacks_is_skipped()
    {
        var sim = Rolling(static s => s
            .Put("components[2]", "{name: reranker, ports: [{name: http, port: 1}], template: {spec: {containers: [{name: r, image: 'reranker:1'}]}}}")
            .Put("components[1].dependsOn", "[embedder, reranker]")
            .Metric("{name: memory, component: reranker, query: 'memory{service=\"$(service)\"}', limit: {max: 85%}}"));
        sim.Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
        sim.Run(s_minute);
        Assert.Equal("Pass", Metric(sim, "errors").Verdict);
    }

    [Fact]
    public void A_release_promoted_by_the_first_answer_after_silence_keeps_its_SLA()
    {
        var sim = Rolling().UntilStep("full", StepStates.Holding).Run(TimeSpan.FromMinutes(3));
        sim.Metrics.Set("errors", "api:2", static () => new MetricAnswer(AnswerKind.NoData, Message: "the query answered nothing"));
        sim.Run(s_minute).Edit(static s => s.Put("rollout.steps[3].hold", "1m")).Run(s_minute);
        Assert.Equal("Unknown NotAllPass", sim.Condition("SlaMet"));
        sim.Metrics.Set("errors", "api:2", 0.001);
        sim.UntilHealthy(TimeSpan.FromMinutes(2));
        Assert.Equal("True AllPass", sim.Condition("SlaMet"));
        sim.Run(s_minute);
        Assert.Equal("True AllPass", sim.Condition("SlaMet"));
    }

    [Fact]
    public void Breach_fail_after_times_rolls_back_and_holds_through_restarts_and_labels()
    {
        var sim = Rolling().UntilStep("half", StepStates.Holding);
        sim.Metrics.Set("errors", "api:2", 0.02);
        sim.Run(TimeSpan.FromSeconds(59));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Equal("Breach", Metric(sim).Verdict);
        sim.Run(TimeSpan.FromSeconds(35));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True RolledBack", sim.Condition("RolledBack"));
        Assert.Equal("False RolledBack", sim.Condition("Promoted"));
        Assert.Equal("False MetricBreach", sim.Condition("SlaMet"));
        Assert.Contains("2% is above max 1%", sim.Message, StringComparison.Ordinal);
        var entry = sim.Status.History![0];
        Assert.Equal(("RolledBack", "half", "SlaBreach"), (entry.Outcome, entry.Step, entry.Reason));
        Assert.Contains("errors{service=\"assistant-api-", entry.Query, StringComparison.Ordinal);
        Assert.Equal(["0.02", "0.02", "0.02"], entry.Values!);
        sim.Metrics.Set("errors", "api:2", 0.001);
        sim.Restart().Run(TimeSpan.FromDays(7));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void Rollback_keeps_one_pod_of_each_failed_component_for_a_look()
    {
        var sim = Rolling(static s => s.Put("rollback.keepFailedPods", "1h").Put("components[1].canaryReplicas", "3"), null).UntilStep("half", StepStates.Holding);
        Assert.Equal(3, sim.Pods("api:2"));
        sim.Ask("abort/current").Run(s_minute);
        Assert.Equal(1, sim.Pods("api:2"));
        sim.Run(TimeSpan.FromMinutes(58));
        Assert.Equal(1, sim.Pods("api:2"));
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(0, sim.Pods("api:2"));
        Assert.Equal(2, sim.Pods("embedder:1"));
    }

    [Fact]
    public void Breaches_within_one_window_prove_nothing()
    {
        var sim = Rolling(static s => s.Put("sla.interval", "5s").Put("sla.metrics[0].window", "2m").Put("sla.metrics[0].failAfter", "2")).UntilStep("canary", StepStates.Holding);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromSeconds(110));
        Assert.Equal(5, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromSeconds(20));
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Breaches_with_a_pass_between_do_not_add_up()
    {
        var sim = Rolling();
        var n = 0;
        sim.Metrics.Set("errors", "api:2", () => MetricAnswer.Of(n++ % 3 == 2 ? 0.001 : 0.5));
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.False(sim.Told("RollbackStarted"));
    }

    [Fact]
    public void Breaches_with_silence_between_do_add_up()
    {
        var sim = Rolling();
        var n = 0;
        sim.Metrics.Set("errors", "api:2", () => n++ % 2 == 0 ? MetricAnswer.Of(0.5) : new MetricAnswer(AnswerKind.NoData));
        sim.Run(TimeSpan.FromMinutes(4));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Theory]
    [InlineData(AnswerKind.NoData)]
    [InlineData(AnswerKind.Error)]
    [InlineData(AnswerKind.Invalid)]
    public void Answer_that_is_no_number_stops_the_clock_and_never_rolls_back(AnswerKind kind)
    {
        var sim = Rolling().UntilStep("ten", StepStates.Holding);
        sim.Run(TimeSpan.FromMinutes(5));
        sim.Metrics.Everything = new MetricAnswer(kind, Message: "down");
        sim.Run(TimeSpan.FromMinutes(2));
        var held = sim.Status.Step!.HeldFor;
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.Run(TimeSpan.FromHours(5));
        Assert.Equal(held, sim.Status.Step!.HeldFor);
        Assert.Equal(10, sim.Weight("api:2"));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("default", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Everything = null;
        sim.Run(TimeSpan.FromSeconds(40));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.UntilHealthy();
    }

    [Fact]
    public void Too_few_requests_stop_the_clock_and_page_nobody()
    {
        var sim = Rolling(static s => s.Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 100}")).UntilStep("ten", StepStates.Holding);
        sim.Metrics.Traffic = 1;
        sim.Run(TimeSpan.FromHours(8));
        Assert.Equal(Phases.Progressing, sim.Phase);
        Assert.Equal("TooFew", Metric(sim).Verdict);
        Assert.Contains("too few requests", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Traffic = 50;
        sim.UntilHealthy();
    }

    [Fact]
    public void Breach_with_too_few_requests_is_none()
    {
        var sim = Rolling(static s => s.Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 1000}"));
        sim.Metrics.Set("errors", "api:2", 0.9);
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Contains("150 of at least 1000 requests", Metric(sim).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Warm_up_is_once_and_nothing_counts_in_it_but_availability()
    {
        var sim = Rolling(static s => s.Put("sla.warmUp", "5m"), static s => s.Metrics.Set("errors", "api:2", 0.9));
        sim.Run(TimeSpan.FromMinutes(4.8));
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Contains("warming up", sim.Message, StringComparison.Ordinal);
        sim.Metrics.Set("errors", "api:2", 0.001);
        sim.UntilStep("ten", StepStates.Holding);
        sim.Metrics.Set("errors", "api:2", 0.9);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void Hold_runs_only_from_a_full_window_after_the_weight_was_verified()
    {
        var sim = Rolling(static s => s.Put("sla.metrics[0].window", "5m")).UntilStep("canary", StepStates.Holding);
        var verified = sim.Now;
        sim.UntilStep("ten");
        Assert.InRange(sim.Now - verified, TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(16.5));
    }

    [Fact]
    public void On_breach_hold_suspends_until_it_passes()
    {
        var sim = Rolling(static s => s.Put("sla.metrics[0].onBreach", "Hold")).UntilStep("ten", StepStates.Holding);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Equal(10, sim.Weight("api:2"));
        sim.Metrics.Everything = new MetricAnswer(AnswerKind.NoData);
        sim.Run(TimeSpan.FromMinutes(10));
        Assert.Equal(Phases.Suspended, sim.Phase);
        sim.Metrics.Everything = null;
        sim.Metrics.Set("errors", "api:2", 0.001);
        sim.Run(s_minute);
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.UntilHealthy();
    }

    [Fact]
    public void Metric_that_holds_for_a_night_writes_status_a_few_times_only()
    {
        var sim = Rolling(static s => s.Put("sla.metrics[0].onBreach", "Hold")).UntilStep("ten", StepStates.Holding);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(10));
        var writes = sim.StatusWrites;
        sim.Run(TimeSpan.FromHours(8));
        Assert.Equal(writes, sim.StatusWrites);
    }

    [Fact]
    public void On_breach_report_is_shown_and_never_judged()
    {
        var sim = Rolling(static s => s.Metric("{name: extra, query: 'extra{service=\"$(service)\"}', limit: {max: '0.1'}, onBreach: Report}"));
        sim.UntilStep("ten", StepStates.Holding).Run(s_minute);
        Assert.Equal(("Reported", "0.2"), (Metric(sim, "extra").Verdict, Metric(sim, "extra").Value));
        sim.UntilHealthy();
    }

    [Fact]
    public void Relative_limit_rolls_back_what_is_slower_than_stable()
    {
        var sim = Rolling(static s => s.Metric(Relative)).UntilStep("half", StepStates.Holding);
        sim.Metrics.Set("latency", "api:2", 0.26);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Contains("maxIncrease over stable's 200ms", sim.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Relative_limit_at_full_weight_compares_with_what_stable_last_answered(bool volume)
    {
        var sim = Rolling(s => (volume ? s.Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 100}") : s).Metric(Relative)).UntilStep("full", StepStates.Holding);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal("Pass", Metric(sim, "latency").Verdict);
        Assert.Equal("0.2", Metric(sim, "latency").StableValue);
        sim.Metrics.Set("latency", "api:2", 0.26);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void Relative_limit_of_a_single_step_compares_with_the_baseline()
    {
        var sim = Rolling(static s => s.Steps("name: all, weight: 100, hold: 5m").Metric(Relative)).UntilStep("all", StepStates.Holding);
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Relative_limit_does_not_keep_a_release_from_being_gone_back_to()
    {
        var sim = Rolling(static s => s.Put("sla.warmUp", "2m").Metric(Relative)).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:1")).UntilHealthy(TimeSpan.FromMinutes(30));
        Assert.Equal(100, sim.Weight("api:1"));
    }

    [Fact]
    public void Metric_of_a_component_that_both_share_is_reported_only()
    {
        var sim = Rolling(static s => s.Metric("{name: memory, component: embedder, query: 'memory{service=\"$(service)\"}', limit: {max: '0.1'}}"));
        sim.UntilStep("ten", StepStates.Holding);
        Assert.Equal("Reported", Metric(sim, "memory").Verdict);
        sim.UntilHealthy();
    }

    [Fact]
    public void Metric_that_has_data_only_once_its_steps_flag_is_on_does_not_block_the_way_there()
    {
        var sim = Rolling(static s => s.Flag("replay", true)
            .Steps("name: canary, weight: 5, hold: 5m", "name: replay, weight: 10, hold: 5m, flags: [replay]", "name: full, weight: 100, hold: 5m")
            .Metric("{name: replays, query: 'replays{service=\"$(service)\"}', limit: {min: '1'}, steps: [replay, full]}"));
        sim.Metrics.Set("replays", "api:1", 5);
        sim.Metrics.Set("replays", "api:2", () => sim.Flags("api:2") == "replay" ? MetricAnswer.Of(7) : new MetricAnswer(AnswerKind.NoData));
        sim.UntilHealthy();
        Assert.Equal("5 10 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Metric_of_an_earlier_step_does_not_block_the_next_one()
    {
        var sim = Rolling(static s => s.Put("sla.metrics[0].steps", "[canary]"));
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Breach_just_before_the_next_weight_keeps_it_from_being_written()
    {
        var sim = Rolling(static s => s.Put("components[1].canaryReplicas", "-"));
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(3);
        sim.UntilStep("half", StepStates.Scaling);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal("5 10 0", sim.Weights("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }
}
