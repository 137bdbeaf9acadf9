using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Somebody changes the weights of the route, in all rules or in one, or the route itself.</summary>
public sealed class RouteHandTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_first = new() { Flag = false };
    private static readonly ServiceSpec s_twoRules = s_first with { Rules = """, "rules": [{"matches": [{"path": {"value": "/a"}}]}, {"matches": [{"path": {"value": "/b"}}]}]""" };

    [SkippableFact]
    public Task Hand_lowers_and_is_obeyed_until_resume() => CheckAsync("gateway/hand-lowers", Moment.Steps, [Moment.Full], s_first, static r => LowerAsync(r, null));

    [SkippableFact]
    public Task Hand_lowers_the_second_rule_alone_and_is_obeyed_in_both() =>
        CheckAsync("gateway/hand-lowers-second-rule", Moment.Steps, [Moment.Half], s_twoRules, static r => LowerAsync(r, 1));

    [SkippableFact]
    public Task Hand_raises_and_is_undone() => CheckAsync("gateway/hand-raises", [Moment.Few, Moment.Half, Moment.Back], [Moment.Back], s_first, static r => RaiseAsync(r, null));

    [SkippableFact]
    public Task Hand_raises_the_second_rule_alone_and_is_undone() =>
        CheckAsync("gateway/hand-raises-second-rule", [Moment.Few, Moment.Half, Moment.Back], [Moment.Few], s_twoRules, static r => RaiseAsync(r, 1));

    [SkippableFact]
    public Task Hand_deletes_the_route_and_it_is_made_again() => CheckAsync("gateway/route-deleted", Moment.All, [Moment.Half], s_first, static async run =>
    {
        await run.ComeAsync();
        var uid = await run.UidAsync("httproutes", "assistant");
        await run.World.Api.DeleteAsync(run.PathOf("httproutes", "assistant"));
        await run.World.UntilAsync(async () => await run.UidAsync("httproutes", "assistant") is { Length: > 0 } made && made != uid, "made again");
        await run.FinishAsync();
    });

    private Task CheckAsync(string name, IReadOnlyList<Moment> moments, IReadOnlyList<Moment> some, ServiceSpec first, Func<HandRun, Task> act) =>
        HandLab.CheckAsync(name, moments, some, first, act, output, next: static s => s with { Flag = true });

    private static async Task LowerAsync(HandRun run, int? rule)
    {
        await run.ComeAsync();
        var lowered = run.Moment.Weight * 2 / 5;
        await run.SetWeightAsync(lowered, rule);
        var paused = await run.World.UntilAsync(s => s is { Phase: "Suspended", IsPaused: true } && s.Message.Contains($"somebody lowered the weight to {lowered}%", StringComparison.Ordinal), "obeyed and paused");
        await run.World.UntilAsync(() => run.ToldAsync("WeightLowered", "somebody"), "an event names the hand");
        await run.World.UntilAsync(async () => (await run.WeightsAsync()).All(w => w == lowered), "lowered in every rule");
        // Whoever approves now raises nothing either.
        await run.World.RequestAsync($"approve/current/{run.Moment.Step}");
        await run.World.UntilAsync(static s => s.LastRequestOutcome.Length > 0, "the approval is dealt with");
        await run.World.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.All(await run.WeightsAsync(), w => Assert.Equal(lowered, w));
        Assert.Equal((run.Moment.Step, true), ((await run.World.StatusAsync()).StepName, (await run.World.StatusAsync()).IsPaused));
        await run.World.RequestAsync("resume/current");
        // Entered anew: the approval that was given is gone with the step.
        var again = await run.World.UntilAsync(s => s is { IsPaused: false, StepState: "Waiting" } && s.Weight == run.Moment.Weight, "resumed");
        Assert.Equal(paused.Canary, again.Canary);
        Assert.All(await run.WeightsAsync(), w => Assert.Equal(run.Moment.Weight, w));
        await run.FinishAsync();
    }

    private static async Task RaiseAsync(HandRun run, int? rule)
    {
        await run.ComeAsync();
        var allowed = run.Moment == Moment.Back ? 0 : run.Moment.Weight;
        await run.SetWeightAsync(90, rule);
        await run.World.UntilAsync(async () => (await run.WeightsAsync()).All(w => w == allowed), "undone");
        if (run.Moment != Moment.Back)
            await run.World.UntilAsync(() => run.ToldAsync("WeightRestored", "somebody raised"), "an event tells of it");
        await run.World.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.False((await run.World.StatusAsync()).IsPaused);
        await run.FinishAsync();
    }
}
