using System.Text.Json;
using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Objects that come back without their status.</summary>
public sealed class RestoreTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_first = new();

    [SkippableFact]
    public Task Hand_wipes_the_status() => CheckAsync("restore/status-wiped", [Moment.Few, Moment.Back], static run => WipeAsync(run));

    [SkippableFact]
    public Task Hand_deletes_the_object_alone_and_applies_it_again() => CheckAsync("restore/orphaned", [Moment.Full], static run => OrphanAsync(run));

    [SkippableFact]
    public Task Hand_wipes_the_status_of_one_that_is_rolled_back() => CheckRolledBackAsync("restore/status-wiped-rolled-back", static run => WipeAsync(run));

    [SkippableFact]
    public Task Hand_deletes_one_that_is_rolled_back_alone_and_applies_it_again() => CheckRolledBackAsync("restore/orphaned-rolled-back", static run => OrphanAsync(run));

    /// <summary>Nothing but the route tells of the canary then: what is behind its entry must not pass for left over.</summary>
    [SkippableFact]
    public Task Hand_wipes_the_status_and_spec_names_stable_again() => HandLab.CheckAsync("restore/status-wiped-spec-back", Moment.Steps, [Moment.Half], s_first, static async run =>
    {
        await run.ComeAsync();
        var embedder = await run.CanaryEmbedderAsync();
        await run.World.Bed.Gateway.SetAsync(run.World.Namespace, GatewayMood.Silent);
        run.World.Operator.Pause();
        try
        {
            await run.World.ApplyAsync(s_first);
            await WipeAsync(run, isNoticed: false);
        }
        finally
        {
            run.World.Operator.Resume();
        }

        await run.World.UntilAsync(async () => await run.World.WeightBesideAsync(run.Stable) == 0, "all goes back to stable");
        await run.World.QuietAsync(TimeSpan.FromSeconds(3));
        Assert.NotNull(await run.GetAsync("deployments", run.Canary));
        Assert.NotNull(await run.GetAsync("deployments", embedder));
        await run.World.Bed.Gateway.SetAsync(run.World.Namespace, GatewayMood.Accepts);
        await run.World.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false }, "the canary is gone");
        await run.World.UntilAsync(async () => await run.GetAsync("deployments", embedder) is null && await run.GetAsync("deployments", run.Canary) is null, "and its pods with it");
        Assert.Equal(run.Stable, await run.World.StableServiceAsync());
    }, output);

    private Task CheckAsync(string name, IReadOnlyList<Moment> some, Func<HandRun, Task> lose) => HandLab.CheckAsync(name, Moment.All, some, s_first, async run =>
    {
        await run.ComeAsync();
        var stable = (await run.World.StatusAsync()).Stable;
        var uid = await run.UidAsync("deployments", run.Stable);
        var from = run.World.Proxy.Trajectory.All.Count;
        await lose(run);
        var found = await run.World.UntilAsync(static s => s.Stable.Length > 0, "stable is found again");
        Assert.Equal(stable, found.Stable);
        if (run.Moment != Moment.Back)
        {
            await run.World.UntilAsync(s => s.StepName == run.Moment.Step && s.StepState == "Waiting" && s.Weight == run.Moment.Weight, "at the step again");
            // Down first, and then from the first step on.
            Assert.Equal(Moment.Steps.Select(static m => m.Weight).Where(w => w <= run.Moment.Weight).Prepend(0), Weights(run, from).Distinct());
        }

        await run.FinishAsync();
        Assert.True(await run.ToldAsync("Restored", "as stable"), "an event tells of it");
        if (run.Moment == Moment.Back)
            Assert.Equal(uid, await run.UidAsync("deployments", run.Stable));
        Assert.DoesNotContain(run.World.Proxy.Trajectory.All, d => d.Accepted && d.Call is { Verb: "create", Resource: "deployments" } && d.Call.Name == run.Stable && d.Place.Length > 0);
    }, output);

    private Task CheckRolledBackAsync(string name, Func<HandRun, Task> lose) => HandLab.CheckAsync(name, [Moment.Back], [Moment.Back], s_first, async run =>
    {
        await run.ComeAsync();
        await run.FinishAsync();
        var failed = (await run.World.StatusAsync()).Failed;
        var uid = await run.UidAsync("deployments", run.Stable);
        var from = run.World.Proxy.Trajectory.All.Count;
        await lose(run);
        await run.EndRolledBackAsync();
        Assert.Equal(failed, (await run.World.StatusAsync()).Failed);
        Assert.Equal(uid, await run.UidAsync("deployments", run.Stable));
        await run.World.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.All(Weights(run, from), w => Assert.Equal(0, w));
    }, output);

    private static async Task WipeAsync(HandRun run, bool isNoticed = true)
    {
        var (status, body) = await run.World.Api.SendAsync(HttpMethod.Patch, $"{run.PathOf("ragdeployments", "assistant")}/status?fieldManager=somebody", """{"status":null}""", "application/merge-patch+json");
        Assert.True(status == 200, $"{status} {body}");
        if (isNoticed)
            await run.World.UntilAsync(() => run.ToldAsync("Restored", "as stable"), "the loss is noticed");
    }

    private static async Task OrphanAsync(HandRun run)
    {
        await run.World.Api.DeleteAsync($"{run.PathOf("ragdeployments", "assistant")}?propagationPolicy=Orphan");
        await run.World.UntilAsync(async () => await run.World.ObjectAsync() is null, "the object is gone");
        Assert.NotNull(await run.GetAsync("deployments", run.Stable));
        await run.World.ApplyAsync(run.Next);
        await run.World.UntilAsync(() => run.ToldAsync("Restored", "as stable"), "stable is found");
    }

    /// <summary>The canary's weight in each write of the route's backends.</summary>
    private static IEnumerable<int> Weights(HandRun run, int from) => run.World.Proxy.Trajectory.All.Skip(from)
        .Where(static d => d is { Accepted: true, Call: { Kind: "httproutes", Verb: "patch" or "create" } })
        .Where(static d => JsonElement.Parse(d.Body.Span).TryGetProperty("spec", out _))
        .Select(d => d.Answer.GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs").EnumerateArray()
            .Where(b => b.GetProperty("name").GetString() == run.Canary).Sum(b => b.GetProperty("weight").GetInt32()));
}
