using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests;

/// <summary>A release whose answers take 700 ms longer.</summary>
public sealed class LatencyRollbackTests
{
    [SkippableFact]
    public async Task Latency_beyond_the_limit_takes_the_release_back_and_another_release_ends_the_hold()
    {
        await using var space = await TestSpace.CreateAsync("latency");
        var good = space.Service() with { Steps = ["{name: some, weight: 30, hold: 5m}", "{name: full, weight: 100, hold: 1s}"], Metrics = [RagService.Latency] };
        var installed = await space.InstallAsync(good);
        await using var load = space.StartLoad(10);
        await space.UntilAsync(() => Task.FromResult(load.Result.Samples.Count >= 60), TimeSpan.FromSeconds(30), "a load long enough for stable's metrics");

        await space.ApplyAsync(good with { Api = "1.2-slow" });
        var slow = $"assistant-api-{TestSpace.Revision(await space.UntilAsync(s => s.Weight == 30, TestSpace.Patience, "30% verified"))}";
        var failed = await space.UntilAsync(s => s.Phase == "Degraded", TestSpace.Patience, "rolled back");
        var mark = space.Bed.Gateway.Mark();
        Assert.Equal(("SlaBreach", "some", installed.StableRevision), (failed.Rollback!.Cause, failed.Rollback.Step, failed.StableRevision));
        Assert.Contains("latency-p95", failed.Rollback.Message, StringComparison.Ordinal);
        Assert.Contains("is above max 500ms", failed.Rollback.Message, StringComparison.Ordinal);

        await space.ApplyAsync(good with { Api = "1.3", Steps = ["{name: full, weight: 100, hold: 1s}"], Metrics = [RagService.GenerousLatency] });
        var next = await space.UntilAsync(s => s.CanaryRevision is not null, TimeSpan.FromSeconds(10), "another release begins");
        Assert.Equal((3, null), (next.Release, next.FailedRevision));
        var promoted = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "and is promoted");
        Assert.Equal(next.CanaryRevision, promoted.StableRevision);
        Assert.Equal(0, space.Counts(mark).Share(name => name == space.GatewayService(slow)));
        var result = await load.StopAsync();
        await space.CheckAsync(result.Counts.Keys.All(key => key == "200"), $"a request failed: {result}");
    }
}
