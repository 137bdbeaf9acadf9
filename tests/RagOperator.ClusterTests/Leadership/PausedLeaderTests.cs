using System.Security.Cryptography;
using System.Text.Json;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.ClusterTests.Infrastructure;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Leadership;

/// <summary>A leader that is stopped in the middle of a rollout, replaced, and goes on: whatever it had in mind is not done any more. Alone: its lease is short.</summary>
[Collection(AloneCollection.Name)]
public sealed class PausedLeaderTests(ITestOutputHelper output)
{
    // Longer than a rollout of the sample service with these steps takes: some stops hit its end, and what follows it.
    private const double LatestPause = 9;

    [SkippableFact]
    public async Task Leader_that_resumes_after_its_lease_changes_nothing_and_ends()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("RAG_SEED"), out var given) ? given : RandomNumberGenerator.GetInt32(1_000_000);
        output.WriteLine($"RAG_SEED={seed}");
        var random = new Random(seed);
        await using var pair = await OperatorPair.CreateAsync("paused-leader", ("3s", "2s", "500ms"));
        var space = pair.Space;
        var service = space.Service() with
        {
            Steps = ["{name: canary, weight: 10, hold: 1s}", "{name: half, weight: 50, hold: 1s}", "{name: full, weight: 100, hold: 1s}"],
            Rollout = ["progressDeadline: 4m", "retireDelay: 1s"],
        };
        await space.InstallAsync(service);
        var runs = new RepeatedRuns("leader stopped beyond its lease in a rollout, resumed", 2, output);
        await runs.RunAsync(async run =>
        {
            var (old, leader, _, _) = await pair.LeaderAsync();
            await space.ApplyAsync(service with { Api = run % 2 == 0 ? "1.1" : "1.2" });
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * LatestPause), TimeProvider.System);
            var where = (await space.StatusAsync()).Step is { } step ? $"{step.Name}/{step.State}" : "no step";
            leader.Pause();
            var paused = TimeProvider.System.GetUtcNow();
            var (next, at) = await pair.SuccessorAsync(old, TimeSpan.FromSeconds(15));
            runs.Measured("takeover min/median/max", (at - paused).TotalSeconds);
            var patience = random.Next(3);
            if (patience == 1) await WaitAsync(() => pair.Writes(next).Count > 0, TimeSpan.FromSeconds(5));
            if (patience == 2) await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "the new leader finished");

            var resumed = TimeProvider.System.GetUtcNow();
            leader.Resume();
            await space.UntilAsync(() => Task.FromResult(leader.ExitCode is not null), TimeSpan.FromSeconds(10), "the old leader ended");
            Assert.Equal(70, leader.ExitCode);
            await space.UntilAsync(s => s.Phase == "Healthy" && s.Retiring is null, TestSpace.Patience, "promoted in the end");

            var late = pair.Writes(old).Where(w => w.At > resumed).ToList();
            output.WriteLine($"run {run}: stopped in {where}, resumed {(at < resumed ? $"{(resumed - at).TotalSeconds:0.0} s after" : "before")} the takeover, {late.Count} writes of the old one accepted after that");
            runs.Measured("late writes of the old one", late.Count, "n");
            foreach (var write in late)
            {
                var firstOfNext = pair.Writes(next).FirstOrDefault(w => w.Resource == write.Resource && w.Name == write.Name);
                await space.CheckAsync(firstOfNext is null || write.At < firstOfNext.At, $"{old} wrote {write.Resource} {write.Name} at {write.At:O} after {next} did at {firstOfNext?.At:O}");
            }

            await space.CheckAsync(AboveJournal(space.Writes()) is not { } violation, $"{AboveJournal(space.Writes())}");
        }, async () =>
        {
            await pair.ReadyAsync();
            await space.UntilAsync(s => s.Phase == "Healthy" && s.Retiring is null, TestSpace.Patience, "ready for the next run");
        });
    }

    /// <summary>S1 over all that was accepted, of either process: no route gives a canary more than the step that status named before allows.</summary>
    /// <returns>What is wrong, or null.</returns>
    private static string? AboveJournal(IReadOnlyList<AcceptedWrite> writes)
    {
        RagDeploymentStatus? journal = null;
        foreach (var write in writes.OrderBy(w => w.At))
        {
            if (write.Resource == "ragdeployments/status" && write.Object.ValueKind == JsonValueKind.Object)
                journal = write.Object.Deserialize(ApiJsonContext.Default.RagDeployment)!.Status;
            if (write.Resource != "httproutes" || write.Verb == "delete" || journal is not { CanaryRevision: not null, Components: not null })
                continue;
            var canary = $"assistant-api-{journal.Components.Single(c => c.Name == "api").Revision}";
            var allowed = journal.Step?.Weight ?? 0;
            if (write.WeightOf(canary) > allowed)
                return $"{write.UserAgent} gave {write.WeightOf(canary)}% to {canary} at {write.At:O}, status allowed {allowed}%";
        }

        return null;
    }

    private static async Task WaitAsync(Func<bool> condition, TimeSpan atMost)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition() && TimeProvider.System.GetElapsedTime(start) < atMost) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }
}
