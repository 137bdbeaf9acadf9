using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rules 2 to 6, when all goes well.</summary>
public sealed class HappyPathTests
{
    [Fact]
    public void Rollout_walks_every_step_and_ends_healthy_and_silent()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("full", StepStates.Holding);
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
        Assert.Equal(4, sim.Pods("api:1"));
        sim.UntilHealthy();
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(0, sim.Pods("api:1"));
        Assert.Equal(100, sim.Weight("api:2"));
        var writes = sim.Trajectory.Count;
        sim.Run(TimeSpan.FromDays(30));
        Assert.Equal(writes, sim.Trajectory.Count);
        Assert.Null(sim.Last.NextLook);
        Assert.Null(sim.Last.Look);
    }
}
