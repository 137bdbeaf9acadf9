using RagOperator.FaultTests.Hands;
using static RagOperator.FaultTests.Restores.RestoreLab;

namespace RagOperator.FaultTests.Restores;

/// <summary>One object alone; and what the page warns of: owner references left in, the object before its children.</summary>
public sealed class OtherRestoreTests
{
    [SkippableFact]
    public Task One_object_comes_back_to_an_operator_that_starts_afterwards() => InWorldAsync("back-alone", Moment.Full, async run =>
    {
        var before = await PromoteAsync(run);
        using var dump = await Dump.TakeAsync(run.World, "assistant");
        run.World.LetEnd();
        Assert.Equal(0, await run.World.Operator.TerminateAsync(TimeSpan.FromSeconds(30)));
        await run.World.Api.DeleteAsync($"{run.PathOf("ragdeployments", "assistant")}?propagationPolicy=Foreground");
        await run.World.UntilAsync(async () => await run.World.ObjectAsync() is null && await CountAsync(run, "pods") == 0, "object and children are gone");
        var from = run.World.Proxy.Trajectory.All.Count;
        await dump.RestoreAsync();
        await run.World.RestartOperatorAsync();
        await CheckAtRestAsync(run, before, from);
    });

    [SkippableFact]
    public Task With_owner_references_left_in_all_is_collected_and_installed_anew() => InWorldAsync("back-owned", Moment.Full, async run =>
    {
        await PromoteAsync(run);
        using var dump = await Dump.TakeAsync(run.World);
        await LoseNamespaceAsync(run);
        var from = run.World.Proxy.Trajectory.All.Count;
        await dump.RestoreWithOwnersAsync();
        await run.World.UntilAsync(static s => s.Phase == "Healthy", "installed anew");

        Assert.Equal(3, Made(run, from).Count(static m => m.StartsWith("deployments ", StringComparison.Ordinal)));
        Assert.False(await run.ToldAsync("Restored", "as stable"));
        // What was known of earlier releases is gone with their records: numbers begin again.
        Assert.Equal(1, (await run.World.ObjectAsync())!.Value.GetProperty("status").GetProperty("release").GetInt64());
    });

    [SkippableFact]
    public Task An_object_that_comes_back_before_its_children_is_no_first_install_once_they_are_there() => InWorldAsync("back-too-early", Moment.Half, async run =>
    {
        await run.ComeAsync();
        var before = await run.World.StatusAsync();
        using var dump = await Dump.TakeAsync(run.World);
        await LoseNamespaceAsync(run);
        var from = run.World.Proxy.Trajectory.All.Count;
        await dump.RestoreObjectsAsync();
        await run.World.UntilAsync(static s => s.StepName == "install", "taken for a first install");
        // As pods that take longer to start than a restore does.
        run.World.Operator.Pause();
        await dump.RestoreChildrenAsync();
        run.World.Operator.Resume();

        var found = await run.World.UntilAsync(static s => s.Stable.Length > 0, "stable is found");
        Assert.Equal(before.Stable, found.Stable);
        await run.World.UntilAsync(s => s.StepName == "half" && s.StepState == "Waiting" && s.Weight == 50, "at the step");
        Assert.Equal(["weight 0", "weight 10", "weight 50"], Course(run, from));
        await run.World.UntilAsync(() => run.ToldAsync("Restored", "as stable"), "an event tells of it");
        Assert.Equal(run.Stable, await run.World.StableServiceAsync());
        await run.FinishAsync();
    });
}
