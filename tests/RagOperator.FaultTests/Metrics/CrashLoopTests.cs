using System.Collections.Concurrent;
using System.Globalization;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Metrics;

/// <summary>An operator that dies again and again while the canary is in breach.</summary>
public sealed class CrashLoopTests(ITestOutputHelper output)
{
    private const int Deaths = 9;
    private const int FailAfter = 3;

    // Longer than all the deaths together, so that they happen within one window; on a machine at its limit the last ones may come after the verdict.
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(60);

    private static readonly ServiceSpec s_spec = new() { Window = "60s", FailAfter = FailAfter, Hold = "10h" };

    [SkippableFact]
    public Task Metric_in_breach_seen_by_a_crash_loop_counts_each_sample_once_and_is_taken_back_in_the_end() => FaultTable.CaseAsync("metrics/crash loop", async () =>
    {
        var bed = await FaultBed.SharedAsync();
        var troubles = await Lab.InSlotAsync(async () =>
        {
            await using var world = await FaultWorld.CreateAsync(bed, "crash-loop", []);
            return await RunAsync(world);
        });
        Assert.True(troubles.Count == 0, string.Join('\n', troubles));
    }, $"{Deaths} deaths");

    private async Task<IReadOnlyList<string>> RunAsync(FaultWorld world)
    {
        await world.InstallAsync(s_spec);
        world.Proxy.Trajectory.Arm();
        // The times that the source was asked about the canary: one sample each, however often it is looked at.
        var times = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var answered = 0;
        world.Prometheus.Value = query => query.Contains(world.FirstService, StringComparison.Ordinal) ? 0 : 0.5;
        world.Prometheus.Script = (context, query) =>
        {
            if (!query.Contains(world.FirstService, StringComparison.Ordinal))
            {
                times.TryAdd(Peers.ScriptedPrometheus.TimeOf(context), true);
                context.Response.OnCompleted(() => Task.FromResult(Interlocked.Increment(ref answered)));
            }

            return Task.FromResult(false);
        };
        await world.ApplyAsync(s_spec with { Api = "2" });
        var death = 0;
        for (; death < Deaths; death++)
        {
            var (before, seen) = (answered, await world.StatusAsync());
            // It dies when the answer is on its way, or when status has what it makes of it. Once the verdict is there, nobody asks again.
            await world.UntilAsync(async () => answered > before || (await world.StatusAsync()).RollbackDecided, "another look at the source");
            if ((await world.StatusAsync()).RollbackDecided)
                break;
            if (death % 2 == 1)
                await world.UntilAsync(async () => await world.StatusAsync() is var now && (now.Streak > seen.Streak || now.Streak >= FailAfter || now.RollbackDecided), "the look in status");
            await world.Operator.RestartAsync();
        }

        var end = await world.UntilAsync(static s => s is { Phase: "Degraded", Weight: 0, IsRetiring: false } && s.Condition("RolledBack") == "True", "taken back: the breach is real");
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        List<string> troubles = [.. world.ProcessTroubles()];
        if (await world.StopOperatorAsync() is { } ending)
            troubles.Add(ending);
        troubles.AddRange(Invariants.Broken(world.Proxy.Trajectory.All));
        troubles.AddRange(Counted(world, [.. times.Keys]));
        if (death < FailAfter)
            troubles.Add($"the verdict was there after {death} deaths: that is no crash loop");
        if (end.RollbackCause != "SlaBreach")
            troubles.Add($"taken back for {end.RollbackCause}");
        if (troubles.Count == 0)
            world.Forget();
        else
            output.WriteLine(await world.DescribeAsync());
        return troubles;
    }

    /// <summary>Holds each persisted status against what the source was asked.</summary>
    private static IEnumerable<string> Counted(FaultWorld world, IReadOnlyCollection<string> times)
    {
        var asked = times.Select(static t => DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Round(decimal.Parse(t, CultureInfo.InvariantCulture) * 1000))).ToHashSet();
        var (streak, evaluated) = (0, (DateTimeOffset?)null);
        foreach (var deed in world.Proxy.Trajectory.All.Where(static d => d.Accepted && d.Call.Resource == "ragdeployments/status").OrderBy(static d => d.Ended))
        {
            var status = new StatusView(deed.Answer);
            if (status.Streak == 0)
                continue;
            var (first, last) = (Time(status, "breachedAt"), Time(status, "evaluatedAt"));
            if (!asked.Contains(last))
                yield return $"a sample of {last:O}, of which nobody was asked: {deed}";
            if (status.Streak > asked.Count(t => t >= first && t <= last))
                yield return $"a streak of {status.Streak} from {asked.Count(t => t >= first && t <= last)} samples: {deed}";
            if (status.Streak > streak && last == evaluated)
                yield return $"the sample of {last:O} counts again: {deed}";
            if (status.RollbackDecided && (status.Streak < FailAfter || last - first < s_window))
                yield return $"taken back after {status.Streak} in {last - first}: {deed}";
            (streak, evaluated) = (status.Streak, last);
        }

        if (streak < FailAfter)
            yield return $"the last streak is {streak}";
    }

    private static DateTimeOffset Time(StatusView status, string name) => status.Metric(name)!.Value.GetDateTimeOffset();
}
