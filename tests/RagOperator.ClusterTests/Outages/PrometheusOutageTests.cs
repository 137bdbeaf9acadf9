using RagOperator.Api.Values;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed.Faults;

namespace RagOperator.ClusterTests.Outages;

/// <summary>The metric source itself is away.</summary>
public sealed class PrometheusOutageTests
{
    [SkippableFact]
    public Task Prometheus_stopped_stops_the_clock_and_nothing_else_until_it_is_back() => FaultTable.CaseAsync("prometheus/stopped", PlayAsync, "for two minutes");

    private static async Task PlayAsync()
    {
        await using var space = await TestSpace.CreateWithPrometheusAsync("outage");
        await space.InstallAsync(space.Service());
        await using var load = space.StartLoad(20);
        await space.ApplyAsync(space.Service() with
        {
            Api = "1.1",
            Steps = ["{name: half, weight: 50, hold: 20s}", "{name: full, weight: 100, hold: 1s}"],
            Metrics = [RagService.ErrorRate],
            Sla = ["interval: 1s", "noDataTimeout: 15s"],
        });
        var held = await space.UntilAsync(s => s.Step is { Name: "half", HeldFor: not null and not "0s" }, TestSpace.Patience, "the clock of half runs");
        var canary = held.CanaryRevision;

        await space.Prometheus.StopAsync();
        try
        {
            var silent = await space.UntilAsync(s => s.Sla![0] is { Verdict: "Error", Errors: > 0 }, TimeSpan.FromSeconds(20), "the outage is told");
            Assert.Contains("cannot be asked", silent.Message, StringComparison.Ordinal);
            Assert.Equal((0, 0), (silent.Sla![0].TooFew, silent.Sla[0].Streak));
            var stopped = Held(silent.Step!.HeldFor);
            await space.StaysAsync(
                async () => await space.StatusAsync() is { FailedRevision: null, Weight: 50, Step: { Name: "half" } step } now && now.CanaryRevision == canary && Held(step.HeldFor) == stopped,
                TimeSpan.FromSeconds(110));
            var waiting = await space.UntilAsync(s => s.Phase == "Suspended", TimeSpan.FromSeconds(10), "suspended after noDataTimeout");
            Assert.Contains("nothing is rolled back for that", waiting.Message, StringComparison.Ordinal);
        }
        finally
        {
            await space.Prometheus.StartAsync();
        }

        var done = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "it went on by itself");
        Assert.Equal((canary, "Promoted"), (done.StableRevision, done.History![0].Outcome));
        Assert.Equal(0, (await load.StopAsync()).Lost);
    }

    private static TimeSpan Held(string? text) => RagDuration.TryParse(text, out var held) ? held : TimeSpan.Zero;
}
