using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests;

/// <summary>A flag is to go off, and something in the cluster refuses its file: nobody may read that all is well.</summary>
public sealed class KillSwitchRefusedTests
{
    [SkippableFact]
    public Task Kill_switch_whose_file_is_refused_is_told_until_it_is_taken() =>
        FaultTable.CaseAsync("api/kill switch refused (403)", static () => Lab.InSlotAsync(PlayAsync));

    private static async Task PlayAsync()
    {
        await using var world = await FaultWorld.CreateAsync(await FaultBed.SharedAsync(), "kill-switch", []);
        var spec = new ServiceSpec { Flag = true };
        await world.InstallAsync(spec);
        world.Proxy.Trajectory.Arm();
        world.Proxy.Refuse = static call => call is { Resource: "configmaps", IsWrite: true } ? 403 : null;
        await world.ApplyAsync(spec with { Flag = false });

        var told = await world.UntilAsync(static s => s.Reason("Ready") == "FlagsNotWritten", "the refusal told in status");
        Assert.Equal("Progressing", told.Phase);
        Assert.Contains("has not been told its flags (replay off): injected: Forbidden", told.Message, StringComparison.Ordinal);
        await world.RestartOperatorAsync();
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("FlagsNotWritten", (await world.StatusAsync()).Reason("Ready"));

        world.Proxy.Refuse = static _ => null;
        await world.UntilAsync(static s => s.Phase == "Healthy", "well once it is taken");
        Assert.True(world.IsFlagOff);
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(Invariants.Broken(world.Proxy.Trajectory.All));
        Assert.Empty(world.ProcessTroubles());
        world.Forget();
    }
}
