using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rule 1: brought up in dependency order, all the traffic, no steps, no SLA.</summary>
public sealed class FirstInstallTests
{
    [Fact]
    public void Install_brings_up_dependencies_first_and_gives_it_all_traffic()
    {
        var sim = new Sim();
        sim.Pass();
        sim.Pass();
        Assert.Equal(2, sim.Pods("embedder:1"));
        Assert.Equal(0, sim.Pods("api:1"));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.UntilHealthy();
        Assert.Equal(4, sim.Pods("api:1"));
        Assert.Equal(100, sim.Weight("api:1"));
        Assert.Equal("True Healthy", sim.Condition("Promoted"));
        Assert.Equal(sim.Deployment("api:1")!.Revision, sim.Cluster.Services["assistant"].Revision);
        Assert.Equal(sim.Deployment("embedder:1")!.Revision, sim.Cluster.Services["assistant-embedder"].Revision);
    }

    [Fact]
    public void Metrics_that_nobody_judges_in_an_install_are_not_said_to_be_missing()
    {
        var sim = new Sim();
        sim.Pass();
        Assert.Equal("Unknown NotWatched", sim.Condition("SlaMet"));
        sim.UntilHealthy();
        Assert.Equal("Unknown NotWatched", sim.Condition("SlaMet"));
    }

    [Fact]
    public void Metrics_that_spec_does_not_name_are_said_to_be_missing_until_it_does()
    {
        var sim = new Sim(new SpecText().Put("sla.metrics", "[]")).UntilHealthy();
        Assert.Equal("Unknown NoMetrics", sim.Condition("SlaMet"));
        sim.Edit(static s => s.Put("sla.metrics", "[{name: errors, query: 'errors{service=\"$(service)\"}', limit: {max: 1%}}]")).UntilHealthy();
        Assert.Equal("Unknown NotWatched", sim.Condition("SlaMet"));
    }
}
