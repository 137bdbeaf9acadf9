using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A canary with weight that no request reaches.</summary>
public sealed class NoRequestsTests
{
    private static Sim Rolling()
    {
        var sim = new Sim(new SpecText().Put("sla.volume", "{query: 'requests{service=\"$(service)\"}', min: 100}")).UntilHealthy();
        return sim.Edit(static s => s.Image("api", "api:2").Put("rollout.steps[2].hold", "6h")).UntilStep("half", StepStates.Holding);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Canary_without_requests_beside_a_busy_stable_is_suspended_and_never_taken_back(bool hasSeries)
    {
        var sim = Rolling();
        sim.Metrics.Set("requests", "api:2", hasSeries ? static () => MetricAnswer.Of(0) : static () => new MetricAnswer(AnswerKind.NoData));
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((Phases.Suspended, "True NoRequests"), (sim.Phase, sim.Condition("Reconciling")));
        Assert.Single(sim.Events, static e => e.Event.Reason == "NoRequests");
        sim.Restart().Run(TimeSpan.FromHours(5));
        Assert.Equal((Phases.Suspended, 50, null), (sim.Phase, sim.Weight("api:2"), sim.Status.Rollback));

        sim.Metrics.Set("requests", "api:2", static () => MetricAnswer.Of(1500));
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((Phases.Progressing, null), (sim.Phase, sim.Status.Step!.NoRequestsSince));
    }

    [Fact]
    public void Quiet_night_is_no_fault_of_the_gateway()
    {
        var sim = Rolling();
        sim.Metrics.Set("requests", "api:2", 0);
        sim.Metrics.Set("requests", "api:1", 0.4);
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal((Phases.Progressing, false), (sim.Phase, sim.Told("NoRequests")));
    }
}
