using RagOperator.FaultTests.Hands;
using RagOperator.FaultTests.Worlds;
using static RagOperator.FaultTests.Restores.RestoreLab;

namespace RagOperator.FaultTests.Restores;

/// <summary>A namespace is dumped, deleted whole, made again and brought back by the commands of docs/upgrade.md, on a real API server with its own
/// controllers, while the operator runs. What a restored cluster has beyond that, its nodes and its gateway, is the same here.</summary>
public sealed class NamespaceRestoreTests
{
    [SkippableFact]
    public Task At_rest_the_same_release_is_stable_and_nothing_is_made_twice() => InWorldAsync("back-at-rest", Moment.Full, async run =>
    {
        var before = await PromoteAsync(run);
        using var dump = await Dump.TakeAsync(run.World);
        await LoseNamespaceAsync(run);
        var from = run.World.Proxy.Trajectory.All.Count;
        await dump.RestoreAsync();
        await CheckAtRestAsync(run, before, from);
    });

    [SkippableFact]
    public Task Midway_the_canary_goes_to_zero_and_begins_at_the_first_step_with_its_flag_off() => InWorldAsync("back-midway", Moment.Half, async run =>
    {
        await run.ComeAsync();
        var before = await run.World.StatusAsync();
        await run.World.UntilAsync(() => IsFlagOnAsync(run), "the step's flag is on");
        using var dump = await Dump.TakeAsync(run.World);
        await LoseNamespaceAsync(run);
        var from = run.World.Proxy.Trajectory.All.Count;
        await dump.RestoreAsync();

        Assert.True(await IsFlagOnAsync(run) || Course(run, from).Contains("flag False"), "it came back as it was dumped");
        var found = await run.World.UntilAsync(static s => s.Stable.Length > 0, "stable is found");
        Assert.Equal(before.Stable, found.Stable);
        await run.World.UntilAsync(s => s.StepName == "half" && s.StepState == "Waiting" && s.Weight == 50, "at the step again");
        await run.World.UntilAsync(() => IsFlagOnAsync(run), "its flag again");
        var course = Course(run, from);
        Assert.Equal(["flag False", "weight 0"], course.Take(2).Order(StringComparer.Ordinal));
        Assert.Equal(["weight 10", "weight 50", "flag True"], course.Skip(2));
        Assert.Empty(Made(run, from));
        await run.FinishAsync();
    }, next: new ServiceSpec { Api = "2", Flag = true, ApprovalAt = "half" });

    [SkippableFact]
    public Task A_failed_release_stays_failed() => InWorldAsync("back-failed", Moment.Half, async run =>
    {
        await run.ComeAsync();
        await run.World.RequestAsync("abort/current");
        await run.EndRolledBackAsync();
        var before = await run.World.StatusAsync();
        using var dump = await Dump.TakeAsync(run.World);
        await LoseNamespaceAsync(run);
        var from = run.World.Proxy.Trajectory.All.Count;
        await dump.RestoreAsync();

        // Its pods are new.
        await run.World.UntilAsync(static s => s.Condition("Available") == "True", "stable's pods are there again");
        await run.EndRolledBackAsync();
        var after = await run.World.StatusAsync();
        Assert.Equal((before.Stable, before.Failed), (after.Stable, after.Failed));
        await run.World.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.DoesNotContain(Course(run, from), static step => step is not "weight 0");
        Assert.Empty(Made(run, from));
    });
}
