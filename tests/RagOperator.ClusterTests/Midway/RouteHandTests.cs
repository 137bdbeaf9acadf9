using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Midway;

/// <summary>Somebody changes the weights on the route by hand.</summary>
public sealed class RouteHandTests(RouteHandTests.Shared shared) : IClassFixture<RouteHandTests.Shared>
{
    private static readonly string[] s_steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1h}"];

    private TestSpace Space => shared.Space;

    [SkippableFact]
    public async Task Lowered_is_obeyed_and_pauses_until_resume_and_raised_is_undone()
    {
        await Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = s_steps });
        var status = await Space.UntilHoldingAsync("half", 50);
        var (stable, canary) = (await Space.EntryOfAsync(status.StableRevision!), await Space.EntryOfAsync(status.CanaryRevision!));

        await PatchAsync(stable, 80, canary, 20);
        status = await Space.UntilAsync(s => s.Phase == "Suspended" && s.Paused is not null, TimeSpan.FromSeconds(15), "paused by the hand");
        Assert.Contains("kubectl-patch", status.Paused!.By, StringComparison.Ordinal);
        Assert.Contains("kubectl-patch lowered the weight to 20%", status.Message, StringComparison.Ordinal);
        await Space.StaysAsync(async () => (await Space.WeightsAsync())[canary] == 20, TimeSpan.FromSeconds(4));
        Assert.Contains(await Space.EventsAsync(), e => e.Reason == "WeightLowered" && e.Note.Contains("kubectl-patch", StringComparison.Ordinal) && e.Note.Contains("20%", StringComparison.Ordinal));

        await Space.RequestAsync("resume/current");
        var resumed = await Space.UntilAsync(s => s is { Paused: null, Weight: 50, Step: { Name: "half", State: "Holding" } }, TestSpace.Patience, "resumed at half");
        Assert.Equal(50, (await Space.WeightsAsync())[canary]);
        Assert.True(resumed.Step!.StartedAt > status.Step!.StartedAt, "resume enters the step anew");

        await PatchAsync(stable, 10, canary, 90);
        await Space.UntilAsync(async () => (await Space.WeightsAsync())[canary] == 50, TimeSpan.FromSeconds(10), "the raise is undone");
        await Space.UntilAsync(async () => (await Space.EventsAsync()).Any(e => e.Reason == "WeightRestored" && e.Note.Contains("kubectl-patch", StringComparison.Ordinal) && e.Note.Contains("90%", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(10), "the undone raise is told");
        Assert.Null((await Space.StatusAsync()).Paused);
    }

    private async Task PatchAsync(string stable, int ofStable, string canary, int ofCanary)
    {
        var names = (await Space.RouteAsync()).GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs").EnumerateArray().Select(b => b.Text("name")).ToList();
        var patch = string.Join(", ", names.Select((name, i) => $$"""{"op": "replace", "path": "/spec/rules/0/backendRefs/{{i}}/weight", "value": {{(name == canary ? ofCanary : ofStable)}}}"""));
        Assert.Equal([canary, stable], names.OrderBy(n => n == stable));
        (await Space.Bed.KubectlAsync("patch", "httproute", "assistant", "-n", Space.Namespace, "--type=json", "-p", $"[{patch}]")).OrThrow();
    }

    public sealed class Shared() : InstalledSpace("route-hand");
}
