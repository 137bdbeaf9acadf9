using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Owner references that somebody takes away, and a server that does not let the operator give them back.</summary>
public sealed class OwnerTests(ITestOutputHelper output)
{
    [SkippableFact]
    public Task Hand_takes_the_canarys_owner_for_good_and_the_release_is_taken_back_when_it_hurts() => HandLab.CheckAsync(
        "workload/adoption-refused", Moment.Steps, [Moment.Half], new ServiceSpec { Flag = false }, static async run =>
        {
            await run.ComeAsync();
            run.World.Proxy.Refuse = call => call is { Verb: "patch", Resource: "services" or "deployments" } && call.Name == run.Canary ? 403 : null;
            foreach (var plural in (string[])["services", "deployments"])
                await run.PatchAsync(plural, run.Canary, """{"metadata":{"ownerReferences":null} }""");
            await run.World.UntilAsync(s => s.Message.Contains($"{run.Canary} has no owner and is not taken back", StringComparison.Ordinal), "people are told");
            // What nobody owns still runs: it is no reason to take the release back.
            Assert.Equal(run.Moment.Weight, await run.World.WeightBesideAsync(run.Stable));

            run.World.Prometheus.Value = query => query.Contains(run.Stable, StringComparison.Ordinal) ? 0 : 0.5;
            await run.World.UntilAsync(async () => await run.World.WeightBesideAsync(run.Stable) == 0, "traffic is back although the adoption is refused");
            var decided = await run.World.UntilAsync(static s => s.RollbackDecided, "the decision in status");
            Assert.Equal("SlaBreach", decided.RollbackCause);
            Assert.True(await run.GetAsync("services", run.Canary) is not null && await run.GetAsync("deployments", run.Canary) is not null, "what is not this object's is not deleted");

            run.World.Proxy.Refuse = static _ => null;
            await run.EndRolledBackAsync();
        }, output, next: static s => s with { Flag = true });
}
