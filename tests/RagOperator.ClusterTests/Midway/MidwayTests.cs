using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Midway;

/// <summary>What happens in the middle of a rollout when somebody changes their mind.</summary>
public sealed class MidwayTests(MidwayTests.Shared shared) : IClassFixture<MidwayTests.Shared>
{
    private static readonly string[] s_steps = ["{name: ten, weight: 10, hold: 1s}", "{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1h}"];

    private TestSpace Space => shared.Space;

    [SkippableFact]
    public async Task A_newer_release_takes_the_older_canary_to_0_and_begins_at_its_first_step()
    {
        var (stable, older) = await HoldAtHalfAsync();
        var stablePods = await Space.PodsOfAsync(stable);

        await Space.ApplyAsync(shared.Base with { Api = "1.2", Steps = s_steps });

        var status = await Space.UntilAsync(s => s.Step is { Name: "half", State: "Holding" } && s.History?[0].Outcome == "Superseded", TestSpace.Patience, "the newer release holds at half");
        var newer = await Space.EntryOfAsync(status.CanaryRevision!);
        var weights = RouteWrites(older, newer);
        // Down first; then 10, and only then 50.
        Assert.Equal([(0, 0), (0, 10), (0, 50)], weights.SkipWhile(w => w != (0, 0)).Distinct());
        Assert.Equal(stablePods, await Space.PodsOfAsync(stable));
        await Space.UntilAsync(async () => !(await Space.SizesAsync()).ContainsKey(older), TimeSpan.FromSeconds(30), "the older canary's Deployment is gone");
    }

    [SkippableFact]
    public async Task Spec_turned_back_to_stable_takes_the_canary_back_and_is_healthy_at_once()
    {
        var (stable, canary) = await HoldAtHalfAsync();
        var stablePods = await Space.PodsOfAsync(stable);
        var release = (await Space.StatusAsync()).Release;

        await Space.ApplyAsync(shared.Base with { Steps = s_steps });

        var status = await Space.UntilAsync(s => s.Phase == "Healthy", TimeSpan.FromSeconds(20), "Healthy with stable");
        Assert.Equal([(stable, 100)], (await Space.WeightsAsync()).Select(w => (w.Key, w.Value)));
        var mark = Space.Bed.Gateway.Mark();
        for (var i = 0; i < 40; i++)
            Assert.Equal(200, (await Space.AskAsync()).Status);
        Assert.Equal(100, Space.Counts(mark).Share(service => service == Space.GatewayService(stable)));
        Assert.Equal("True", status.ConditionOf("Promoted").Status);
        Assert.NotEqual(release, status.Release);
        Assert.Equal("Withdrawn", status.History![0].Outcome);
        Assert.Equal(stablePods, await Space.PodsOfAsync(stable));
        await Space.UntilAsync(async () => !(await Space.SizesAsync()).ContainsKey(canary), TimeSpan.FromSeconds(30), "the canary's Deployment is gone");
    }

    [SkippableFact]
    public async Task Steps_lowered_raised_and_renamed_move_the_weight_and_start_no_release()
    {
        var (_, canary) = await HoldAtHalfAsync();
        var pods = await Space.PodsOfAsync(canary);
        var before = await Space.StatusAsync();

        await ApplyHalfAsync("{name: half, weight: 30, hold: 1h}");
        var lowered = await Space.UntilHoldingAsync("half", 30);
        Assert.Equal(before.Step!.StartedAt, lowered.Step!.StartedAt);

        await ApplyHalfAsync("{name: half, weight: 60, hold: 1h}");
        var raised = await Space.UntilHoldingAsync("half", 60);
        Assert.True(raised.Step!.StartedAt > lowered.Step.StartedAt, "a raised weight enters the step anew");

        await ApplyHalfAsync("{name: middle, weight: 55, hold: 1h}");
        var renamed = await Space.UntilHoldingAsync("middle", 55);

        Assert.Equal(55, (await Space.WeightsAsync())[canary]);
        Assert.Equal((before.Release, before.CanaryRevision), (renamed.Release, renamed.CanaryRevision));
        Assert.Equal(pods, await Space.PodsOfAsync(canary));

        Task ApplyHalfAsync(string half) => Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = [s_steps[0], half, s_steps[2]] });
    }

    [SkippableFact]
    public async Task Replicas_edited_midway_scale_stable_and_canary_without_a_new_pod_in_place_of_an_old_one()
    {
        var (stable, canary) = await HoldAtHalfAsync();
        var (stablePods, canaryPods) = (await Space.PodsOfAsync(stable), await Space.PodsOfAsync(canary));
        var release = (await Space.StatusAsync()).Release;

        await Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = s_steps, Replicas = 3 });
        await UntilSizesAsync(3, 2);
        Assert.Superset(stablePods.ToHashSet(StringComparer.Ordinal), (await Space.PodsOfAsync(stable)).ToHashSet(StringComparer.Ordinal));
        Assert.Superset(canaryPods.ToHashSet(StringComparer.Ordinal), (await Space.PodsOfAsync(canary)).ToHashSet(StringComparer.Ordinal));
        var status = await Space.UntilHoldingAsync("half", 50);
        Assert.Equal(release, status.Release);

        await Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = s_steps, Replicas = 1 });
        await UntilSizesAsync(1, 1);
        Assert.Equal(50, (await Space.WeightsAsync())[canary]);

        Task UntilSizesAsync(int ofStable, int ofCanary) => Space.UntilAsync(async () =>
        {
            var sizes = await Space.SizesAsync();
            return sizes[stable] == ofStable && sizes[canary] == ofCanary && (await Space.PodsOfAsync(stable)).Count == ofStable && (await Space.PodsOfAsync(canary)).Count == ofCanary;
        }, TimeSpan.FromSeconds(60), $"{ofStable} pods of stable and {ofCanary} of the canary");
    }

    [SkippableFact]
    public async Task A_release_at_its_soak_that_is_replaced_gives_all_requests_back_to_stable_and_loses_none()
    {
        await shared.ResetAsync();
        var stable = await Space.EntryOfAsync((await Space.StatusAsync()).StableRevision!);
        string[] soak = ["{name: full, weight: 100, hold: 1h}"];
        await Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = soak });
        var soaking = await Space.UntilHoldingAsync("full", 100);
        var canary = await Space.EntryOfAsync(soaking.CanaryRevision!);
        Assert.Equal(1, (await Space.SizesAsync())[stable]);

        await using var load = Space.StartLoad(10);
        await Space.Bed.WaitUntilAsync(() => Task.FromResult(load.Result.Samples.Count > 10), TimeSpan.FromSeconds(20), "load");
        _from = TimeProvider.System.GetUtcNow();
        await Space.ApplyAsync(shared.Base with { Api = "1.2", Steps = ["{name: ten, weight: 10, hold: 1h}", soak[0]] });
        var next = await Space.UntilAsync(s => s.Step is { Name: "ten", State: "Holding" }, TestSpace.Patience, "the next release begins at its first step");
        var newer = await Space.EntryOfAsync(next.CanaryRevision!);
        Assert.Equal([(stable, 90), (newer, 10)], (await Space.WeightsAsync()).OrderByDescending(w => w.Value).Select(w => (w.Key, w.Value)));
        Assert.Equal([(0, 0), (0, 10)], RouteWrites(canary, newer).SkipWhile(w => w != (0, 0)).Distinct());
        var result = await load.StopAsync();
        Assert.True(result.Lost == 0 && result.Counts.Keys.All(key => key == "200"), result.ToString());
    }

    [SkippableFact]
    public async Task Status_wiped_by_hand_takes_the_canary_to_0_and_begins_again_with_stable_untouched()
    {
        var (stable, canary) = await HoldAtHalfAsync();
        var pods = (await Space.PodsOfAsync(stable), await Space.PodsOfAsync(canary));
        var before = await Space.StatusAsync();

        await Space.WipeStatusAsync();

        var status = await Space.UntilAsync(s => s.Step is { Name: "half", State: "Holding" } && s.History?.Exists(h => h.Reason == "Restored") == true, TestSpace.Patience, "at half again");
        Assert.Equal((before.StableRevision, before.CanaryRevision), (status.StableRevision, status.CanaryRevision));
        Assert.Equal([0, 10, 50], RouteWrites(canary, canary).Select(w => w.First).SkipWhile(w => w != 0).Distinct());
        Assert.Equal(pods.Item1, await Space.PodsOfAsync(stable));
        Assert.Equal(pods.Item2, await Space.PodsOfAsync(canary));
    }

    /// <summary>Release 1.1 held at 50%; names of the entry's Deployments.</summary>
    private async Task<(string Stable, string Canary)> HoldAtHalfAsync()
    {
        await shared.ResetAsync();
        await Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = s_steps });
        var status = await Space.UntilHoldingAsync("half", 50);
        _from = TimeProvider.System.GetUtcNow();
        return (await Space.EntryOfAsync(status.StableRevision!), await Space.EntryOfAsync(status.CanaryRevision!));
    }

    private DateTimeOffset _from = TimeProvider.System.GetUtcNow();

    /// <summary>The weights of two Services in each accepted write of the route since the hold.</summary>
    private List<(int First, int Second)> RouteWrites(string first, string second) =>
        [.. Space.Writes().Where(w => w.Resource == "httproutes" && w.At >= _from).Select(w => (w.WeightOf(first), w.WeightOf(second)))];

    public sealed class Shared() : InstalledSpace("midway");
}
