using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;
using RagOperator.Tests.Shared.Mutations;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Each field that acts only later does what <see cref="LateFields"/> says: what follows from it follows as much later as its value is greater.</summary>
public sealed class LateFieldTests
{
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(31); // a look each 30 s

    private static readonly Dictionary<string, Action> s_plays = new(StringComparer.Ordinal)
    {
        ["rollout.progressDeadline"] = static () => Later("rollout.progressDeadline", "5m", "45m", static sim =>
        {
            sim.Cluster.Fail("api:2");
            Release(sim).Until(static s => s.Status.Rollback is not null);
            return sim.Status.Rollback!.DecidedAt!.Value - sim.Status.History![0].StartedAt!.Value;
        }),
        ["components[].progressDeadline"] = static () => Later("components[1].progressDeadline", "5m", "45m", static sim =>
        {
            sim.Cluster.Fail("api:2");
            Release(sim).Until(static s => s.Status.Rollback is not null);
            return sim.Status.Rollback!.DecidedAt!.Value - sim.Status.History![0].StartedAt!.Value;
        }),
        ["traffic.settle"] = static () => Later("traffic.settle", "1m", "9m", static sim =>
        {
            sim.Cluster.GatewayIsUndated = true;
            Release(sim).Until(static s => s.Weight("api:2") == 5);
            var since = sim.Now;
            sim.UntilStep("canary", StepStates.Holding);
            return sim.Now - since;
        }),
        ["rollout.retireDelay"] = static () => Later("rollout.retireDelay", "30s", "50m", static sim =>
        {
            Release(sim).Until(static s => s.Status.History![0].Outcome == "Promoted").Until(static s => s.Pods("api:1") == 0);
            return sim.Now - sim.Status.History![0].FinishedAt!.Value;
        }),
        ["rollout.steps[].hold"] = static () => Later("rollout.steps[1].hold", "10m", "70m", static sim =>
        {
            Release(sim).UntilStep("ten", StepStates.Holding);
            var since = sim.Now;
            sim.UntilStep("half");
            return sim.Now - since;
        }),
        ["rollout.steps[].flags"] = static () =>
        {
            var sim = Installed(static s => s.Flag("bandit", false).Put("rollout.steps[2].flags", "[bandit]"));
            sim.Edit(static s => s.Flag("bandit", true).Image("api", "api:2")).UntilStep("ten", StepStates.Holding);
            Assert.Equal("", sim.Flags("api:2"));
            sim.UntilStep("half", StepStates.Holding).Run(TimeSpan.FromSeconds(1));
            Assert.Equal("bandit", sim.Flags("api:2"));
        },
        ["rollback.keepFailedPods"] = static () => Later("rollback.keepFailedPods", "10m", "90m", static sim =>
        {
            sim.Metrics.Set("errors", "api:2", 0.5);
            Release(sim).Until(static s => s.Status.Rollback?.VerifiedAt is not null);
            var since = sim.Now;
            sim.Until(static s => s.Pods("api:2") == 0, TimeSpan.FromDays(1));
            return sim.Now - since;
        }),
        ["rollback.undoWindow"] = static () =>
        {
            Assert.True(IsUndone("2h", after: TimeSpan.FromHours(1)));
            Assert.False(IsUndone("30m", after: TimeSpan.FromHours(1)));
        },
        ["sla.interval"] = static () => Later("sla.interval", "10s", "5m", static sim =>
        {
            Release(sim).UntilStep("canary", StepStates.Holding).Run(TimeSpan.FromMinutes(9));
            var times = sim.Metrics.Asked.Select(static a => a.At).Distinct().TakeLast(2).ToList();
            return times[1] - times[0];
        }),
        ["sla.warmUp"] = static () => Later("sla.warmUp", "0s", "40m", static sim =>
        {
            Release(sim).UntilStep("canary", StepStates.Holding).Until(static s => s.Status.Sla![0].Verdict is not null);
            return sim.Now - sim.Status.Attempt!.FirstWeightAt!.Value;
        }),
        ["sla.noDataTimeout"] = static () => Later("sla.noDataTimeout", "5m", "85m", static sim =>
        {
            Release(sim).UntilStep("canary", StepStates.Holding).Until(static s => s.Status.Sla![0].Verdict == "Pass");
            var since = sim.Now;
            sim.Metrics.Everything = new MetricAnswer(AnswerKind.NoData, Message: "nothing");
            sim.Until(static s => s.Phase == Phases.Suspended);
            return sim.Now - since;
        }),
        ["sla.volume.min"] = static () =>
        {
            // 50 requests a second, of which the canary's 5 % are 150 in a minute.
            Assert.Equal("Pass", VerdictWith(static s => s.Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 100}")));
            Assert.Equal("TooFew", VerdictWith(static s => s.Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 200}")));
        },
        ["sla.metrics[].window"] = static () => Later("sla.metrics[0].window", "2m", "62m", static sim =>
        {
            sim.Metrics.Set("errors", "api:2", 0.5);
            Release(sim).Until(static s => s.Status.Sla?[0].Verdict == "Breach");
            var since = sim.Now;
            sim.Until(static s => s.Status.Rollback is not null);
            return sim.Now - since;
        }),
        ["sla.metrics[].onBreach"] = static () =>
        {
            Assert.Equal("Degraded", PhaseInBreach("Rollback"));
            Assert.Equal("Suspended", PhaseInBreach("Hold"));
            Assert.Equal("Healthy", PhaseInBreach("Report"));
        },
    };

    public static TheoryData<string> Fields => [.. LateFields.All.Keys];

    [Theory]
    [MemberData(nameof(Fields))]
    public void Field_acts_when_its_time_comes(string field)
    {
        Assert.True(s_plays.TryGetValue(field, out var play), $"{field} is said to act later ({LateFields.All[field]}), and nothing here plays that");
        play();
    }

    /// <summary>Plays the same with a small value and a great one: the effect comes as much later as the one is greater.</summary>
    private static void Later(string path, string small, string great, Func<Sim, TimeSpan> timeOf)
    {
        var (early, late) = (timeOf(Installed(s => s.Put(path, small))), timeOf(Installed(s => s.Put(path, great))));
        var difference = Parse(great) - Parse(small);
        Assert.InRange(late - early, difference - s_tolerance, difference + s_tolerance);
    }

    private static Sim Installed(Action<SpecText> edit)
    {
        var sim = new Sim().UntilHealthy();
        return sim.Edit(edit).UntilHealthy();
    }

    private static Sim Release(Sim sim) => sim.Edit(static s => s.Image("api", "api:2"));

    private static bool IsUndone(string window, TimeSpan after)
    {
        var sim = Release(Installed(s => s.Put("rollback.undoWindow", window))).UntilHealthy().Run(after);
        sim.Edit(static s => s.Image("api", "api:1")).Until(static s => s.Status.Step is not null);
        return sim.StepName == "full";
    }

    private static string? VerdictWith(Action<SpecText> edit) =>
        Release(Installed(edit)).UntilStep("canary", StepStates.Holding).Until(static s => s.Status.Sla![0].Verdict is not null).Status.Sla![0].Verdict;

    private static string? PhaseInBreach(string onBreach)
    {
        var sim = Installed(s => s.Put("sla.metrics[0].onBreach", onBreach));
        sim.Metrics.Set("errors", "api:2", 0.5);
        return Release(sim).Run(TimeSpan.FromHours(3)).Phase;
    }

    private static TimeSpan Parse(string duration) =>
        duration[^1] == 's' ? TimeSpan.FromSeconds(int.Parse(duration[..^1], System.Globalization.CultureInfo.InvariantCulture)) : TimeSpan.FromMinutes(int.Parse(duration[..^1], System.Globalization.CultureInfo.InvariantCulture));
}
