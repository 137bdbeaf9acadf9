using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Flag files that somebody deletes or changes.</summary>
public sealed class FlagHandTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_first = new() { Flag = false };

    [SkippableFact]
    public Task Hand_deletes_the_flag_files_and_they_are_made_again_as_the_step_has_them() => CheckAsync("flags/config-map-deleted", [Moment.Few], async run =>
    {
        foreach (var (name, on) in Maps(run))
        {
            var uid = await run.UidAsync("configmaps", name);
            await run.World.Api.DeleteAsync(run.PathOf("configmaps", name));
            await run.World.UntilAsync(async () => await run.UidAsync("configmaps", name) is { Length: > 0 } made && made != uid, $"{name} is made again");
            Assert.Equal(on, await IsOnAsync(run, name));
        }
    });

    [SkippableFact]
    public Task Hand_turns_flags_around_and_they_are_put_right() => CheckAsync("flags/config-map-edited", [Moment.Half], async run =>
    {
        foreach (var (name, on) in Maps(run))
        {
            await run.PatchAsync("configmaps", name, $$$"""{"data":{"flags.env":"FEATURE_REPLAY={{{(on ? "false" : "true")}}}\n"} }""");
            // A flag that is off may be named or left out: both say the same. The hand's file has no heading.
            await run.World.UntilAsync(async () => (await run.GetAsync("configmaps", name))!.Value.GetProperty("data").GetProperty("flags.env").GetString()!.StartsWith('#'), $"{name} is put right");
            Assert.Equal(on, await IsOnAsync(run, name));
        }
    });

    private Task CheckAsync(string name, IReadOnlyList<Moment> some, Func<HandRun, Task> act) => HandLab.CheckAsync(name, Moment.Steps, some, s_first, async run =>
    {
        await run.ComeAsync();
        await act(run);
        await run.FinishAsync();
    }, output, next: static s => s with { Flag = true });

    /// <summary>The flag files and what the moment's step wants of them: the flag is the step half's.</summary>
    private static IEnumerable<(string Name, bool On)> Maps(HandRun run) =>
        [($"{run.Stable}-flags", false), ($"{run.Canary}-flags", run.Moment != Moment.Few)];

    private static async Task<bool> IsOnAsync(HandRun run, string name) =>
        (await run.GetAsync("configmaps", name))!.Value.GetProperty("data").GetProperty("flags.env").GetString()!.Contains("FEATURE_REPLAY=true", StringComparison.Ordinal);
}
