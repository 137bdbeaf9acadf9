using System.Globalization;
using RagOperator.Api.V1Alpha1;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests;

/// <summary>A release that fails 5% of its requests: taken back in time, held, tried again, ended.</summary>
[Collection(AloneCollection.Name)]
public sealed class ErrorRollbackTests
{
    [SkippableFact]
    public async Task Errors_beyond_the_limit_take_the_release_back_and_hold_it()
    {
        await using var space = await TestSpace.CreateAsync("errors");
        var good = space.Service() with
        {
            Replicas = 2,
            Flags = Flags(replay: false),
            Steps = ["{name: most, weight: 60, hold: 5m, flags: [experience-replay]}", "{name: full, weight: 100, hold: 1s}"],
            Metrics = [RagService.ErrorRate],
            KeepFailedPods = "15s",
        };
        var bad = good with { Api = "1.2-err5", Flags = Flags(replay: true) };
        await space.Bed.ScrapeAsync(space.Namespace, space.Port);
        var installed = await space.InstallAsync(good);
        await using var load = space.StartLoad(30);
        await space.UntilAsync(() => Task.FromResult(load.Result.Samples.Count >= 180), TimeSpan.FromSeconds(30), "a load long enough for stable's metrics");

        await space.ApplyAsync(bad);
        var canary = await space.UntilAsync(s => s is { Weight: 60, Step.State: "Holding" }, TestSpace.Patience, "60% verified");
        var revision = TestSpace.Revision(canary);
        var service = $"assistant-api-{revision}";
        await space.UntilAsync(async () => (await space.FlagFileAsync("api", revision)).Flags["experience-replay"], TimeSpan.FromSeconds(5), "the step's flag is on");
        Assert.Equal(2, (await space.PodsAsync("api", revision)).Count);

        var failed = await space.UntilAsync(s => s.Phase == "Degraded", TestSpace.Patience, "rolled back");
        var mark = space.Bed.Gateway.Mark();
        await CheckTimelinessAsync(space, failed.Rollback!, service, revision);
        await CheckStoryAsync(space, installed, failed, canary.CanaryRevision!, service);
        await space.UntilAsync(async () => (await space.PodsAsync("api", revision)).Count == 1, TimeSpan.FromSeconds(10), "one pod of the failed component is kept");
        var kept = await space.PodsAsync("api", revision);
        await Dashboard.ShowsAsync(space, static title => title is "Flags" or "Rollback reaction" or "Rollouts by outcome");

        // Held: neither a restart nor an edit that changes nothing brings it back.
        var generation = Generation(await space.RouteAsync());
        await space.Operator.RestartAsync();
        await space.ApplyAsync(bad with { Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["team"] = "search" } });
        await space.StaysAsync(async () => await space.StatusAsync() is { Phase: "Degraded", CanaryRevision: null }, TimeSpan.FromSeconds(6), "held through a restart and a label");
        Assert.Equal(generation, Generation(await space.RouteAsync()));
        await space.UntilAsync(async () => (await space.PodsAsync("api", revision)).Count == 0, TimeSpan.FromSeconds(30), "the kept pod goes after keepFailedPods");
        Assert.Single(kept);
        Assert.Equal(0, space.Counts(mark).Share(name => name == space.GatewayService(service)));

        await space.RequestAsync("retry/current");
        await space.UntilAsync(s => s is { Weight: 60, Step.State: "Holding" } && s.CanaryRevision == canary.CanaryRevision, TestSpace.Patience, "tried again");
        var again = await space.UntilAsync(s => s.Phase == "Degraded", TestSpace.Patience, "rolled back again");
        Assert.True(again.Rollback!.DecidedAt > failed.Rollback!.DecidedAt);
        Assert.Equal(2, again.History!.Count(h => h.Outcome == "RolledBack"));

        await space.ApplyAsync(good);
        var ended = await space.UntilAsync(s => s.Phase == "Healthy", TimeSpan.FromSeconds(10), "a spec equal to stable ends the hold");
        Assert.Equal((installed.StableRevision, null, null), (ended.StableRevision, ended.CanaryRevision, ended.FailedRevision));

        await space.ApplyAsync(good with { Api = "1.1" });
        await space.UntilAsync(s => s.CanaryRevision is not null && s.Release == 3, TimeSpan.FromSeconds(10), "another release begins");

        var result = await load.StopAsync();
        await space.CheckAsync(result.Lost == 0 && result.Counts.Keys.All(key => key is "200" or "500"), $"a request was lost: {result}");
    }

    private static async Task CheckTimelinessAsync(TestSpace space, RollbackStatus rollback, string service, string revision)
    {
        // The answer may reach the audit log a moment after the client.
        AcceptedWrite? zero = null;
        await space.UntilAsync(() =>
        {
            zero = space.Writes().FirstOrDefault(w => w.Resource == "httproutes" && w.At >= rollback.SampleAt && w.WeightOf(service) == 0);
            return Task.FromResult(zero is not null);
        }, TimeSpan.FromSeconds(5), "weight 0 in the audit log");
        await space.CheckAsync(zero!.At - rollback.SampleAt <= TimeSpan.FromSeconds(2),
            $"weight 0 was accepted {(zero.At - rollback.SampleAt)!.Value.TotalSeconds:0.00} s after the deciding sample, decided {(rollback.DecidedAt - rollback.SampleAt)!.Value.TotalSeconds:0.00} s after it");
        var flags = space.Writes().First(w => w.Resource == "configmaps" && w.Name == $"assistant-api-{revision}-flags" && w.At >= rollback.SampleAt);
        Assert.Contains("FEATURE_EXPERIENCE_REPLAY=false", flags.Object.GetProperty("data").GetProperty("flags.env").GetString(), StringComparison.Ordinal);
        await space.CheckAsync((flags.At - zero.At).Duration() < TimeSpan.FromSeconds(1), $"flags went off {flags.At - zero.At} after the weight");
    }

    private static async Task CheckStoryAsync(TestSpace space, RagDeploymentStatus installed, RagDeploymentStatus failed, string release, string service)
    {
        Assert.Equal((installed.StableRevision, null, release, 0), (failed.StableRevision, failed.CanaryRevision, failed.FailedRevision, failed.Weight));
        Assert.Equal(("SlaBreach", "most", release), (failed.Rollback!.Cause, failed.Rollback.Step, failed.Rollback.Release));
        Assert.Equal("False", Condition("Promoted").Status);
        Assert.Equal("True", Condition("RolledBack").Status);
        Assert.Equal(("True", "RolledBack"), (Condition("Stalled").Status, Condition("Stalled").Reason));
        Assert.Equal("True", Condition("Available").Status);
        Assert.Equal("False", Condition("SlaMet").Status);
        Assert.False(failed.Flags!.Single(f => f.Name == "experience-replay").Stable);

        var entry = failed.History![0];
        Assert.Equal(("RolledBack", "SlaBreach", "most", 2L), (entry.Outcome, entry.Reason, entry.Step, entry.Release));
        Assert.Contains($"service=\"{service}\"", entry.Query, StringComparison.Ordinal);
        Assert.True(entry.Values!.Count >= 3, "each of failAfter values is told");
        Assert.All(entry.Values!, value => Assert.InRange(double.Parse(value, CultureInfo.InvariantCulture), 0.01, 1));
        var events = await space.EventsAsync();
        Assert.Contains(events, e => e.Reason == "RollbackStarted" && e.Note.Contains("error-rate", StringComparison.Ordinal) && e.Note.Contains("is above max 1%", StringComparison.Ordinal));
        Assert.Contains(events, e => e.Reason == "RolledBack");

        RagOperator.Abstractions.Models.V1Condition Condition(string type) => failed.Conditions!.Single(c => c.Type == type);
    }

    private static long Generation(System.Text.Json.JsonElement item) => item.GetProperty("metadata").GetProperty("generation").GetInt64();

    private static Dictionary<string, bool> Flags(bool replay) => new(StringComparer.Ordinal) { ["experience-replay"] = replay };
}
