using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests;

/// <summary>A good release, from its apply to the end of the old one's pods, under load.</summary>
public sealed class RolloutTests
{
    [SkippableFact]
    public async Task Apply_of_a_good_release_moves_the_traffic_step_by_step_and_loses_no_request()
    {
        await using var space = await TestSpace.CreateAsync("rollout");
        var service = space.Service() with
        {
            Steps =
            [
                // Approved once enough requests were counted: a busy machine may take longer for them than any short hold.
                "{name: canary, weight: 5, hold: 2s, approval: Required}", "{name: replay, weight: 10, hold: 2s, approval: Required}",
                "{name: ab, weight: 50, hold: 2s, approval: Required}", "{name: full, weight: 100, hold: 2s}",
            ],
            Metrics = [RagService.ErrorRate, RagService.GenerousLatency],
        };
        await space.Bed.ScrapeAsync(space.Namespace, space.Port);
        var installed = await space.InstallAsync(service);
        var stable = installed.StableRevision;
        var oldService = $"assistant-api-{TestSpace.Revision(installed)}";

        await using var load = space.StartLoad();
        await space.UntilAsync(() => Task.FromResult(load.Result.Samples.Count >= 300), TimeSpan.FromSeconds(30), "a load long enough for stable's metrics");
        var begin = space.Bed.Gateway.Mark();
        await space.ApplyAsync(service with { Api = "1.1" });
        foreach (var weight in (int[])[5, 10, 50])
        {
            var at = await space.UntilAsync(s => s.Weight == weight && s.Step?.State is "Holding" or "Waiting", TestSpace.Patience, $"{weight}% verified");
            var canary = space.GatewayService($"assistant-api-{TestSpace.Revision(at)}");
            Assert.NotEqual(space.GatewayService(oldService), canary);
            Assert.Equal(stable, at.StableRevision);
            var mark = space.Bed.Gateway.Mark();
            await space.UntilAsync(() => Task.FromResult(space.Counts(mark).Total >= 500), TestSpace.Patience, $"500 requests at {weight}%");
            var asked = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
            await load.SettledAsync();
            var share = new GatewayCounts([.. space.Counts(mark).Requests.Where(request => request.Time - request.Seconds <= asked)]).Share(name => name == canary);
            await space.CheckAsync((await space.StatusAsync()).Weight == weight, $"{weight}% was left without approval");
            Assert.InRange(share, weight - 5.0, weight + 5.0);
            // This operator has no container, and so no limit of one.
            if (weight == 50)
                await Dashboard.ShowsAsync(space, static title => title is not ("Flags" or "Rollback reaction"), "ragoperator_memory_limit_bytes");
            await space.RequestAsync($"approve/2/{at.Step!.Name}");
        }

        var promoted = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "promoted");
        var newService = $"assistant-api-{TestSpace.Revision(promoted)}";
        Assert.NotEqual(stable, promoted.StableRevision);
        Assert.Null(promoted.CanaryRevision);
        Assert.Equal(2, promoted.Release);
        foreach (var (condition, value) in (ReadOnlySpan<(string, string)>)[("Promoted", "True"), ("Ready", "True"), ("Available", "True"), ("RolledBack", "False")])
            Assert.Equal(value, promoted.Conditions!.Single(c => c.Type == condition).Status);
        Assert.DoesNotContain(promoted.Conditions!, c => c.Type is "Stalled" or "Reconciling");

        // Clients inside the cluster follow, and the old release's pods go, under the same load.
        var entry = (await space.ListAsync("services")).Single(s => s.GetProperty("metadata").GetProperty("name").GetString() == "assistant");
        Assert.Equal(newService[^10..], entry.GetProperty("spec").GetProperty("selector").GetProperty("ragoperator.dev/revision").GetString());
        await space.UntilAsync(async () => (await space.PodsAsync("api", oldService[^10..])).Count == 0
            && (await space.ListAsync("services")).All(s => s.GetProperty("metadata").GetProperty("name").GetString() != oldService), TestSpace.Patience, "the old release's pods are gone");
        var late = space.Bed.Gateway.Mark();
        await space.UntilAsync(() => Task.FromResult(space.Counts(late).Total >= 200), TimeSpan.FromSeconds(30), "more requests after that");
        Assert.Equal(100, space.Counts(late).Share(name => name == space.GatewayService(newService)));

        var result = await load.StopAsync();
        await space.CheckAsync(result.Counts.Keys.All(key => key == "200"), $"a request failed: {result}");
        Assert.Equal(["200"], space.Counts(begin).ByStatus.Keys.Select(status => $"{status}"));

        var reasons = (await space.EventsAsync()).Select(e => e.Reason).ToList();
        string[] story = ["Installed", "RolloutStarted", "StepStarted", "WeightVerified", "Promoted", "Retired"];
        Assert.Equal(story, story.Where(reasons.Contains));
    }
}
