using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A gateway that accepts routes without saying which generation (Linkerd).</summary>
public sealed class SettleTests
{
    private static Sim Undated(SpecText spec)
    {
        var sim = new Sim(spec);
        sim.Cluster.GatewayIsUndated = true;
        sim.Cluster.ParentMessage = "says Accepted without observedGeneration";
        return sim;
    }

    [Fact]
    public void Without_settle_its_word_never_counts_and_the_message_says_so()
    {
        var sim = Undated(new SpecText()).Run(TimeSpan.FromHours(1));
        Assert.Equal(Phases.Progressing, sim.Phase);
        Assert.Contains("without observedGeneration", sim.Message, StringComparison.Ordinal);
        sim.Edit(static s => s.Put("traffic.settle", "5s")).UntilHealthy(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Weight_counts_as_verified_that_long_after_it_was_written()
    {
        var sim = Undated(new SpecText().Put("traffic.settle", "20s")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).Until(static s => s.Weight("api:2") == 5);
        sim.Run(TimeSpan.FromSeconds(19));
        Assert.Equal((0, StepStates.Shifting), (sim.Status.Weight, sim.Status.Step!.State));
        sim.Run(TimeSpan.FromSeconds(2));
        Assert.Equal((5, StepStates.Holding), (sim.Status.Weight, sim.Status.Step!.State));
        sim.UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Rollback_is_verified_that_way_too()
    {
        var sim = Undated(new SpecText().Put("traffic.settle", "20s")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Ask("abort/current").Run(TimeSpan.FromSeconds(5));
        Assert.Equal((0, null), (sim.Weight("api:2"), sim.Status.Rollback!.VerifiedAt));
        sim.Run(TimeSpan.FromSeconds(20));
        Assert.NotNull(sim.Status.Rollback!.VerifiedAt);
    }

    [Fact]
    public void Restart_only_makes_it_wait_longer()
    {
        var sim = Undated(new SpecText().Put("traffic.settle", "20s")).UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).Until(static s => s.Weight("api:2") == 5).Run(TimeSpan.FromSeconds(15)).Restart().Run(TimeSpan.FromSeconds(15));
        Assert.Equal(StepStates.Shifting, sim.Status.Step!.State);
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(StepStates.Holding, sim.Status.Step!.State);
    }
}
