using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests;

/// <summary>Back to what was stable not long ago.</summary>
public sealed class UndoTests
{
    [SkippableFact]
    public async Task An_old_release_comes_back_without_steps_within_undoWindow()
    {
        await using var space = await TestSpace.CreateAsync("undo");
        var service = space.Service();
        var first = await space.InstallAsync(service);
        await space.ApplyAsync(service with { Api = "1.1" });
        var second = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "the second release is promoted");
        var old = $"assistant-api-{TestSpace.Revision(first)}";
        await space.UntilAsync(async () => (await space.PodsAsync("api", TestSpace.Revision(first))).Count == 0, TestSpace.Patience, "the first one's pods are gone");

        await using var load = space.StartLoad(10);
        var before = space.Writes().Count;
        await space.ApplyAsync(service);
        var back = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "the first release is back");
        Assert.Equal((first.StableRevision, first.Release), (back.StableRevision, back.Release));
        var weights = space.Writes().Skip(before).Where(w => w.Resource == "httproutes").Select(w => w.WeightOf(old)).Distinct().ToList();
        await space.CheckAsync(weights.TrueForAll(weight => weight is 0 or 100), $"steps were walked: {string.Join(", ", weights)}");
        Assert.Contains(await space.EventsAsync(), e => e.Reason == "GoingBack");
        Assert.Contains("\"tag\":\"1.0\"", (await space.AskAsync()).Body, StringComparison.Ordinal);
        await space.UntilAsync(async () => (await space.PodsAsync("api", TestSpace.Revision(second))).Count == 0, TestSpace.Patience, "what it replaced goes");
        var result = await load.StopAsync();
        await space.CheckAsync(result.Counts.Keys.All(key => key == "200"), $"a request failed: {result}");
    }

    [SkippableFact]
    public async Task An_old_release_walks_the_steps_once_undoWindow_is_over()
    {
        await using var space = await TestSpace.CreateAsync("undo-late");
        var service = space.Service() with { UndoWindow = "1s" };
        await space.InstallAsync(service);
        await space.ApplyAsync(service with { Api = "1.1" });
        await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "the second release is promoted");
        await space.UntilAsync(s => s.Retiring is null, TestSpace.Patience, "and the first one retired, after more than a second");
        await space.ApplyAsync(service);
        await space.UntilAsync(s => s is { Weight: 50, Step.Name: "half" }, TestSpace.Patience, "the first step's weight");
    }
}
