using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Metrics;

/// <summary>Silence for longer than <c>noDataTimeout</c>: said, never taken for a verdict, forgotten with the first answer.</summary>
public sealed class SilentSourceTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_spec = new() { NoDataTimeout = "5s" };

    [SkippableTheory]
    [InlineData("few", true)]
    [InlineData("half", false)]
    [InlineData("full", true)]
    public Task Metric_silent_beyond_noDataTimeout_suspends_and_clears_itself(string step, bool empty) => FaultTable.CaseAsync($"metrics/silence at {step}", async () =>
    {
        var bed = await FaultBed.SharedAsync();
        var troubles = await Lab.InSlotAsync(async () =>
        {
            await using var world = await FaultWorld.CreateAsync(bed, "silent", []);
            return await RunAsync(world, step, empty);
        });
        Assert.True(troubles.Count == 0, string.Join('\n', troubles));
    });

    private async Task<IReadOnlyList<string>> RunAsync(FaultWorld world, string step, bool empty)
    {
        var index = Array.IndexOf([.. MetricCell.Steps], step);
        var spec = s_spec with { HoldOf = i => i < index ? "1s" : "10h" };
        await world.InstallAsync(spec);
        world.Proxy.Trajectory.Arm();
        await world.ApplyAsync(spec with { Api = "2" });
        var before = await world.UntilAsync(s => s.StepName == step && s is { StepState: "Holding", Verdict: "Pass" }, $"the hold of {step}");
        if (empty)
            world.Prometheus.Value = static _ => null;
        else
            await world.Prometheus.DownAsync();
        var troubles = new List<string>();
        var suspended = await world.UntilAsync(static s => s.Phase == "Suspended", "suspended after noDataTimeout");
        if (!suspended.Message.Contains("no usable answer", StringComparison.Ordinal) || suspended.Reason("Ready") != "NoData")
            troubles.Add($"it says {suspended.Reason("Ready")}: {suspended.Message}");
        // The hold is over and nobody can tell whether it was kept: for a while nothing may happen at all.
        await world.ApplyAsync(s_spec with { Api = "2" });
        await world.UntilAsync(static s => s.Phase == "Suspended", "the shorter hold is seen");
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(6) && troubles.Count == 0)
        {
            var now = await world.StatusAsync();
            if (now.Phase != "Suspended" || now.Weight != before.Weight || now.StepName != step || now.RollbackDecided || now.Failed.Length > 0)
                troubles.Add($"it moved: {now}");
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System);
        }

        world.Prometheus.Value = static _ => 0;
        await world.Prometheus.UpAsync();
        await world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false, Canary: "" }, "it went on by itself");
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        troubles.AddRange(world.ProcessTroubles());
        if (await world.StopOperatorAsync() is { } ending)
            troubles.Add(ending);
        troubles.AddRange(Invariants.Broken(world.Proxy.Trajectory.All));
        if (troubles.Count == 0)
            world.Forget();
        else
            output.WriteLine(await world.DescribeAsync());
        return troubles;
    }
}
