using System.Globalization;
using System.Text.Json.Nodes;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Times in status from a clock that is ahead: a former leader's, or the own before it was set back. They keep nobody from looking, and what passed
/// by them does not count as seen.</summary>
public sealed class SkewTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    private static Sim Held() => new Sim().UntilHealthy().Edit(static s => s.Image("api", "api:2")).UntilStep("half", "Holding").Run(2 * s_minute);

    /// <summary>Another process goes on with a status by a clock that was an hour ahead.</summary>
    private static Sim ByClockAhead(Sim sim)
    {
        var status = JsonNode.Parse(sim.Cluster.StatusText!)!;
        foreach (var part in (string[])["sla", "step", "attempt"]) Shift(status[part]!);
        sim.Cluster.StatusText = status.ToJsonString();
        return sim.Restart();
    }

    private static void Shift(JsonNode node)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items) Shift(item!);
        }
        else if (node is JsonObject fields)
        {
            foreach (var (name, value) in fields.ToList())
            {
                if (value is JsonValue text && text.TryGetValue<string>(out var time) && (name.EndsWith("At", StringComparison.Ordinal) || name.EndsWith("Since", StringComparison.Ordinal)))
                    fields[name] = (DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) + s_hour).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            }
        }
    }

    [Fact]
    public void Release_that_hurts_is_taken_back_by_the_next_leader()
    {
        var sim = ByClockAhead(Held());
        sim.Metrics.Set("errors", "api:2", 0.2);
        sim.Run(4 * s_minute);
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback?.Cause);
        Assert.Equal(100, sim.Weight("api:1"));
    }

    [Fact]
    public void Two_breaches_of_one_window_are_no_streak_that_lasts_a_window()
    {
        var sim = Held().Edit(static s => s.Put("sla.metrics[0].failAfter", "2").Put("sla.metrics[0].window", "5m")).Run(s_minute);
        sim.Metrics.Set("errors", "api:2", 0.2);
        sim.Run(TimeSpan.FromSeconds(31));
        Assert.Equal(1, sim.Status.Sla![0].Streak);
        ByClockAhead(sim).Run(4 * s_minute);
        Assert.True(sim.Status.Sla![0].Streak >= 2);
        Assert.Null(sim.Status.Rollback);
        sim.Run(2 * s_minute);
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback?.Cause);
    }

    [Fact]
    public void What_passed_by_that_clock_lets_nothing_rise_while_the_source_is_silent()
    {
        var sim = ByClockAhead(Held());
        sim.Metrics.Everything = new MetricAnswer(AnswerKind.Error, Message: "connection refused");
        sim.Ask("promote/current").Run(20 * s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Null(sim.Status.Rollback);
        sim.Metrics.Everything = null;
        sim.Run(5 * s_minute);
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Good_release_goes_on_after_a_window_of_this_clock()
    {
        var sim = ByClockAhead(Held());
        sim.Run(15 * s_minute);
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Clock_that_is_set_back_makes_no_streak_of_one_answer()
    {
        var sim = Held();
        sim.Metrics.Set("errors", "api:2", 0.2);
        sim.Run(TimeSpan.FromSeconds(31));
        Assert.Equal(1, sim.Status.Sla![0].Streak);

        var answer = sim.Metrics.Samples["errors"];
        ByClockAhead(sim).Metrics.Keep(answer with { At = answer.At + s_hour });
        sim.Metrics.Everything = new MetricAnswer(AnswerKind.Error, Message: "connection refused");
        sim.Run(10 * s_minute);
        Assert.Equal(1, sim.Status.Sla![0].Streak);
        Assert.Null(sim.Status.Rollback);

        sim.Metrics.Everything = null;
        sim.Run(3 * s_minute);
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback?.Cause);
    }
}
