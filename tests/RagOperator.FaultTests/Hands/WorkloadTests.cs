using System.Text.Json;
using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Deployments and Services that somebody deletes or scales.</summary>
public sealed class WorkloadTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_first = new();

    [SkippableFact]
    public Task Hand_deletes_stables_deployment_and_it_is_made_again_from_its_record() =>
        CheckAsync("workload/stable-deployment-deleted", Moment.All, [Moment.Half], static r => DeleteAsync(r, "deployments", r.Stable));

    [SkippableFact]
    public Task Hand_deletes_stables_services_and_they_are_made_again() => CheckAsync("workload/stable-service-deleted", Moment.All, [Moment.Few], static async run =>
    {
        await run.ComeAsync();
        foreach (var name in (string[])[run.Stable, "assistant", "assistant-api", "assistant-embedder"])
            await RemadeAsync(run, "services", name, "selector");
        await run.World.UntilAsync(async () => await run.AddressesAsync(run.Stable) == 1, "stable has its address back");
        await run.FinishAsync();
    });

    [SkippableFact]
    public Task Hand_deletes_a_canarys_deployment_and_it_is_made_again_from_its_record() => CheckAsync("workload/canary-deployment-deleted", Moment.Steps, [Moment.Half], static async run =>
    {
        await run.ComeAsync();
        await RemadeAsync(run, "deployments", await run.CanaryEmbedderAsync(), "template");
        await run.FinishAsync();
    });

    [SkippableFact]
    public Task Hand_deletes_the_canarys_entry_before_its_first_weight_and_it_waits_for_an_address() =>
        CheckAsync("workload/canary-entry-deleted", [Moment.Few], [Moment.Few], static async run =>
        {
            // Without an answer about stable no weight is written yet.
            run.World.Prometheus.Value = static _ => null;
            await run.World.ApplyAsync(run.Next);
            await run.World.UntilAsync(static s => s is { StepName: "few", StepState: "Scaling", Verdict: "NoData" }, "before the first weight");
            await run.KnowCanaryAsync();
            await run.World.UntilAsync(async () => await run.AddressesAsync(run.Canary) == 1, "the canary is there");
            await RemadeAsync(run, "deployments", run.Canary, "template");
            await RemadeAsync(run, "services", run.Canary, "selector");
            Assert.Equal(0, await run.World.WeightBesideAsync(run.Stable));
            run.World.Prometheus.Value = static _ => 0;
            await run.ComeToStepAsync();
            await run.FinishAsync();
        });

    [SkippableFact]
    public Task Hand_deletes_the_service_that_the_canarys_weight_goes_to_and_it_is_made_again() =>
        CheckAsync("workload/canary-service-deleted", Moment.Steps, [Moment.Half], static async run =>
        {
            await run.ComeAsync();
            await RemadeAsync(run, "services", run.Canary, "selector");
            await run.World.UntilAsync(async () => await run.AddressesAsync(run.Canary) == 1, "the canary has its address back");
            await run.World.UntilAsync(async () => (await run.WeightsAsync()).All(weight => weight == run.Moment.Weight), "and its weight");
            await run.FinishAsync();
        });

    [SkippableFact]
    public Task Hand_scales_and_it_is_set_back() => CheckAsync("workload/scaled", Moment.All, [Moment.Full], static async run =>
    {
        await run.ComeAsync();
        await ScaledBackAsync(run, run.Stable, 0);
        await ScaledBackAsync(run, run.Stable, 5);
        if (run.Moment != Moment.Back)
        {
            await ScaledBackAsync(run, run.Canary, 5);
            await ScaledBackAsync(run, await run.CanaryEmbedderAsync(), 0);
        }

        await run.FinishAsync();
    });

    private Task CheckAsync(string name, IReadOnlyList<Moment> moments, IReadOnlyList<Moment> some, Func<HandRun, Task> act) =>
        // Pods die in all of these, and the canary's entry never does while it has weight.
        HandLab.CheckAsync(name, moments, some, s_first, act, output, canaryMayDie: name != "workload/canary-entry-deleted");

    private static async Task DeleteAsync(HandRun run, string plural, string name)
    {
        await run.ComeAsync();
        var weight = run.Moment == Moment.Back ? 0 : run.Moment.Weight;
        await RemadeAsync(run, plural, name, "template");
        // An outage of stable's own says nothing about the canary.
        Assert.Equal(weight, await run.World.WeightBesideAsync(run.Stable));
        await run.World.UntilAsync(async () => await run.AddressesAsync(run.Stable) == 1, "stable has its address back");
        await run.World.UntilAsync(static s => s.Condition("Available") == "True", "and says so");
        await run.FinishAsync();
    }

    private static async Task RemadeAsync(HandRun run, string plural, string name, string same)
    {
        var before = (await run.GetAsync(plural, name))!.Value;
        var uid = await run.UidAsync(plural, name);
        await run.World.Api.DeleteAsync($"{run.PathOf(plural, name)}?propagationPolicy=Background");
        await run.World.UntilAsync(async () => await run.UidAsync(plural, name) is { Length: > 0 } made && made != uid, $"{plural} {name} is made again");
        var after = (await run.GetAsync(plural, name))!.Value;
        Assert.True(
            JsonElement.DeepEquals(before.GetProperty("spec").GetProperty(same), after.GetProperty("spec").GetProperty(same)),
            $"{name} is made with another {same}:\n{before.GetProperty("spec")}\n{after.GetProperty("spec")}");
    }

    private static async Task ScaledBackAsync(HandRun run, string deployment, int replicas)
    {
        var uid = await run.UidAsync("deployments", deployment);
        await run.PatchAsync("deployments", deployment, $$$"""{"spec":{"replicas":{{{replicas}}} } }""");
        await run.World.UntilAsync(async () => (await run.GetAsync("deployments", deployment))!.Value is var found && found.GetProperty("spec").GetProperty("replicas").GetInt32() == 1
            && found.GetProperty("status").TryGetProperty("availableReplicas", out var available) && available.GetInt32() == 1, $"{deployment} is scaled back from {replicas}");
        Assert.Equal(uid, await run.UidAsync("deployments", deployment));
    }
}
