using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>The Gateway API is not installed, or taken away. All worlds share it: these tests run after all others, one by one.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <inheritdoc cref="Alone"/>
[Collection(Alone.Name)]
public sealed class RouteKindTests(ITestOutputHelper output)
{
    private const string Definition = "customresourcedefinitions/httproutes.gateway.networking.k8s.io";

    [SkippableFact]
    public Task Hand_takes_the_gateway_api_away_and_brings_it_back() => HandLab.CheckAsync(
        "gateway/kind-missing", [Moment.Half], [Moment.Half], new ServiceSpec(), static async run =>
        {
            await run.ComeAsync();
            using var cluster = ClusterBed.FromEnvironment();
            var canary = await run.UidAsync("deployments", run.Canary);
            (await cluster.KubectlAsync("delete", Definition, "--timeout=60s")).OrThrow();
            // One that is made without it waits with its pods up; one that is deleted without it goes.
            await using var early = await FaultWorld.CreateAsync(run.World.Bed, "kind-absent", []);
            await using var left = await FaultWorld.CreateAsync(run.World.Bed, "kind-deleted", []);
            try
            {
                await early.ApplyAsync(new ServiceSpec());
                await left.ApplyAsync(new ServiceSpec());
                var stopped = await run.World.UntilAsync(static s => s.Phase == "Suspended" && s.Message.Contains("HTTPRoute is not installed", StringComparison.Ordinal), "it says what is missing");
                Assert.Equal(("", false), (stopped.Failed, stopped.RollbackDecided));
                foreach (var world in (FaultWorld[])[early, left])
                    await world.UntilAsync(static s => s.Phase == "Suspended" && s.Stable.Length > 0 && s.Message.Contains("HTTPRoute is not installed", StringComparison.Ordinal), "it says what is missing at the start");
                await left.DeleteAsync();
                await left.UntilAsync(async () => await left.ObjectAsync() is null, "deletion ends without the Gateway API");
                await run.World.QuietAsync(TimeSpan.FromSeconds(2));
            }
            finally
            {
                (await cluster.KubectlAsync("apply", "--validate=false", "-f", Path.Combine(ClusterBed.Repository, "tests/TestBed/manifests/gateway-api.yaml"))).OrThrow();
            }

            await early.UntilAsync(static s => s.Phase == "Healthy", "it serves as soon as the kind is there");
            await run.FinishAsync();
            Assert.Equal(canary, await run.UidAsync("deployments", run.Canary));
            Assert.Null(await early.StopOperatorAsync());
            early.Forget();
            left.Forget();
        }, output);
}
