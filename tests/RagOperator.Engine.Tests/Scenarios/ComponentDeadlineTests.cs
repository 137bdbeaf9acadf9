using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A component that takes longer than the rest, a model server above all, has a deadline of its own.</summary>
public sealed class ComponentDeadlineTests
{
    [Fact]
    public void Component_that_starts_slowly_has_its_own_time_and_the_others_keep_theirs()
    {
        var sim = Slow(embedder: TimeSpan.FromMinutes(50));
        sim.Run(TimeSpan.FromMinutes(49));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.UntilStep("canary", StepStates.Holding);
        Assert.Null(sim.Status.Rollback);
    }

    [Fact]
    public void What_waits_for_it_is_late_only_by_its_own_time_after_that()
    {
        var sim = Slow(embedder: TimeSpan.FromMinutes(50));
        sim.Cluster.Fail("api:2", "api: CrashLoopBackOff");
        sim.Run(TimeSpan.FromMinutes(69.5));
        Assert.Null(sim.Status.Rollback);
        sim.Run(TimeSpan.FromMinutes(1));
        Assert.Contains("not available within 1h10m: api 0/1", sim.Status.Rollback!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Component_that_outlasts_its_own_time_is_taken_back_by_it()
    {
        var sim = Slow(embedder: TimeSpan.FromMinutes(90));
        sim.Run(TimeSpan.FromMinutes(59.5));
        Assert.Null(sim.Status.Rollback);
        sim.Run(TimeSpan.FromMinutes(1));
        Assert.Contains("not available within 1h: embedder 0/1", sim.Status.Rollback!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_component_without_a_deadline_of_its_own_is_late_as_ever()
    {
        var sim = new Sim().UntilHealthy().Edit(static s => s.Put("components[1].progressDeadline", "1h")).UntilHealthy();
        sim.Cluster.Fail("embedder:2", "embedder: ImagePullBackOff");
        sim.Edit(static s => s.Image("embedder", "embedder:2")).Run(TimeSpan.FromMinutes(11));
        Assert.Contains("not available within 10m: embedder 0/1", sim.Status.Rollback!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deadlines_labels_and_readiness_start_no_rollout()
    {
        var sim = new Sim().UntilHealthy();
        var (release, records) = (sim.Status.StableRevision, sim.Cluster.Records.Count);
        sim.Edit(static s => s.Put("components[0].progressDeadline", "1h").Put("components[0].minReadySeconds", "30").Put("components[1].metadata", "{labels: {team: search}}").Put("traffic.metadata", "{labels: {team: search}}"))
            .Run(TimeSpan.FromMinutes(1));
        Assert.Equal((Phases.Healthy, release, records), (sim.Phase, sim.Status.StableRevision, sim.Cluster.Records.Count));
    }

    /// <summary>A release whose embedder takes so long, with an hour for it.</summary>
    private static Sim Slow(TimeSpan embedder)
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("embedder:2").Start = embedder;
        return sim.Edit(static s => s.Put("components[0].progressDeadline", "1h").Image("embedder", "embedder:2").Image("api", "api:2"));
    }
}
