using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A lost status, an object created again, orphans, names that somebody else holds, records deleted by hand.</summary>
public sealed class RestoreTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim InStep(string step)
    {
        var sim = new Sim().UntilHealthy();
        return sim.Edit(static s => s.Image("api", "api:2")).UntilStep(step, StepStates.Holding);
    }

    private static void WipeStatus(Sim sim)
    {
        sim.Cluster.StatusText = null;
        sim.Cluster.StatusVersion++;
    }

    [Fact]
    public void Status_wiped_while_healthy_finds_stable_and_touches_no_pod()
    {
        var sim = InStep("full").UntilHealthy().Run(TimeSpan.FromMinutes(5));
        WipeStatus(sim);
        var writes = sim.Trajectory.Count;
        sim.Run(s_minute);
        Assert.Equal(Phases.Healthy, sim.Phase);
        Assert.Equal(2, sim.Status.Release);
        Assert.True(sim.Told("Restored"));
        Assert.DoesNotContain(sim.Trajectory.Skip(writes), static s => s.Write is CreateDeployment or ScaleDeployment or ApplyRoute or ApplyStableService or DeleteChild { Kind: not ChildKind.ControllerRevision });
    }

    [Fact]
    public void Status_wiped_midway_takes_the_canary_to_zero_verified_and_begins_at_the_first_step()
    {
        var sim = InStep("half");
        sim.Cluster.GatewayDelay = TimeSpan.FromSeconds(30);
        WipeStatus(sim);
        sim.Run(TimeSpan.FromSeconds(29));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(4, sim.Pods("api:1"));
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Equal("5 10 50 0 5", sim.Weights("api:2"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Status_wiped_after_a_rollback_never_gives_the_failed_release_traffic()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(TimeSpan.FromMinutes(2));
        WipeStatus(sim);
        sim.Run(TimeSpan.FromHours(3));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True RolledBack", sim.Condition("RolledBack"));
        sim.Ask("retry/current").Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Status_wiped_during_a_first_install_goes_on_installing()
    {
        var sim = new Sim();
        sim.Run(TimeSpan.FromSeconds(7));
        WipeStatus(sim);
        sim.UntilHealthy();
        Assert.Equal(1, sim.Status.Release);
        Assert.Single(sim.Trajectory, static s => s.Write is CreateDeployment { Component: "embedder" });
    }

    [Fact]
    public void Status_wiped_right_after_the_promotion_ends_with_the_new_release_serving()
    {
        var sim = InStep("full");
        sim.Until(static s => s.Status.StableRevision == s.Status.History![0].Revision && s.Status.Release == 2 && s.Status.CanaryRevision is null);
        WipeStatus(sim);
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Object_restored_with_orphans_adopts_them_without_an_outage()
    {
        var sim = InStep("full").UntilHealthy().Run(TimeSpan.FromMinutes(5));
        sim.Cluster.Delete(orphan: true);
        sim.Run(s_minute);
        sim.Cluster.Create(sim.Spec.Json());
        var writes = sim.Trajectory.Count;
        sim.Restart().UntilHealthy(s_minute);
        Assert.All(sim.Cluster.Children(), c => Assert.Equal(sim.Cluster.Uid, c.OwnerUid));
        Assert.IsType<Adopt>(sim.Trajectory[writes + 1].Write);
        Assert.DoesNotContain(sim.Trajectory.Skip(writes), static s => s.Write is CreateDeployment or ScaleDeployment or ApplyRoute);
        Assert.Equal(2, sim.Status.Release);
    }

    [Fact]
    public void Object_restored_with_orphans_and_another_spec_is_no_first_install()
    {
        var sim = InStep("full").UntilHealthy().Run(TimeSpan.FromMinutes(5));
        sim.Cluster.Delete(orphan: true);
        sim.Spec.Image("api", "api:3");
        sim.Cluster.Create(sim.Spec.Json());
        sim.Restart().Run(s_minute);
        Assert.Equal((95, 5), (sim.Weight("api:2"), sim.Weight("api:3")));
        sim.UntilHealthy();
    }

    [Fact]
    public void Children_of_an_earlier_uid_are_waited_for()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Delete(orphan: false);
        sim.Cluster.Create(sim.Spec.Json());
        sim.Restart().Run(TimeSpan.FromSeconds(4));
        Assert.Contains("earlier object", sim.Message, StringComparison.Ordinal);
        sim.UntilHealthy();
        Assert.All(sim.Cluster.Children(), c => Assert.Equal(sim.Cluster.Uid, c.OwnerUid));
    }

    [Fact]
    public void Name_held_by_a_stranger_is_named_and_left_alone()
    {
        var sim = new Sim();
        sim.Cluster.Services["assistant"] = new SimService { Name = "assistant", OwnerUid = "somebody", Component = "web", Revision = "x" };
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True NameTaken", sim.Condition("Stalled"));
        Assert.Contains("Service assistant", sim.Message, StringComparison.Ordinal);
        Assert.Equal("web", sim.Cluster.Services["assistant"].Component);
        sim.Cluster.Services.Remove("assistant");
        sim.UntilHealthy();
    }

    [Fact]
    public void Route_held_by_a_stranger_is_named_and_left_alone()
    {
        var sim = new Sim();
        sim.Cluster.Route = new SimRoute { Name = "assistant", OwnerUid = "somebody", Backends = [new Backend("other", 1)] };
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal("True NameTaken", sim.Condition("Stalled"));
        Assert.Equal("other", sim.Cluster.Route.Backends.Single().Service);
    }

    [Theory]
    [InlineData("half", 2)]
    [InlineData("full", 4)]
    public void Record_of_stable_deleted_by_hand_changes_nothing_that_runs(string step, int pods)
    {
        var sim = InStep(step);
        var (stable, canary) = (sim.Status.StableRevision, sim.Status.CanaryRevision);
        var record = sim.Cluster.Records.Values.Single(r => r.Release?.Hash == sim.Status.StableRevision).Name;
        sim.Cluster.Records.Remove(record);
        var writes = sim.Trajectory.Count;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("ControllerRevision", sim.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(sim.Trajectory.Skip(writes), static s => s.Write is DeleteChild or ApplyRoute);
        Assert.Equal((4, pods), (sim.Pods("api:1"), sim.Pods("api:2")));
        Assert.Equal((stable, canary), (sim.Status.StableRevision, sim.Status.CanaryRevision));
        // Nor is a newer release taken for a first install: the canary gives way to it, and that is all.
        sim.Edit(static s => s.Image("api", "api:3")).Run(TimeSpan.FromMinutes(5));
        Assert.Equal((stable, null), (sim.Status.StableRevision, sim.Status.CanaryRevision));
        Assert.DoesNotContain(sim.Trajectory.Skip(writes), static s => s.Write is CreateDeployment or CreateRelease);
    }

    [Fact]
    public void Record_of_a_stable_that_spec_names_is_written_again()
    {
        var sim = new Sim().UntilHealthy();
        var record = sim.Cluster.Records.Values.Single(static r => r.Release is not null);
        sim.Cluster.Records.Remove(record.Name);
        sim.Run(s_minute);
        Assert.Equal(Phases.Healthy, sim.Phase);
        Assert.Contains(record.Name, sim.Cluster.Records.Keys);
        Assert.DoesNotContain(sim.Trajectory, static s => s.Write is DeleteChild { Kind: ChildKind.Deployment });
    }

    [Fact]
    public void Child_deleted_by_hand_comes_back()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Deployments.Remove(sim.Deployment("embedder:1")!.Name);
        sim.Cluster.Services.Remove("assistant-embedder");
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(2, sim.Pods("embedder:1"));
        Assert.Contains("assistant-embedder", sim.Cluster.Services.Keys);
    }

    [Fact]
    public void Deletion_writes_nothing()
    {
        var sim = InStep("half");
        sim.Cluster.Delete(orphan: false);
        var writes = sim.Trajectory.Count;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(writes, sim.Trajectory.Count);
        Assert.Empty(sim.Cluster.Children());
    }

    [Fact]
    public void Failed_release_is_held_though_status_was_lost_while_spec_was_wrong()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(TimeSpan.FromMinutes(2));
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "500")).Run(s_minute);
        WipeStatus(sim);
        sim.Run(s_minute);
        sim.Edit(static s => s.Put("rollout.steps[0].weight", "5")).Run(TimeSpan.FromHours(3));
        Assert.Equal((0, Phases.Degraded, "True RolledBack"), (sim.Weight("api:2"), sim.Phase, sim.Condition("RolledBack")));
        sim.Ask("retry/current").Run(s_minute);
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Failed_release_that_comes_again_after_another_one_is_tried_again()
    {
        var sim = InStep("half");
        sim.Ask("abort/current").Run(TimeSpan.FromMinutes(2));
        sim.Edit(static s => s.Image("api", "api:3")).UntilStep("ten").Edit(static s => s.Image("api", "api:2")).UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void Adoption_that_is_refused_keeps_nothing_from_being_taken_back()
    {
        var sim = InStep("half");
        sim.Cluster.Services[sim.Deployment("api:2")!.Name].OwnerUid = null;
        sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
        sim.Run(s_minute);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal((Phases.Degraded, 0), (sim.Phase, sim.Weight("api:2")));
        sim.Faults = null;
        sim.Run(TimeSpan.FromHours(2));
        Assert.DoesNotContain(sim.Cluster.Services.Values, static s => s.OwnerUid is null);
    }

    [Fact]
    public void Services_for_clients_inside_stay_though_status_and_stables_record_are_lost()
    {
        var sim = new Sim().UntilHealthy().Run(TimeSpan.FromMinutes(5));
        sim.Cluster.Pods("api:1").Fails = "CrashLoopBackOff";
        foreach (var record in sim.Cluster.Records.Keys.ToList()) sim.Cluster.Records.Remove(record);
        WipeStatus(sim);
        var before = sim.Trajectory.Count;
        sim.Restart().Run(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain(sim.Trajectory.Skip(before), static s => s.Write is DeleteChild { Kind: ChildKind.Service });
        Assert.Equal(["assistant", "assistant-api", "assistant-embedder"], sim.Cluster.Services.Keys.Where(static n => n.Split('-').Length <= 2).Order(StringComparer.Ordinal));
        sim.Cluster.Heal("api:1");
        sim.UntilHealthy();
    }

    /// <summary>What nobody owns still runs: a release is not late for it, though nothing rises, and people are told.</summary>
    [Fact]
    public void Adoption_that_is_refused_condemns_nobody_and_is_told()
    {
        var sim = InStep("half");
        sim.Cluster.Deployments[sim.Deployment("api:2")!.Name].OwnerUid = null;
        sim.Cluster.Services[sim.Deployment("api:2")!.Name].OwnerUid = null;
        sim.Faults = static write => write is Adopt { Kind: ChildKind.Service } ? Fault.Refused : Fault.None;
        sim.Run(TimeSpan.FromHours(3));
        Assert.Equal((50, null), (sim.Weight("api:2"), sim.Status.Rollback));
        sim.Faults = null;
        sim.UntilHealthy();

        sim.Cluster.FlagMaps.Clear();
        sim.Cluster.Services["assistant-api"].OwnerUid = null;
        sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
        sim.Run(s_minute);
        Assert.Contains("Service assistant-api has no owner and is not taken back", sim.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rollout_that_a_refused_adoption_stops_waits_for_a_person_and_says_why()
    {
        var sim = InStep("half");
        sim.Cluster.Services[sim.Deployment("api:2")!.Name].OwnerUid = null;
        sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains($"Service {sim.Deployment("api:2")!.Name} has no owner and is not taken back", sim.Message, StringComparison.Ordinal);
        Assert.Equal("True ChildNotWritten", sim.Condition("Reconciling"));
    }

    [Fact]
    public void Refused_adoption_is_asked_for_twice_a_minute_where_stable_is_not_known()
    {
        var sim = InStep("half");
        foreach (var record in sim.Cluster.Records.Values) record.OwnerUid = null;
        WipeStatus(sim);
        sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
        sim.Run(s_minute);
        Assert.Equal(TimeSpan.FromSeconds(30), sim.Last.NextLook - sim.Input!.Now);
        sim.Faults = null;
        sim.UntilHealthy();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Record_without_owner_whose_adoption_is_refused_is_still_the_record(long release)
    {
        var sim = InStep("half");
        sim.Cluster.Records.Values.Single(r => r.Release?.Number == release).OwnerUid = null;
        sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
        sim.Run(s_minute);
        sim.Metrics.Set("errors", "api:2", 0.5);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal((0, RollbackCauses.SlaBreach), (sim.Weight("api:2"), sim.Status.Rollback?.Cause));
    }

    [Fact]
    public void Release_of_the_past_whose_record_nobody_may_adopt_is_found_all_the_same()
    {
        var sim = InStep("full").UntilHealthy().Run(TimeSpan.FromMinutes(5));
        var first = sim.Cluster.Records.Values.Single(static r => r.Release?.Number == 1);
        first.OwnerUid = null;
        sim.Faults = static write => write is Adopt ? Fault.Refused : Fault.None;
        sim.Run(s_minute).Edit(static s => s.Image("api", "api:1")).Run(TimeSpan.FromMinutes(5));
        Assert.Equal((first.Release!.Hash, 0), (sim.Status.CanaryRevision, sim.Weight("api:2") - 100));
        sim.Faults = null;
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:1"));
    }
}
