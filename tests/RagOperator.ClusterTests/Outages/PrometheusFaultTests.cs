using RagOperator.Api.Values;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed.Faults;

namespace RagOperator.ClusterTests.Outages;

/// <summary>The real Prometheus dies, hangs with its connections open, or is started anew, while a step is held.</summary>
public sealed class PrometheusFaultTests
{
    // SIGKILL: connections are reset, new ones refused.
    private const string Killed = "killed";

    // SIGSTOP: connections are taken, and nothing answers.
    private const string Paused = "paused";

    // Stopped and started at once.
    private const string Restarted = "restarted";

    [SkippableTheory]
    [InlineData(Killed)]
    [InlineData(Paused)]
    [InlineData(Restarted)]
    public Task Prometheus_that_fails_neither_raises_nor_takes_back_and_the_rollout_goes_on_afterwards(string trouble) =>
        FaultTable.CaseAsync($"prometheus/{trouble}", () => PlayAsync(trouble));

    private static async Task PlayAsync(string trouble)
    {
        await using var space = await TestSpace.CreateWithPrometheusAsync($"prometheus-{trouble}");
        await space.InstallAsync(space.Service());
        await using var load = space.StartLoad(20);
        var service = space.Service() with
        {
            Api = "1.1",
            Steps = ["{name: half, weight: 50, hold: 10h}", "{name: full, weight: 100, hold: 1s}"],
            Metrics = [RagService.ErrorRate],
            Sla = ["interval: 1s"],
        };
        await space.ApplyAsync(service);
        var running = await space.UntilAsync(s => s.Step is { Name: "half", HoldUntil: not null }, TestSpace.Patience, "the clock of half runs");
        var canary = running.CanaryRevision;

        if (trouble == Restarted)
        {
            await space.Prometheus.RestartAsync();
        }
        else
        {
            await (trouble == Killed ? space.Prometheus.KillAsync() : space.Prometheus.PauseAsync());
            try
            {
                var silent = await space.UntilAsync(s => s is { Step.HoldUntil: null } && s.Sla![0] is { Verdict: "Error" }, TimeSpan.FromSeconds(60), "the outage is told");
                Assert.Contains("cannot be asked", silent.Message, StringComparison.Ordinal);
                var stopped = Held(silent.Step!.HeldFor);
                // A hold that is over does not end the step either: nobody knows whether it was kept.
                await space.ApplyAsync(service with { Steps = ["{name: half, weight: 50, hold: 1s}", "{name: full, weight: 100, hold: 1s}"] });
                await space.StaysAsync(
                    async () => await space.StatusAsync() is { FailedRevision: null, Rollback: null, Weight: 50, Step: { Name: "half", HoldUntil: null } step } now
                        && now.CanaryRevision == canary && now.Sla![0].Streak == 0 && Held(step.HeldFor) == stopped,
                    TimeSpan.FromSeconds(25));
            }
            finally
            {
                await (trouble == Killed ? space.Prometheus.StartAsync() : space.Prometheus.ResumeAsync());
            }
        }

        await space.ApplyAsync(service with { Steps = ["{name: half, weight: 50, hold: 5s}", "{name: full, weight: 100, hold: 1s}"] });
        var done = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "it went on by itself");
        Assert.Equal((canary, "Promoted"), (done.StableRevision, done.History![0].Outcome));
        Assert.Null(done.Rollback);
        Assert.Equal(0, (await load.StopAsync()).Lost);
    }

    private static TimeSpan Held(string? text) => RagDuration.TryParse(text, out var held) ? held : TimeSpan.Zero;
}
