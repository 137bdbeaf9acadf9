using System.Text.Json;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;
using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests;

/// <summary>The operator dies and comes back.</summary>
public sealed class CrashTests
{
    private static readonly TimeSpan s_hold = TimeSpan.FromSeconds(20);

    [SkippableFact]
    public async Task Kill_in_the_middle_of_a_hold_loses_nothing_that_was_written_and_moves_nothing()
    {
        await using var space = await TestSpace.CreateAsync("crash");
        var service = space.Service() with
        {
            Flags = new Dictionary<string, bool>(StringComparer.Ordinal) { ["experience-replay"] = false },
            Steps = ["{name: half, weight: 50, hold: 20s, flags: [experience-replay]}", "{name: full, weight: 100, hold: 1s}"],
            Metrics = [RagService.ErrorRate],
        };
        await space.InstallAsync(service);
        await using var load = space.StartLoad(10);
        await space.UntilAsync(() => Task.FromResult(load.Result.Samples.Count >= 60), TimeSpan.FromSeconds(30), "a load long enough for stable's metrics");
        await space.ApplyAsync(service with { Api = "1.1", Flags = new Dictionary<string, bool>(StringComparer.Ordinal) { ["experience-replay"] = true } });
        await space.UntilAsync(s => s.Step?.Name == "half" && Held(s) >= TimeSpan.FromSeconds(6), TestSpace.Patience, "six seconds held");

        await space.Operator.KillAsync();
        var written = Held(await space.StatusAsync());
        var before = await StateAsync(space);
        await space.StaysAsync(async () => Held(await space.StatusAsync()) == written, TimeSpan.FromSeconds(8), "nobody writes while the operator is dead");

        var restarted = TimeProvider.System.GetUtcNow();
        space.Operator.Start();
        var goesOn = await space.UntilAsync(s => Held(s) > written, TimeSpan.FromSeconds(30), "the hold goes on");
        var alive = TimeProvider.System.GetUtcNow() - restarted;
        await space.CheckAsync(Held(goesOn) - written <= alive, $"time in which nobody watched was credited: {written} was written, {Held(goesOn)} is held {alive} after the restart");
        Assert.Equal(before, await StateAsync(space));

        var least = written;
        await space.UntilAsync(s =>
        {
            Assert.True(s.Step?.Name != "half" || Held(s) >= least, "the hold went back");
            least = s.Step?.Name == "half" ? Held(s) : least;
            return s.Step?.Name == "full" || s.Phase == "Healthy";
        }, s_hold + TimeSpan.FromSeconds(30), "the hold's end");
        var took = TimeProvider.System.GetUtcNow() - restarted;
        await space.CheckAsync(took >= s_hold - written - TimeSpan.FromSeconds(3), $"{written} of {s_hold} were written, and the rest took only {took}");
        await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "promoted");
        var result = await load.StopAsync();
        await space.CheckAsync(result.Counts.Keys.All(key => key == "200"), $"a request failed: {result}");
    }

    private static TimeSpan Held(RagDeploymentStatus status) => RagDuration.TryParse(status.Step?.HeldFor, out var held) ? held : TimeSpan.Zero;

    /// <summary>Weights, flags and pods: what a restart must not move.</summary>
    private static async Task<string> StateAsync(TestSpace space)
    {
        var route = (await space.RouteAsync()).GetProperty("metadata").GetProperty("generation");
        var flags = (await space.ListAsync("configmaps", "ragoperator.dev/name")).Select(map => $"{Name(map)} {map.GetProperty("metadata").GetProperty("resourceVersion")}");
        var pods = (await space.ListAsync("pods")).Select(pod => $"{Name(pod)} {pod.GetProperty("metadata").GetProperty("uid")} {Restarts(pod)}");
        var deployments = (await space.ListAsync("deployments")).Select(item => $"{Name(item)} {item.GetProperty("metadata").GetProperty("generation")}");
        return string.Join('\n', [$"route {route}", .. flags.Order(StringComparer.Ordinal), .. pods.Order(StringComparer.Ordinal), .. deployments.Order(StringComparer.Ordinal)]);
    }

    private static string Name(JsonElement item) => item.GetProperty("metadata").GetProperty("name").GetString()!;

    private static int Restarts(JsonElement pod) => pod.GetProperty("status").TryGetProperty("containerStatuses", out var containers) ? containers.EnumerateArray().Sum(c => c.GetProperty("restartCount").GetInt32()) : 0;
}
