using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A service that is scaled to nothing at night.</summary>
public sealed class AsleepTests
{
    private static readonly TimeSpan s_night = TimeSpan.FromHours(9);

    private static void Off(SpecText spec) => spec.Put("components[1].replicas", "0");

    private static void On(SpecText spec) => spec.Put("components[1].replicas", "4");

    [Fact]
    public void Stable_that_is_scaled_to_nothing_is_well_and_says_so()
    {
        var sim = new Sim().UntilHealthy().Edit(Off).Run(s_night);
        Assert.Equal((Phases.Healthy, 0), (sim.Phase, sim.Pods("api:1")));
        Assert.Contains("scaled to 0", sim.Message, StringComparison.Ordinal);
        Assert.Equal(("True ScaledToZero", "False ScaledToZero"), (sim.Condition("Ready"), sim.Condition("Available")));
        Assert.DoesNotContain(sim.Events, static e => e.Event.Warning);
        sim.Edit(On).UntilHealthy();
        Assert.Equal(4, sim.Pods("api:1"));
    }

    [Fact]
    public void First_install_without_pods_is_installed()
    {
        var spec = new SpecText();
        Off(spec);
        var sim = new Sim(spec).UntilHealthy();
        Assert.Contains("scaled to 0", sim.Message, StringComparison.Ordinal);
        sim.Edit(On).UntilHealthy();
        Assert.Equal(100, sim.Weight("api:1"));
    }

    [Fact]
    public void Release_that_comes_at_night_waits_for_the_morning()
    {
        var sim = new Sim().UntilHealthy().Edit(Off).Run(TimeSpan.FromMinutes(5));
        sim.Edit(static s => s.Image("api", "api:2")).Run(s_night);
        Assert.Equal((Phases.Suspended, null), (sim.Phase, sim.Status.Rollback));
        Assert.Equal("True ScaledToZero", sim.Condition("Reconciling"));
        Assert.Null(sim.Deployment("api:2"));
        sim.Edit(On).UntilHealthy();
        Assert.Equal("5 10 50 100", sim.Weights("api:2"));
    }

    [Fact]
    public void Rollout_that_is_under_way_sleeps_and_goes_on()
    {
        var sim = new Sim().UntilHealthy().Edit(static s => s.Image("api", "api:2").Put("rollout.steps[2].hold", "4h")).UntilStep("half", StepStates.Holding);
        sim.Edit(Off).Run(s_night);
        Assert.Equal((Phases.Suspended, 0, 0), (sim.Phase, sim.Pods("api:2"), sim.Pods("api:1")));
        Assert.Equal((null, "half"), (sim.Status.Rollback, sim.StepName));
        sim.Edit(On).UntilHealthy(TimeSpan.FromHours(8));
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Weight_that_a_hand_took_is_what_people_read()
    {
        var sim = new Sim().UntilHealthy().Edit(static s => s.Image("api", "api:2").Put("rollout.steps[2].hold", "4h")).UntilStep("half", StepStates.Holding);
        sim.Cluster.Hand("kubectl-edit", (sim.Deployment("api:1")!.Name, 100), (sim.Deployment("api:2")!.Name, 0));
        sim.Run(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 0, Phases.Suspended), (sim.Weight("api:2"), sim.Status.Weight, sim.Phase));
    }
}
