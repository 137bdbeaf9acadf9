using System.Text.Json;
using RagOperator.FaultTests.Hands;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Restores;

/// <summary>How the tests of restores lose things, and what they see afterwards.</summary>
internal static class RestoreLab
{
    private static readonly ServiceSpec s_first = new();

    /// <summary>What a release is made of.</summary>
    private static readonly string[] s_kinds = ["controllerrevisions", "services", "configmaps", "deployments", "httproutes"];

    /// <summary>Runs it in a world of its own, with release 1 installed.</summary>
    public static Task InWorldAsync(string name, Moment moment, Func<HandRun, Task> act, ServiceSpec? next = null) => FaultTable.CaseAsync($"restore/{name}", async () =>
    {
        var bed = await FaultBed.SharedAsync();
        await Lab.InSlotAsync(async () =>
        {
            await using var world = await FaultWorld.CreateAsync(bed, name, []);
            var run = next is null ? new HandRun(world, moment, s_first) : new HandRun(world, moment, s_first) { Next = next };
            try
            {
                await world.InstallAsync(s_first);
                await act(run);
                await world.QuietAsync(TimeSpan.FromSeconds(2));
                Assert.Empty(world.ProcessTroubles());
            }
            catch (Exception e) when (e is NotReachedException or Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{name}, in {world.Namespace}: {e}\n{await world.DescribeAsync()}");
            }

            world.Forget();
        });
    });

    /// <summary>Brings release 2 in and waits until release 1 is gone.</summary>
    public static async Task<StatusView> PromoteAsync(HandRun run)
    {
        await run.ComeAsync();
        await run.FinishAsync();
        await run.World.QuietAsync(TimeSpan.FromSeconds(1));
        return await run.World.StatusAsync();
    }

    /// <summary>Deletes the namespace with all that is in it, and makes an empty one of its name.</summary>
    public static async Task LoseNamespaceAsync(HandRun run)
    {
        using var cluster = ClusterBed.FromEnvironment();
        (await cluster.KubectlAsync("delete", "namespace", run.World.Namespace, "--timeout=120s")).OrThrow();
        (await cluster.KubectlAsync("create", "namespace", run.World.Namespace)).OrThrow();
        // Without it no pod is let in.
        await run.World.UntilAsync(async () => await run.World.Api.GetAsync($"/api/v1/namespaces/{run.World.Namespace}/serviceaccounts/default") is { } account
            && account.TryGetProperty("secrets", out _), "the namespace is ready");
    }

    /// <summary>Holds that release 2 is stable as before, and that the operator did nothing but adopt.</summary>
    public static async Task CheckAtRestAsync(HandRun run, StatusView before, int from)
    {
        var after = await run.World.UntilAsync(static s => s.Phase == "Healthy", "Healthy again");
        Assert.Equal((before.Stable, Release(before)), (after.Stable, Release(after)));
        await run.World.UntilAsync(() => run.ToldAsync("Restored", "as stable"), "an event tells of it");
        await run.World.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(("", ""), ((await run.World.StatusAsync()).Canary, (await run.World.StatusAsync()).Failed));
        Assert.Empty(Made(run, from));
        Assert.Empty(Course(run, from));
        // The restore made the pods of three components; the operator had none of them made again.
        Assert.Equal((3, 3), (await CountReplicaSetsAsync(run), await CountAsync(run, "pods")));
        var owner = (await run.World.ObjectAsync())!.Value.GetProperty("metadata").GetProperty("uid").GetString();
        foreach (var kind in s_kinds)
        {
            Assert.All(await run.World.Api.ListAsync($"{run.PathOf(kind)}?labelSelector=ragoperator.dev%2Fname%3Dassistant"), child =>
                Assert.Equal(owner, child.GetProperty("metadata").GetProperty("ownerReferences")[0].GetProperty("uid").GetString()));
        }
    }

    private static long Release(StatusView status) => status.Object!.Value.GetProperty("status").GetProperty("release").GetInt64();

    public static async Task<int> CountAsync(HandRun run, string kind) => (await run.World.Api.ListAsync(run.PathOf(kind))).Count;

    private static async Task<int> CountReplicaSetsAsync(HandRun run) => (await run.World.Api.ListAsync($"/apis/apps/v1/namespaces/{run.World.Namespace}/replicasets")).Count;

    public static async Task<bool> IsFlagOnAsync(HandRun run) =>
        await run.GetAsync("configmaps", $"{run.Canary}-flags") is { } map && IsOn(map);

    private static bool IsOn(JsonElement map) => map.GetProperty("data").GetProperty("flags.env").GetString()!.Contains("=true", StringComparison.Ordinal);

    /// <summary>What the operator created since then: Deployments of the restored releases must not be among it.</summary>
    public static IReadOnlyList<string> Made(HandRun run, int from) =>
        [.. Accepted(run, from).Where(d => d.Call.Verb == "create" && s_kinds.Contains(d.Call.Resource)).Select(static d => $"{d.Call.Resource} {d.Call.Name}")];

    /// <summary>The canary's weight and its flag in the order in which the operator wrote them, each once.</summary>
    public static IReadOnlyList<string> Course(HandRun run, int from)
    {
        var course = new List<string>();
        foreach (var deed in Accepted(run, from))
        {
            var step = deed.Call switch
            {
                { Resource: "httproutes" } when JsonElement.Parse(deed.Body.Span).TryGetProperty("spec", out _) => $"weight {WeightIn(deed.Answer, run.Canary)}",
                { Resource: "configmaps" } when deed.Call.Name == $"{run.Canary}-flags" && JsonElement.Parse(deed.Body.Span).TryGetProperty("data", out _) => $"flag {IsOn(deed.Answer)}",
                _ => null,
            };
            if (step is not null && !course.Contains(step))
                course.Add(step);
        }

        return course;
    }

    private static int WeightIn(JsonElement route, string service) => route.GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs").EnumerateArray()
        .Where(b => b.GetProperty("name").GetString() == service).Sum(static b => b.GetProperty("weight").GetInt32());

    private static IEnumerable<Deed> Accepted(HandRun run, int from) => run.World.Proxy.Trajectory.All.Skip(from).Where(static d => d.Accepted);
}
