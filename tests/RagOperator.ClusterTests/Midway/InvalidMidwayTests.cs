using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Midway;

/// <summary>A spec that is refused in the middle of a rollout.</summary>
public sealed class InvalidMidwayTests(InvalidMidwayTests.Shared shared) : IClassFixture<InvalidMidwayTests.Shared>
{
    private TestSpace Space => shared.Space;

    [SkippableFact]
    public async Task Nothing_rises_a_disabled_flag_goes_off_and_a_bad_canary_is_still_taken_back()
    {
        var stable = (await Space.StatusAsync()).StableRevision!;
        // Half of its requests fail, which nobody may hold against it before the warm-up is over.
        var bad = shared.Base with
        {
            Api = "1.2-err50",
            Steps = ["{name: ten, weight: 10, hold: 30s}", "{name: full, weight: 100, hold: 1h}"],
            Metrics = [RagService.ErrorRate],
            Sla = ["interval: 1s", "warmUp: 20s"],
        };
        await using var load = Space.StartLoad(30);
        await Space.ApplyAsync(bad);
        var holding = await Space.UntilHoldingAsync("ten", 10);
        var canary = holding.CanaryRevision!;
        var (stableEntry, canaryEntry) = (await Space.EntryOfAsync(stable), await Space.EntryOfAsync(canary));
        Assert.Equal("true", await FlagAsync(stableEntry));
        Assert.Equal("true", await FlagAsync(canaryEntry));

        await Space.ApplyAsync(bad with
        {
            Steps = ["{name: ten, weight: 10, hold: 1s}", "{name: five, weight: 5, hold: 1s}", "{name: full, weight: 100, hold: 1h}"],
            Flags = new Dictionary<string, bool>(StringComparer.Ordinal) { ["experience-replay"] = false },
        });

        var refused = await Space.UntilAsync(s => s.ConditionOf("Stalled").Reason == "InvalidSpec", TimeSpan.FromSeconds(10), "the spec is refused");
        Assert.Contains("spec.rollout.steps[1].weight", refused.Message, StringComparison.Ordinal);
        Assert.Equal((canary, 10, "ten"), (refused.CanaryRevision, refused.Weight, refused.Step!.Name));
        Assert.Equal("True", refused.ConditionOf("Available").Status);
        await Space.UntilAsync(async () => await FlagAsync(stableEntry) == "false" && await FlagAsync(canaryEntry) == "false", TimeSpan.FromSeconds(5), "the disabled flag is off for both");

        var failed = await Space.UntilAsync(s => s.FailedRevision == canary, TimeSpan.FromSeconds(60), "judging went on and took the canary back");
        Assert.Equal("SlaBreach", failed.Rollback!.Cause);
        await Space.UntilAsync(async () => await Space.WeightsAsync() is { Count: 1 } weights && weights[stableEntry] == 100, TimeSpan.FromSeconds(15), "stable alone is on the route");
        Assert.DoesNotContain(Space.Writes(), w => w.Resource == "httproutes" && w.WeightOf(canaryEntry) > 10);
        var after = await Space.StatusAsync();
        Assert.Equal(("True", "InvalidSpec"), (after.ConditionOf("Stalled").Status, after.ConditionOf("Stalled").Reason));
    }

    private async Task<string> FlagAsync(string entry)
    {
        var map = await Space.Api.GetAsync($"/api/v1/namespaces/{Space.Namespace}/configmaps/{entry}-flags");
        var line = map!.Value.GetProperty("data").Text("flags.env").Split('\n').Single(l => l.StartsWith("FEATURE_EXPERIENCE_REPLAY=", StringComparison.Ordinal));
        return line.Split('=')[1];
    }

    public sealed class Shared() : InstalledSpace("invalid-midway")
    {
        public override RagService Base => Space.Service() with { Flags = new Dictionary<string, bool>(StringComparer.Ordinal) { ["experience-replay"] = true } };
    }
}
