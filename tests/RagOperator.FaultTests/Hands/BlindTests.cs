using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>What the operator may not see happens all the same.</summary>
public sealed class BlindTests(ITestOutputHelper output)
{
    private static readonly HashSet<string> s_unseen = ["deployments", "endpoints", "pods", "replicasets"];

    [SkippableFact]
    public Task Pods_that_die_while_no_watch_may_be_opened_get_no_more_weight_and_lose_what_they_have() => HandLab.CheckAsync(
        "workload/canary-dead-unseen", Moment.Steps, [Moment.Half, Moment.Full], new ServiceSpec { Flag = false }, static async run =>
        {
            await run.ComeAsync();
            run.World.Proxy.LineChance = static kind => s_unseen.Contains(kind) ? FaultAction.Cut : null;
            run.World.Proxy.Refuse = static call => call.Verb is "watch" or "list" && s_unseen.Contains(call.Resource) ? 503 : null;
            await run.QuotaAsync(0);
            await run.KillPodsAsync(run.Canary);
            await run.World.UntilAsync(async () => await run.AddressesAsync(run.Canary) == 0, "the canary is dead");
            var before = run.World.Proxy.Trajectory.All.Count;
            await run.World.RequestAsync($"approve/current/{run.Moment.Step}");
            // The look before the next weight, or before it is stable, tells what no watch does.
            await run.World.UntilAsync(static s => s is { Phase: "Suspended", Weight: 0 } && s.Message.Contains("lost its pods", StringComparison.Ordinal), "its weight is taken although no watch tells of it");
            await run.World.UntilAsync(async () => await run.World.WeightBesideAsync(run.Stable) == 0, "all goes back to stable");
            var routes = run.World.Proxy.Trajectory.All.Skip(before).Where(static d => d is { Accepted: true, Call.Resource: "httproutes" }).ToList();
            Assert.NotEmpty(routes);
            Assert.All(routes, d => Assert.All(RuleWeights.Of(d.Answer), rule => Assert.InRange(rule.GetValueOrDefault(run.Canary), 0, run.Moment.Weight)));

            run.World.Proxy.LineChance = static _ => null;
            run.World.Proxy.Refuse = static _ => null;
            await run.World.RequestAsync("abort/current");
            await run.EndRolledBackAsync();
            await run.QuotaAsync(null);
        }, output, canaryMayDie: true);

    [SkippableTheory]
    [InlineData("object", "ragdeployments")]
    [InlineData("route", "httproutes")]
    [InlineData("children", "controllerrevisions deployments services configmaps httproutes endpoints pods replicasets")]
    public Task Release_that_hurts_while_no_watch_may_be_opened_is_taken_back_with_its_flag(string name, string unseen) => HandLab.CheckAsync(
        $"watch/none-of-{name}", Moment.Steps, [Moment.Half], new ServiceSpec { Flag = false }, async run =>
        {
            var kinds = unseen.Split(' ').ToHashSet(StringComparer.Ordinal);
            await run.ComeAsync();
            run.World.Proxy.LineChance = kind => kinds.Contains(kind) ? FaultAction.Cut : null;
            run.World.Proxy.Refuse = call => call.Verb is "watch" or "list" && kinds.Contains(call.Resource) ? 503 : null;
            run.World.Prometheus.Value = query => query.Contains(run.Stable, StringComparison.Ordinal) ? 0 : 0.5;
            await run.World.UntilAsync(async () => await run.World.WeightBesideAsync(run.Stable) == 0, "traffic is back");
            await run.World.UntilAsync(static s => s.Condition("RolledBack") == "True", "and verified");

            run.World.Proxy.LineChance = static _ => null;
            run.World.Proxy.Refuse = static _ => null;
            await run.EndRolledBackAsync();
        }, output, next: static s => s with { Flag = true });

    [SkippableTheory]
    [InlineData("Background")]
    [InlineData("Foreground")]
    public Task Object_that_is_deleted_while_no_watch_of_it_may_be_opened_gets_no_child_back(string policy) => FaultTable.CaseAsync(
        $"watch/deleted unseen ({policy})", () => Lab.InSlotAsync(() => DeleteUnseenAsync(policy)));

    private static async Task DeleteUnseenAsync(string policy)
    {
        await using var world = await FaultWorld.CreateAsync(await FaultBed.SharedAsync(), "deleted-unseen", []);
        await world.InstallAsync(new ServiceSpec());
        world.Proxy.Trajectory.Arm();
        world.Proxy.LineChance = static kind => kind == "ragdeployments" ? FaultAction.Cut : null;
        world.Proxy.Refuse = static call => call is { Verb: "watch" or "list", Resource: "ragdeployments" } ? 503 : null;

        // Children go one by one, and each wakes an operator that is not told why.
        await world.DeleteAsync(policy);
        await world.UntilAsync(async () => await world.ObjectAsync() is null && (await EndState.OfAsync(world.Api, world.Namespace)).Count == 0, "object and children are gone");
        await world.QuietAsync(TimeSpan.FromSeconds(2));

        Assert.Equal([], world.Proxy.Trajectory.Writes.Where(static d => d is { Accepted: true, Call.Verb: "create" }).Select(static d => d.ToString()));
        Assert.Empty(world.ProcessTroubles());
        world.Forget();
    }
}
