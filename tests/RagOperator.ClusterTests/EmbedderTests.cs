using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests;

/// <summary>A release in which one component changes: what stands above it is new, everything else is shared.</summary>
public sealed class EmbedderTests
{
    [SkippableFact]
    public async Task A_new_embedder_renews_embedder_and_api_and_leaves_the_reranker_alone()
    {
        await using var space = await TestSpace.CreateAsync("embedder");
        var service = space.Service() with
        {
            // Of a component that both releases share, a metric says nothing about the new one: shown, never judged, however bad it is.
            Metrics = ["{name: reranker-load, component: reranker, query: 'vector(99)', window: 2s, limit: {max: '1'}, failAfter: 1}"],
            Steps = ["{name: half, weight: 50, hold: 4s}", "{name: full, weight: 100, hold: 1s}"],
        };
        var first = await space.InstallAsync(service);
        var reranker = await space.PodsAsync("reranker");
        var embedder = await space.PodsAsync("embedder");

        await space.ApplyAsync(service with { Embedder = "1.1" });
        var midway = await space.UntilAsync(s => s is { Weight: 50, Step.State: "Holding" } && s.Sla?.Any(m => m.Verdict is not null) == true, TestSpace.Patience, "the half, with a look at the metric");
        Assert.Equal([("api", null), ("embedder", null), ("reranker", true)], midway.Components!.Select(c => (c.Name, c.Shared)).Order());
        Assert.Equal(TestSpace.Revision(first, "reranker"), TestSpace.Revision(midway, "reranker"));
        Assert.NotEqual(TestSpace.Revision(first, "embedder"), TestSpace.Revision(midway, "embedder"));
        Assert.NotEqual(TestSpace.Revision(first), TestSpace.Revision(midway));
        Assert.Equal("Reported", midway.Sla!.Single().Verdict);
        Assert.Equal(2, (await space.PodsAsync("embedder")).Count);

        var promoted = await space.UntilAsync(s => s is { Phase: "Healthy", Retiring: null }, TestSpace.Patience, "promoted and the old pods retired");
        Assert.Equal(reranker, await space.PodsAsync("reranker"));
        await space.UntilAsync(async () => (await space.PodsAsync("embedder")).Count == 1 && (await space.PodsAsync("api")).Count == 1, TestSpace.Patience, "one pod of each");
        Assert.Empty((await space.PodsAsync("embedder")).Intersect(embedder));
        Assert.Equal(2, promoted.Release);
        Assert.DoesNotContain(promoted.History!, h => h.Outcome == "RolledBack");
    }
}
