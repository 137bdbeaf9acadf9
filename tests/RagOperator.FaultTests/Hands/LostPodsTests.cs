using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Pods that die, find no room, or are not allowed.</summary>
public sealed class LostPodsTests(ITestOutputHelper output)
{
    private const string NoSuchNode = "\"nodeSelector\": {\"disk\": \"none-has-it\"},";
    private static readonly ServiceSpec s_first = new() { Flag = false };

    [SkippableFact]
    public Task Hand_kills_all_canary_pods_and_the_canary_gets_its_weight_back_with_them() => HandLab.CheckAsync(
        "workload/canary-dead", Moment.Steps, [Moment.Half], s_first, static async run =>
        {
            await run.ComeAsync();
            // A full namespace explains why no pod comes back: nothing gets requests that cannot answer, and nobody is to blame.
            await run.QuotaAsync(0);
            await run.KillPodsAsync(run.Canary);
            await run.World.UntilAsync(static s => s is { Phase: "Suspended", Weight: 0 } && s.Message.Contains("lost its pods", StringComparison.Ordinal), "its weight is taken");
            Assert.Equal(0, await run.World.WeightBesideAsync(run.Stable));
            await run.QuotaAsync(null);
            await run.World.UntilAsync(static s => s.Weight > 0, "its weight is back", TimeSpan.FromMinutes(2));
            await run.FinishAsync();
        }, output, canaryMayDie: true, next: static s => s with { Flag = true });

    [SkippableFact]
    public Task Hand_kills_stables_only_pod_in_a_rollback_which_waits_for_it_with_the_flags_off() => HandLab.CheckAsync(
        "workload/stable-lost-in-rollback", [Moment.Half, Moment.Full], [Moment.Half], s_first, static async run =>
        {
            await run.ComeAsync();
            Assert.Equal("True", await FlagAsync(run, run.Canary));
            await run.QuotaAsync(0);
            await run.KillPodsAsync(run.Stable);
            await run.World.UntilAsync(async () => await run.AddressesAsync(run.Stable) == 0, "stable is gone");
            await run.World.UntilAsync(static s => s.Condition("Available") == "False", "and that is seen");
            await run.World.RequestAsync("abort/current");
            await run.World.UntilAsync(async () => await FlagAsync(run, run.Canary) == "False", "the flag goes off all the same");
            await run.World.UntilAsync(static s => s.RollbackDecided && s.Message.Contains("both are bad", StringComparison.Ordinal), "it says that it waits for stable");
            await run.World.QuietAsync(TimeSpan.FromSeconds(3));
            Assert.Equal(run.Moment.Weight, await run.World.WeightBesideAsync(run.Stable));
            Assert.True(await run.AddressesAsync(run.Canary) > 0, "the canary serves on until stable can");
            await run.QuotaAsync(null);
            await run.EndRolledBackAsync();
        }, output, next: static s => s with { Flag = true });

    [SkippableFact]
    public Task Hand_kills_one_of_stables_pods_in_a_rollback_which_waits_for_none() => HandLab.CheckAsync(
        "workload/stable-pod-lost-in-rollback", [Moment.Half, Moment.Full], [Moment.Half], s_first with { Replicas = 2 }, static async run =>
        {
            await run.ComeAsync();
            await run.QuotaAsync(0);
            await run.KillPodsAsync(run.Stable, most: 1);
            await run.World.UntilAsync(async () => await run.AddressesAsync(run.Stable) == 1, "one of two is left");
            await run.World.RequestAsync("abort/current");
            // One ready address is enough, whatever is missing at full strength.
            await run.World.UntilAsync(async () => await run.World.WeightBesideAsync(run.Stable) == 0, "all goes back to stable");
            Assert.Equal(1, await run.AddressesAsync(run.Stable));
            Assert.Equal("False", await FlagAsync(run, run.Canary));
            await run.QuotaAsync(null);
            await run.EndRolledBackAsync();
        }, output, next: static s => s with { Flag = true });

    [SkippableFact]
    public Task Hand_asks_for_a_node_that_is_not_there_and_another_spec_cures_it() => HandLab.CheckAsync(
        "workload/unschedulable", [Moment.Few], [Moment.Few], s_first, static async run =>
        {
            var full = run.Next with { ApiPod = NoSuchNode };
            await run.World.ApplyAsync(full);
            // More room would not help: it is named in the scheduler's words, and late like any other.
            await run.World.UntilAsync(static s => s.Message.Contains("nodes are available", StringComparison.Ordinal), "the scheduler's words are told");
            await run.World.ApplyAsync(full with { ProgressDeadline = "1s" });
            var decided = await run.World.UntilAsync(static s => s.RollbackDecided, "taken back");
            Assert.Equal("ProgressDeadlineExceeded", decided.RollbackCause);
            await run.World.ApplyAsync(run.Next with { Api = "3" });
            await run.ComeToStepAsync();
            await run.FinishAsync();
        }, output);

    [SkippableFact]
    public Task Hand_uses_the_quota_up_and_the_rollout_waits_for_room() => HandLab.CheckAsync(
        "workload/quota", [Moment.Few, Moment.Full], [Moment.Full], s_first with { Replicas = 2 }, static async run =>
        {
            if (run.Moment == Moment.Few)
            {
                await run.QuotaAsync(0);
                await run.World.ApplyAsync(run.Next);
                await SuspendedForRoomAsync(run, run.Next, "exceeded quota", 0);
            }
            else
            {
                // Half is held with one pod of two; the second one, for all the traffic, is not allowed.
                var half = run.Next with { ApprovalAt = "half" };
                await run.World.ApplyAsync(half);
                await run.World.UntilAsync(static s => s is { StepName: "half", StepState: "Waiting", Weight: 50 }, "at half");
                await run.QuotaAsync(0);
                await run.World.RequestAsync("approve/current/half");
                await run.World.UntilAsync(static s => s is { StepName: "full", StepState: "Scaling" }, "on the way to full");
                await SuspendedForRoomAsync(run, half, "exceeded quota", 50);
                await run.World.ApplyAsync(run.Next);
            }

            await run.QuotaAsync(null);
            await run.ComeToStepAsync();
            await run.FinishAsync();
        }, output);

    private static async Task SuspendedForRoomAsync(HandRun run, ServiceSpec spec, string says, int weight)
    {
        await run.World.UntilAsync(s => s.Message.Contains(says, StringComparison.Ordinal), "there is no room");
        await run.World.ApplyAsync(spec with { ProgressDeadline = "1s" });
        var suspended = await run.World.UntilAsync(static s => s.Phase == "Suspended", "suspended after the deadline");
        Assert.Contains("waiting for room in the cluster", suspended.Message, StringComparison.Ordinal);
        Assert.Contains(says, suspended.Message, StringComparison.Ordinal);
        Assert.Equal(("", weight, false), (suspended.Failed, suspended.Weight, suspended.RollbackDecided));
        await run.World.QuietAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(weight, await run.World.WeightBesideAsync(run.Stable));
        await run.World.ApplyAsync(spec);
    }

    private static async Task<string> FlagAsync(HandRun run, string revision) =>
        (await run.GetAsync("configmaps", $"{revision}-flags"))?.GetProperty("data").GetProperty("flags.env").GetString()?.Contains("FEATURE_REPLAY=true", StringComparison.Ordinal).ToString() ?? "gone";
}
