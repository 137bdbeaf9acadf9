using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>What the operator may not see happens all the same.</summary>
public sealed class BlindTests(ITestOutputHelper output)
{
    private static readonly HashSet<string> s_unseen = ["deployments", "endpoints", "pods", "replicasets"];

    [SkippableFact]
    public Task Pods_that_die_while_no_watch_may_be_opened_get_no_more_weight_and_do_not_become_stable() => HandLab.CheckAsync(
        "workload/canary-dead-unseen", Moment.Steps, [Moment.Half, Moment.Full], new ServiceSpec { Flag = false }, static async run =>
        {
            await run.ComeAsync();
            run.World.Proxy.LineChance = static kind => s_unseen.Contains(kind) ? FaultAction.Cut : null;
            run.World.Proxy.Refuse = static call => call.Verb is "watch" or "list" && s_unseen.Contains(call.Resource) ? 503 : null;
            await run.QuotaAsync(0);
            await run.KillPodsAsync(run.Canary);
            await run.World.UntilAsync(async () => await run.AddressesAsync(run.Canary) == 0, "the canary is dead");
            await run.World.RequestAsync($"approve/current/{run.Moment.Step}");
            await run.World.UntilAsync(static s => s.Message.Contains("read live", StringComparison.Ordinal), "it says what a look at the server showed");
            Assert.Equal(run.Moment.Weight, await run.World.WeightBesideAsync(run.Stable));
            Assert.False((await run.World.StatusAsync()).RollbackDecided);

            run.World.Proxy.LineChance = static _ => null;
            run.World.Proxy.Refuse = static _ => null;
            var decided = await run.World.UntilAsync(static s => s.RollbackDecided, "taken back as soon as it sees again");
            Assert.Equal("NoReadyAddress", decided.RollbackCause);
            await run.EndRolledBackAsync();
            await run.QuotaAsync(null);
        }, output, canaryMayDie: true);
}
