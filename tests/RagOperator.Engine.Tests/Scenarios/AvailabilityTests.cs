using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>Rules 10 and 11: a canary that is not available, a full cluster, no ready address.</summary>
public sealed class AvailabilityTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Canary_that_never_starts_is_rolled_back_at_the_deadline()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Fail("api:2", "api: CrashLoopBackOff");
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(9.9));
        Assert.Equal(Phases.Progressing, sim.Phase);
        Assert.Contains("CrashLoopBackOff", sim.Message, StringComparison.Ordinal);
        sim.Run(s_minute);
        Assert.Equal(Phases.Degraded, sim.Phase);
        Assert.Equal("True RolledBack", sim.Condition("Stalled"));
        Assert.Equal("True StableServes", sim.Condition("Available"));
        Assert.Contains("CrashLoopBackOff", sim.Message, StringComparison.Ordinal);
        Assert.Equal(RollbackCauses.Deadline, sim.Status.Rollback!.Cause);
        Assert.Equal(100, sim.Weight("api:1"));
        Assert.Equal(4, sim.Pods("api:1"));
    }

    [Fact]
    public void Canary_that_only_the_caches_miss_is_not_taken_back_and_breaches_are_counted_meanwhile()
    {
        var sim = new Sim().UntilHealthy().Edit(static s => s.Image("api", "api:2").Put("rollout.steps[2].hold", "2h")).UntilStep("half", "Holding");
        sim.Eyes = static seen => seen with { ReadyAddresses = new Dictionary<string, int>(), Deployments = seen.Deployments.ToDictionary(static d => d.Key, static d => d.Value with { Available = 0 }) };
        sim.Run(TimeSpan.FromMinutes(30));
        Assert.Null(sim.Status.Rollback);
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Metrics.Set("errors", "api:2", 0.2);
        sim.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(RollbackCauses.SlaBreach, sim.Status.Rollback?.Cause);
    }

    [Fact]
    public void Stable_that_only_the_caches_have_gets_no_requests_back()
    {
        var sim = new Sim().UntilHealthy().Edit(static s => s.Image("api", "api:2")).UntilStep("half", "Holding");
        var before = sim.Cluster.Observe().ReadyAddresses;
        sim.Eyes = seen => seen with { ReadyAddresses = before };
        sim.Cluster.Fail("api:1", "api: CrashLoopBackOff");
        sim.Ask("abort/current").Run(s_minute);
        Assert.NotNull(sim.Status.Rollback);
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Cluster.Heal("api:1");
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(0, sim.Weight("api:2"));
    }

    [Fact]
    public void Canary_without_room_waits_however_long_it_takes()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").NoRoom = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu";
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(9));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.Run(TimeSpan.FromDays(1));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Contains("Insufficient nvidia.com/gpu", sim.Message, StringComparison.Ordinal);
        Assert.Equal("True Capacity", sim.Condition("Reconciling"));
    }

    [Fact]
    public void Canary_behind_a_scheduling_gate_waits_under_the_gates_own_name()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").NoRoom = "pod p: Scheduling is blocked due to non-empty scheduling gates";
        sim.Cluster.Pods("api:2").IsGate = true;
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(8);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(3));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Equal("True SchedulingGated", sim.Condition("Reconciling"));
        Assert.Contains("waiting for a scheduling gate to open: api 0/1: pod p: Scheduling is blocked", sim.Message, StringComparison.Ordinal);
        Assert.Contains(sim.Status.Components!, static c => c is { Name: "api", Reason: "SchedulingGated" });
        sim.Cluster.Heal("api:2");
        sim.Run(TimeSpan.FromMinutes(9));
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Canary_of_which_one_pod_crashes_and_others_lack_room_is_judged_for_the_crash(bool isReadyNowAndThen)
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").NoRoom = "0/3 nodes are available: 3 Insufficient cpu";
        sim.Cluster.Pods("api:2").RoomFor = 1;
        sim.Cluster.Fail("api:2", "CrashLoopBackOff");
        var ready = false;
        sim.Eyes = seen => seen with { Deployments = seen.Deployments.ToDictionary(static d => d.Key, d => isReadyNowAndThen && ready && d.Value.CapacityProblem is not null ? d.Value with { Available = 1, HasPodsOnTheirOwn = false, PodProblem = null } : d.Value) };
        sim.Edit(static s => s.Image("api", "api:2"));
        for (var i = 0; i < 22; i++)
        {
            ready = !ready;
            if (i % 4 == 0 && sim.Status.Rollback is null) sim.Cluster.Fail("api:2", "CrashLoopBackOff");
            sim.Run(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(RollbackCauses.Deadline, sim.Status.Rollback?.Cause);
        Assert.Contains("CrashLoopBackOff", sim.Status.Rollback!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Canary_of_which_one_pod_is_ready_and_others_lack_room_waits()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").NoRoom = "0/3 nodes are available: 3 Insufficient cpu";
        sim.Cluster.Pods("api:2").RoomFor = 1;
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(3));
        Assert.Null(sim.Status.Rollback);
        Assert.Equal("True Capacity", sim.Condition("Reconciling"));
    }

    [Fact]
    public void Canary_that_gets_room_late_gets_the_whole_deadline_to_start()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").NoRoom = "no room";
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(8);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(2));
        sim.Cluster.Heal("api:2");
        sim.Run(TimeSpan.FromMinutes(9));
        Assert.Equal(5, sim.Weight("api:2"));
    }

    [Fact]
    public void Canary_that_gets_room_and_still_does_not_start_is_rolled_back()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").NoRoom = "no room";
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromHours(2));
        sim.Cluster.Heal("api:2");
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromMinutes(11));
        Assert.Equal("True RolledBack", sim.Condition("RolledBack"));
    }

    [Fact]
    public void Outage_shorter_than_the_deadline_is_forgotten_after_a_minute_of_availability()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Put("rollout.steps[0].hold", "2h").Put("sla", "-").Image("api", "api:2")).UntilStep("canary", StepStates.Holding);
        for (var i = 0; i < 4; i++)
        {
            // Three of four pods are not available: there is an address, but fewer pods than wanted.
            sim.Edit(s => s.Put("components[1].canaryReplicas", $"{i + 2}"));
            sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(7);
            sim.Run(TimeSpan.FromMinutes(9));
        }

        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Null(sim.Status.Step!.UnavailableSince);
    }

    [Fact]
    public void Paused_canary_is_not_late_for_pods_that_nobody_asked_for()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("embedder:2").Start = TimeSpan.FromMinutes(5);
        sim.Edit(static s => s.Image("embedder", "embedder:2")).Run(TimeSpan.FromMinutes(2));
        sim.Ask("pause/current").Run(TimeSpan.FromHours(3));
        Assert.Equal(Phases.Suspended, sim.Phase);
        Assert.Equal(0, sim.Pods("api:1") - 4);
        sim.Ask("resume/current").Run(TimeSpan.FromMinutes(5));
        Assert.Equal(5, sim.Cluster.Route!.Backends.Where(b => b.Weight < 100).Min(static b => b.Weight));
    }

    [Fact]
    public void Paused_before_more_pods_were_asked_for_nothing_is_late()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("ten", StepStates.Holding);
        sim.At(TimeSpan.FromMinutes(5), () => sim.Ask("pause/current"));
        sim.Run(TimeSpan.FromMinutes(6));
        sim.Edit(static s => s.Put("components[1].canaryReplicas", "3")).Run(TimeSpan.FromHours(1));
        Assert.Equal(1, sim.Pods("api:2"));
        Assert.Equal(10, sim.Weight("api:2"));
    }

    private static Sim PausedAtHalf()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Put("rollout.steps[2].hold", "30d").Image("embedder", "embedder:2").Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        return sim.Ask("pause/current").Run(s_minute);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Paused_canary_that_serves_gets_a_component_back_that_it_lost(bool isDeleted)
    {
        var sim = PausedAtHalf();
        var pods = sim.Pods("embedder:2");
        var lost = sim.Deployment("embedder:2")!;
        if (isDeleted)
        {
            sim.Cluster.Deployments.Remove(lost.Name);
        }
        else
        {
            sim.Cluster.Scale(lost, 0);
        }

        sim.Run(TimeSpan.FromMinutes(5));

        Assert.Equal((pods, 50, Phases.Suspended), (sim.Pods("embedder:2"), sim.Weight("api:2"), sim.Phase));
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(50, sim.Weight("api:2"));
    }

    [Fact]
    public void Paused_canary_that_serves_without_a_component_is_rolled_back_at_the_deadline()
    {
        var sim = PausedAtHalf();
        sim.Cluster.Fail("embedder:2");
        sim.Cluster.Deployments.Remove(sim.Deployment("embedder:2")!.Name);
        sim.Run(TimeSpan.FromMinutes(9));
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((0, RollbackCauses.Deadline), (sim.Weight("api:2"), sim.Status.Rollback!.Cause));
    }

    [Fact]
    public void Canary_with_weight_and_no_ready_address_is_rolled_back_after_ten_seconds()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromSeconds(9));
        Assert.Equal(50, sim.Weight("api:2"));
        sim.Run(TimeSpan.FromSeconds(4));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(RollbackCauses.NoReadyAddress, sim.Status.Rollback!.Cause);
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void Canary_that_is_back_within_ten_seconds_stays()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromSeconds(4));
        sim.Cluster.Heal("api:2");
        sim.Run(TimeSpan.FromSeconds(30));
        Assert.Equal(50, sim.Weight("api:2"));
    }

    [Fact]
    public void Canary_that_was_there_in_time_and_is_gone_for_a_moment_after_its_deadline_keeps_its_weight()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").Start = TimeSpan.FromMinutes(9.6);
        sim.Edit(static s => s.Image("api", "api:2").Put("components[1].canaryReplicas", "2")).Until(static s => s.Weight("api:2") == 5).Run(TimeSpan.FromSeconds(25));
        Assert.NotNull(sim.Status.Step!.UnavailableSince);
        // One of two pods: there is an address all the time.
        var pod = sim.Deployment("api:2")!.Pods[0];
        pod.ReadyAt = sim.Now + TimeSpan.FromSeconds(3);
        sim.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((5, Phases.Progressing), (sim.Weight("api:2"), sim.Phase));
        Assert.Null(sim.Status.Step!.UnavailableSince);
    }

    [Fact]
    public void Canary_that_is_never_there_for_a_minute_is_late_in_the_end()
    {
        var sim = new Sim().UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2").Put("components[1].canaryReplicas", "2").Put("rollout.progressDeadline", "1m").Put("sla", "-").Put("rollout.steps[0].hold", "7d")).UntilStep("canary", StepStates.Holding);
        for (var i = 0; i < 20 && sim.Status.Rollback is null; i++)
        {
            sim.Deployment("api:2")!.Pods[0].ReadyAt = sim.Now + TimeSpan.FromSeconds(9);
            sim.Run(TimeSpan.FromSeconds(45));
        }

        Assert.Equal(RollbackCauses.Deadline, sim.Status.Rollback?.Cause);
    }

    [Fact]
    public void Both_bad_weight_waits_for_stable_and_flags_go_off_at_once()
    {
        var sim = new Sim(new SpecText().Flag("replay", true)).UntilHealthy();
        sim.Edit(static s => s.Flag("bandit", true).Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        Assert.Equal("bandit,replay", sim.Flags("api:2"));
        sim.Cluster.Fail("api:1");
        sim.Cluster.Fail("api:2");
        sim.Run(TimeSpan.FromSeconds(15));
        Assert.Equal(50, sim.Weight("api:2"));
        Assert.Equal("replay", sim.Flags("api:2"));
        Assert.Contains("both are bad", sim.Message, StringComparison.Ordinal);
        Assert.Equal("False NoReadyAddress", sim.Condition("Available"));
        sim.Cluster.Heal("api:1");
        sim.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(0, sim.Weight("api:2"));
        Assert.Equal(Phases.Degraded, sim.Phase);
    }

    [Fact]
    public void External_that_is_missing_is_waited_for_and_blamed_on_nobody_later()
    {
        var spec = new SpecText().Put("components[2]", "{name: qdrant, external: {service: qdrant, port: 6333}}").Put("components[0].dependsOn", "[qdrant]");
        var sim = new Sim(spec).Run(TimeSpan.FromMinutes(2));
        Assert.Equal(0, sim.Pods("embedder:1"));
        Assert.Contains("qdrant", sim.Message, StringComparison.Ordinal);
        sim.Cluster.Externals["qdrant"] = 1;
        sim.UntilHealthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Cluster.Externals["qdrant"] = 0;
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }
}
