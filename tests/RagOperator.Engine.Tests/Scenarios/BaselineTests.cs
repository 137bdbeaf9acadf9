using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rule 2: which metrics the first weight waits for, and what people are told of a stable that does not answer, or badly.</summary>
public sealed class BaselineTests
{
    private static readonly MetricAnswer s_silent = new(AnswerKind.NoData, Message: "the query answered nothing");

    private static readonly TimeSpan s_minutes = TimeSpan.FromMinutes(2);

    private static Sim Rolling(Action<SpecText> edit, Action<Sim> before)
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(edit);
        before(sim);
        return sim.Edit(static s => s.Image("api", "api:2")).Run(s_minutes);
    }

    private static Sim Silent(string more, MetricAnswer answer, Action<SpecText>? edit = null) => Rolling(
        s =>
        {
            s.Metric($"{{name: buffer, query: 'buffer{{service=\"$(service)\"}}', {more}}}");
            edit?.Invoke(s);
        },
        sim => sim.Metrics.Set("buffer", "api:1", () => answer));

    private static MetricStatus Metric(Sim sim, string name) => sim.Status.Sla!.Find(m => m.Name == name)!;

    private static List<EngineEvent> Events(Sim sim, string reason) => [.. sim.Events.Select(static e => e.Event).Where(e => e.Reason == reason)];

    [Theory]
    [InlineData("limit: {max: '1'}, steps: [half, full]")]
    [InlineData("limit: {min: '1'}, steps: [half]")]
    [InlineData("limit: {max: '1'}, onBreach: Report")]
    public void Metric_that_is_not_judged_in_the_first_step_keeps_no_weight_away(string more)
    {
        var sim = Silent(more, s_silent);
        Assert.Equal(5, sim.Weight("api:2"));
        var told = Assert.Single(Events(sim, "BaselineNoData"));
        Assert.Contains("buffer does not answer for stable, and is not waited for", told.Message, StringComparison.Ordinal);
        Assert.False(told.Warning);
    }

    [Theory]
    [InlineData("limit: {max: '1'}")]
    [InlineData("limit: {max: '1'}, steps: [canary]")]
    [InlineData("limit: {maxIncrease: '1'}, steps: [half]")]
    [InlineData("limit: {max: '1', maxIncreasePercent: 10%}, steps: [half]")]
    public void Metric_of_the_first_step_or_with_a_relative_part_has_to_answer(string more)
    {
        var sim = Silent(more, s_silent);
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("buffer has no data", sim.Message, StringComparison.Ordinal);
        Assert.True(Assert.Single(Events(sim, "BaselineNoData")).Warning);
    }

    [Fact]
    public void Metric_that_names_a_first_step_with_flags_may_be_what_stable_cannot_have()
    {
        var sim = Silent("limit: {max: '1'}, steps: [canary]", s_silent, static s => s.Flag("replay", true).Put("rollout.steps[0].flags", "[replay]"));
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Metric_of_a_component_that_the_release_leaves_as_it_is_keeps_no_weight_away()
    {
        var sim = Rolling(
            static s => s.Metric("{name: memory, component: embedder, query: 'memory{service=\"$(service)\"}', limit: {max: 85%}}"),
            static sim => sim.Metrics.Set("memory", "embedder:1", static () => s_silent));
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Theory]
    [InlineData("limit: {max: '1'}")]
    [InlineData("limit: {max: '1', maxIncrease: '1'}")]
    public void Nothing_by_nothing_on_stable_is_like_too_few_requests(string more)
    {
        var sim = Silent(more, MetricAnswer.Of(double.NaN));
        Assert.Equal(5, sim.Weight("api:2"));
        var told = Assert.Single(Events(sim, "BaselineTooFew"));
        Assert.Contains("buffer", told.Message, StringComparison.Ordinal);
        Assert.Contains("0/0", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Source_that_is_down_keeps_the_first_weight_away()
    {
        var sim = Rolling(static _ => { }, static s => s.Metrics.Set("errors", "api:1", static () => new MetricAnswer(AnswerKind.Error, Message: "refused")));
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Theory]
    [InlineData(false, null, null, "", "the source has no series buffer; if stable cannot have it")]
    [InlineData(true, false, null, "", "no series buffer with service=\"assistant-api-")]
    [InlineData(true, true, false, "", "the window 1m holds less than two samples")]
    [InlineData(true, true, true, "code", "has the label code that the query filters by")]
    public void Silence_is_explained_by_what_the_source_says(bool name, bool? series, bool? samples, string label, string said)
    {
        var sim = Rolling(static s => s.Metric("{name: buffer, query: 'buffer{service=\"$(service)\",code=~\"5..\"}[$(window)]', limit: {max: '1'}}"), sim =>
        {
            sim.Metrics.Set("buffer", "api:1", static () => s_silent);
            sim.Metrics.Find = probe => new() { Probe = probe, HasName = name, HasSeries = series, HasTwoSamples = samples, MissingLabels = label.Length > 0 ? [label] : [] };
        });
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Contains(said, sim.Message, StringComparison.Ordinal);
        Assert.Contains(said, Metric(sim, "buffer").Message, StringComparison.Ordinal);
        Assert.Contains(said, Assert.Single(Events(sim, "BaselineNoData")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("> 0.02", true)]
    [InlineData(">= bool 0.02", false)]
    [InlineData("* 2", false)]
    public void Query_that_compares_is_named_where_it_is_silent(string what, bool named)
    {
        var sim = Rolling(s => s.Metric($"{{name: buffer, query: 'buffer{{service=\"$(service)\",code!=\"\"}} {what}', limit: {{max: 2%}}}}"),
            static sim => sim.Metrics.Set("buffer", "api:1", static () => s_silent));
        Assert.Equal(named, sim.Message.Contains("compares (> 0.02)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{max: 500ms}", 214, "428 times the limit: times are compared in seconds; does the query answer milliseconds?")]
    [InlineData("{max: 2%}", 3, "150 times the limit: shares are compared as 0 to 1; does the query answer percent?")]
    [InlineData("{max: 2%}", 0.03, "3% is above max 2%")]
    [InlineData("{min: '10'}", 3, "3 is below min 10")]
    public void Stable_beyond_its_own_limit_is_told_once_and_does_not_block_the_release_that_mends_it(string limit, double value, string said)
    {
        var n = 0;
        // Another metric keeps the baseline open for a while, and the value moves meanwhile.
        var sim = Rolling(s => s.Put("sla.metrics[0].limit", limit).Metric("{name: late, query: 'late{service=\"$(service)\"}', limit: {max: '1'}}"), s =>
        {
            s.Metrics.Set("errors", "api:1", () => MetricAnswer.Of(n++ == 0 ? value : value * 0.99));
            s.Metrics.Set("late", "api:1", static () => s_silent);
            s.Metrics.Set("errors", "api:2", limit.Contains("min", StringComparison.Ordinal) ? 20 : 0.001);
        });
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Contains(said, Assert.Single(Events(sim, "BaselineBreach")).Message, StringComparison.Ordinal);
        Assert.Contains("stable itself is beyond the limit", Metric(sim, "errors").Message, StringComparison.Ordinal);
        sim.Metrics.Set("late", "api:1", 0.5);
        sim.Run(s_minutes);
        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Equal("Pass", Metric(sim, "errors").Verdict);
        Assert.Single(Events(sim, "BaselineBreach"));
    }
}
