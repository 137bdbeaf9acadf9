using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A release's ControllerRevision was deleted by hand: nothing rises, and what only lowers still happens.</summary>
public sealed class LostRecordTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim InHalf() => new Sim(new SpecText().Flag("replay", true)).UntilHealthy()
        .Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);

    private static void Lose(Sim sim, string? hash) => sim.Cluster.Records.Remove(sim.Cluster.Records.Values.Single(r => r.Release?.Hash == hash).Name);

    [Fact]
    public void Newer_spec_takes_the_canary_back_although_nobody_knows_what_stable_is()
    {
        var sim = InHalf();
        Lose(sim, sim.Status.StableRevision);
        sim.Edit(static s => s.Image("api", "api:3")).Run(s_minute);
        Assert.Equal((100, 0), (sim.Weight("api:1"), sim.Weight("api:2")));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Equal("True RecordLost", sim.Condition("Available"));
        Assert.True(sim.Told("Superseded"));
        Assert.Null(sim.Deployment("api:3"));
        sim.Edit(static s => s.Image("api", "api:1")).UntilHealthy();
        Assert.Equal(100, sim.Weight("api:1"));
        Assert.Single(sim.Trajectory, static s => s.Write is CreateDeployment { Component: "api" } d && d.Release.Number == 1);
    }

    [Fact]
    public void Canary_is_not_taken_back_before_stable_has_an_address()
    {
        var sim = InHalf();
        Lose(sim, sim.Status.StableRevision);
        foreach (var pod in sim.Deployment("api:1")!.Pods) pod.ReadyAt = sim.Now + TimeSpan.FromMinutes(5);
        sim.Edit(static s => s.Image("api", "api:3")).Run(s_minute);
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Contains("ready address", sim.Message, StringComparison.Ordinal);
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal((100, 0), (sim.Weight("api:1"), sim.Weight("api:2")));
    }

    [Fact]
    public void Abort_is_carried_out_and_other_requests_are_refused()
    {
        var sim = InHalf();
        Lose(sim, sim.Status.StableRevision);
        sim.Ask("promote/current").Run(s_minute);
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        sim.Ask("abort/current").Run(s_minute);
        Assert.Equal("Accepted", sim.Status.LastRequest!.Outcome);
        Assert.Equal((100, 0), (sim.Weight("api:1"), sim.Weight("api:2")));
        Assert.NotNull(sim.Status.FailedRevision);
        Assert.True(sim.Told("RolledBack"));
        sim.Ask("retry/current").Run(s_minute);
        Assert.Equal("Refused", sim.Status.LastRequest!.Outcome);
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Flag_that_spec_disables_goes_off_everywhere()
    {
        var sim = InHalf();
        Assert.Equal("replay", sim.Flags("api:1"));
        Lose(sim, sim.Status.StableRevision);
        sim.Edit(static s => s.Flag("replay", false)).Run(s_minute);
        Assert.Equal(("", ""), (sim.Flags("api:1"), sim.Flags("api:2")));
    }

    [Fact]
    public void Canary_that_spec_still_names_goes_on()
    {
        var sim = InHalf();
        Lose(sim, sim.Status.CanaryRevision);
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Theory]
    [InlineData("api:3")]
    [InlineData("api:1")]
    public void Canary_that_nobody_knows_stays_as_it_is(string image)
    {
        // Its record may only be out of sight: then it must not pass for another release, and its pods not for left over.
        var sim = InHalf();
        var (writes, canary) = (sim.Trajectory.Count, sim.Status.CanaryRevision);
        Lose(sim, canary);
        sim.Edit(s => s.Image("api", image).Image("embedder", "embedder:3")).Run(TimeSpan.FromMinutes(5));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Equal((Phases.Suspended, canary), (sim.Phase, sim.Status.CanaryRevision));
        Assert.DoesNotContain(sim.Trajectory.Skip(writes), static s => s.Write is DeleteChild or ApplyRoute or CreateDeployment);
    }

    [Fact]
    public void Canary_whose_record_is_hidden_after_a_flag_was_struck_is_not_taken_for_another_release()
    {
        var sim = InHalf();
        sim.Edit(static s => s.Flag("replay", false)).Run(s_minute);
        var canary = sim.Status.CanaryRevision;
        var record = sim.Cluster.Records.Values.Single(r => r.Release?.Hash == canary);
        sim.Cluster.Records.Remove(record.Name);
        sim.Run(s_minute);
        Assert.Equal((50, canary), (sim.Weight("api:2"), sim.Status.CanaryRevision));
        sim.Cluster.Records[record.Name] = record;
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Pause_outlives_the_canary_that_gave_way()
    {
        var sim = InHalf();
        sim.Ask("pause/current").Run(s_minute);
        Lose(sim, sim.Status.StableRevision);
        sim.Edit(static s => s.Image("api", "api:3")).Run(s_minute);
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.NotNull(sim.Status.Paused);
    }
}
