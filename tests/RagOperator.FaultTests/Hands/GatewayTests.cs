using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>A gateway that does not take what it is given.</summary>
public sealed class GatewayTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_first = new() { Flag = false };

    [SkippableFact]
    public Task Hand_not_accepted_is_suspended_after_the_deadline_and_goes_on_when_it_is() =>
        CheckAsync("gateway/not-accepted", GatewayMood.Refuses, "the listener allows no such route", [Moment.Few]);

    [SkippableFact]
    public Task Hand_accepted_for_an_older_generation_is_not_verified() =>
        CheckAsync("gateway/older-generation", GatewayMood.NamesOlderGeneration, "has not answered for generation", [Moment.Half]);

    [SkippableFact]
    public Task Hand_no_answer_at_all_is_not_verified() =>
        CheckAsync("gateway/silent", GatewayMood.Silent, "has not answered for generation", [Moment.Full]);

    private Task CheckAsync(string name, GatewayMood mood, string says, IReadOnlyList<Moment> some) => HandLab.CheckAsync(
        name, Moment.All, some, s_first, run => run.Moment == Moment.Back ? BackAsync(run, mood, says) : StepAsync(run, mood, says), output,
        // Up to the step before it waits; the step itself is not taken by the gateway, so that it need not wait.
        next: s => s with { Flag = true, ApprovalAt = s.ApprovalAt == "few" ? null : s.ApprovalAt == "half" ? "few" : "half" });

    private static async Task StepAsync(HandRun run, GatewayMood mood, string says)
    {
        var (world, moment) = (run.World, run.Moment);
        if (moment.Before.Length == 0)
        {
            world.Bed.Gateway.SetForNext(world.Namespace, mood);
            await world.ApplyAsync(run.Next);
        }
        else
        {
            await world.ApplyAsync(run.Next);
            await world.UntilAsync(s => s.StepName == moment.Before && s.StepState == "Waiting", $"before {moment}");
            world.Bed.Gateway.SetForNext(world.Namespace, mood);
            await world.RequestAsync($"approve/current/{moment.Before}");
        }

        var shifting = await world.UntilAsync(s => s.StepName == moment.Step && s.StepState == "Shifting", "the weight is written");
        // A policy edit, so that only this and no pod that starts slowly meets a short deadline.
        await world.ApplyAsync(run.Next with { ProgressDeadline = "1s" });
        var suspended = await world.UntilAsync(s => s.Phase == "Suspended" && s.Message.Contains(says, StringComparison.Ordinal), "suspended with the gateway's words");
        Assert.Equal((moment.WeightBefore, "Shifting", ""), (suspended.Weight, suspended.StepState, suspended.Failed));
        Assert.Equal(moment.Weight, await world.WeightBesideAsync(run.Stable));
        Assert.Equal(shifting.Canary, suspended.Canary);
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("Suspended", (await world.StatusAsync()).Phase);
        await world.ApplyAsync(run.Next);
        await world.Bed.Gateway.SetAsync(world.Namespace, GatewayMood.Accepts);
        var end = await world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false }, "accepted, it goes on to the end");
        Assert.Equal(shifting.Canary, end.Stable);
    }

    private static async Task BackAsync(HandRun run, GatewayMood mood, string says)
    {
        var world = run.World;
        await world.ApplyAsync(run.Next with { ApprovalAt = "half" });
        await run.ComeToStepAsync();
        world.Bed.Gateway.SetForNext(world.Namespace, mood);
        await world.RequestAsync("abort/current");
        await world.UntilAsync(async () => await world.WeightBesideAsync(run.Stable) == 0, "the weight is on its way to 0");
        await world.UntilAsync(static s => s.RollbackDecided, "decided");
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        var waiting = await world.StatusAsync();
        Assert.Equal(("Progressing", "False"), (waiting.Phase, waiting.Condition("RolledBack")));
        Assert.NotNull(await run.GetAsync("services", run.Canary));
        Assert.Contains("waiting for the gateway: ", waiting.Message, StringComparison.Ordinal);
        Assert.Contains(says, waiting.Message, StringComparison.Ordinal);
        await world.Bed.Gateway.SetAsync(world.Namespace, GatewayMood.Accepts);
        await run.EndRolledBackAsync();
    }
}
