using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests;

/// <summary>Flags as users and their pods see them: on by step, off at once.</summary>
public sealed class FlagTests
{
    /// <summary>The kubelet's sync and the sample's own look at its file.</summary>
    private static readonly TimeSpan s_sync = TimeSpan.FromSeconds(90);

    [SkippableFact]
    public async Task A_flag_goes_on_at_its_step_for_the_canary_alone_and_a_disabled_one_off_everywhere_at_once()
    {
        await using var space = await TestSpace.CreateAsync("flags");
        var service = space.Service() with
        {
            Flags = Flags(replay: false, bandit: true),
            Steps = ["{name: canary, weight: 20, hold: 1s, approval: Required}", "{name: replay, weight: 50, hold: 1s, approval: Required, flags: [experience-replay]}", "{name: full, weight: 100, hold: 1s}"],
        };
        var installed = await space.InstallAsync(service);
        var stable = TestSpace.Revision(installed);
        var stableFile = await space.FlagFileAsync("api", stable);
        Assert.Equal((false, true), (stableFile.Flags.GetValueOrDefault("experience-replay"), stableFile.Flags["soft-q-bandit"]));

        // Enabling a flag is a release; until its step the new pods do not have it on.
        await space.ApplyAsync(service with { Flags = Flags(replay: true, bandit: true) });
        var waiting = await space.UntilAsync(s => s is { Weight: 20, Step: { Name: "canary", State: "Waiting" } }, TestSpace.Patience, "the first step waits for approval");
        var canary = TestSpace.Revision(waiting);
        Assert.NotEqual(stable, canary);
        var canaryFile = await space.FlagFileAsync("api", canary);
        Assert.Equal((false, true), (canaryFile.Flags["experience-replay"], canaryFile.Flags["soft-q-bandit"]));
        var pods = await PodsAsync(space);
        Assert.False((await AnswerAsync(space, canary)).TryGetProperty("replayed", out _));

        await space.RequestAsync("approve/2/canary");
        await space.UntilAsync(s => s is { Weight: 50, Step: { Name: "replay", State: "Waiting" } }, TestSpace.Patience, "the flag's step");
        Assert.True((await space.FlagFileAsync("api", canary)).Flags["experience-replay"]);
        await space.UntilAsync(async () => (await AnswerAsync(space, canary)).TryGetProperty("replayed", out _), s_sync, "the canary's answers show the flag");
        Assert.False((await AnswerAsync(space, stable)).TryGetProperty("replayed", out _));
        Assert.Equal(stableFile.Version, (await space.FlagFileAsync("api", stable)).Version);
        Assert.Equal(pods, await PodsAsync(space));

        // A kill switch: both releases, at once, without a release.
        await space.ApplyAsync(service with { Flags = Flags(replay: true, bandit: false) });
        await space.UntilAsync(async () => !(await space.FlagFileAsync("api", stable)).Flags["soft-q-bandit"] && !(await space.FlagFileAsync("api", canary)).Flags["soft-q-bandit"], TimeSpan.FromSeconds(3), "off in both files");
        Assert.True((await space.FlagFileAsync("api", canary)).Flags["experience-replay"]);
        await space.UntilAsync(async () => Ranking(await AnswerAsync(space, stable)) == "relevance" && Ranking(await AnswerAsync(space, canary)) == "relevance", s_sync, "off in both releases' answers");
        Assert.Equal(pods, await PodsAsync(space));
        var after = await space.UntilAsync(s => s.Step is not null, TimeSpan.FromSeconds(5), "the same rollout goes on");
        Assert.Equal((2L, waiting.CanaryRevision, "replay"), (after.Release, after.CanaryRevision, after.Step!.Name));

        // On again: a release of its own, whose receivers are new.
        await space.ApplyAsync(service with { Flags = Flags(replay: true, bandit: true) });
        var next = await space.UntilAsync(s => s is { Release: 3, Step: { Name: "canary", State: "Waiting" } }, TestSpace.Patience, "a release with the flag enabled again");
        var revision = TestSpace.Revision(next);
        Assert.DoesNotContain(revision, (string[])[stable, canary]);
        Assert.True((await space.FlagFileAsync("api", revision)).Flags["soft-q-bandit"]);
        Assert.False((await space.FlagFileAsync("api", stable)).Flags["soft-q-bandit"]);
        var (status, _) = await space.AskAsync();
        Assert.Equal(200, status);
    }

    /// <summary>An answer of one revision: asks until that one answers.</summary>
    private static async Task<JsonElement> AnswerAsync(TestSpace space, string revision)
    {
        JsonElement answer = default;
        await space.UntilAsync(async () =>
        {
            var (status, body) = await space.AskAsync("/ask?q=how+do+I+clean+a+chain");
            answer = status == 200 ? JsonElement.Parse(body) : default;
            return answer.ValueKind == JsonValueKind.Object && answer.GetProperty("revision").GetString() == revision;
        }, TimeSpan.FromSeconds(20), $"an answer of revision {revision}");
        return answer;
    }

    private static string Ranking(JsonElement answer) => answer.GetProperty("ranking").GetString()!;

    /// <summary>Every pod with its restarts.</summary>
    private static async Task<IReadOnlyList<string>> PodsAsync(TestSpace space) =>
        [.. (await space.ListAsync("pods")).Select(pod => $"{pod.GetProperty("metadata").GetProperty("uid")} {pod.GetProperty("status").GetProperty("containerStatuses")[0].GetProperty("restartCount")}").Order(StringComparer.Ordinal)];

    private static Dictionary<string, bool> Flags(bool replay, bool bandit) => new(StringComparer.Ordinal) { ["experience-replay"] = replay, ["soft-q-bandit"] = bandit };
}
