using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>On is progressive, off is immediate.</summary>
public sealed class FlagTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim Healthy(Action<SpecText>? edit = null)
    {
        var spec = new SpecText().Flag("replay", true).Flag("debate", false);
        edit?.Invoke(spec);
        return new Sim(spec).UntilHealthy();
    }

    // api:1 with other flags is another revision of the same image: asked for by release.
    private static string? FlagsOf(Sim sim, string? release)
    {
        var record = sim.Cluster.Records.Values.Single(r => r.Release?.Hash == release).Release!;
        return sim.Cluster.FlagMaps.TryGetValue($"assistant-api-{record.Component("api")!.Revision}-flags", out var map)
            ? string.Join(",", map.Flags.Where(static f => f.Value).Select(static f => f.Key).Order(StringComparer.Ordinal))
            : null;
    }

    private static string? OnStable(Sim sim) => FlagsOf(sim, sim.Status.StableRevision);

    private static string? OnCanary(Sim sim) => FlagsOf(sim, sim.Status.CanaryRevision);

    [Fact]
    public void First_install_has_its_flags_as_spec_says()
    {
        var sim = Healthy();
        Assert.Equal("replay", OnStable(sim));
        Assert.Contains("debate", sim.Cluster.FlagMaps.Values.Single().Flags.Keys);
        Assert.Equal(["debate:False", "replay:True"], sim.Status.Flags!.Select(static f => $"{f.Name}:{f.Stable}"));
    }

    [Fact]
    public void Flag_named_by_a_step_is_off_until_that_step_holds_and_one_that_none_names_is_on_from_the_start()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("bandit", true).Flag("loose", true).Put("rollout.steps[1].flags", "[bandit]")).UntilStep("canary", StepStates.Holding);
        Assert.Equal("loose,replay", OnCanary(sim));
        Assert.Equal("replay", OnStable(sim));
        sim.UntilStep("ten", StepStates.Shifting);
        Assert.Equal("loose,replay", OnCanary(sim));
        sim.UntilStep("ten", StepStates.Holding);
        Assert.Equal("bandit,loose,replay", OnCanary(sim));
        Assert.Equal("replay", OnStable(sim));
        sim.UntilHealthy();
        Assert.Equal("bandit,loose,replay", OnStable(sim));
    }

    /// <summary>Found by a random history: the decision of the start was kept although the steps had changed before anything was written.</summary>
    [Fact]
    public void Flag_that_the_first_step_comes_to_name_before_the_canary_has_requests_waits_for_it()
    {
        var sim = Healthy();
        sim.Faults = static w => w is null ? Fault.Refused : Fault.None;
        sim.Edit(static s => s.Flag("bandit", true)).Run(TimeSpan.FromSeconds(1));
        sim.Edit(static s => s.Put("rollout.steps[0].flags", "[bandit]")).Run(TimeSpan.FromSeconds(1));
        sim.Faults = null;
        sim.UntilStep("canary", StepStates.Shifting);
        Assert.Equal("replay", OnCanary(sim));
        sim.UntilStep("canary", StepStates.Holding);
        Assert.Equal("bandit,replay", OnCanary(sim));
    }

    [Fact]
    public void Flag_that_is_enabled_leaves_the_file_of_stable_as_it_is()
    {
        var sim = Healthy();
        var stable = sim.Cluster.FlagMaps.Keys.Single();
        sim.Edit(static s => s.Flag("debate", true)).UntilStep("canary", StepStates.Holding);
        Assert.Equal([("debate", false), ("replay", true)], sim.Cluster.FlagMaps[stable].Flags.Select(static f => (f.Key, f.Value)));
    }

    [Fact]
    public void Step_governs_only_flags_that_stable_does_not_serve_already()
    {
        var sim = Healthy(static s => s.Put("rollout.steps[3].flags", "[replay]"));
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("canary", StepStates.Holding);
        Assert.Equal("replay", sim.Flags("api:2"));
    }

    [Fact]
    public void Disabled_flag_is_off_at_once_on_both_without_a_rollout()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("bandit", true)).UntilStep("ten", StepStates.Holding);
        sim.Edit(static s => s.Flag("replay", false)).Run(TimeSpan.FromSeconds(1));
        Assert.Equal(("", "bandit"), (OnStable(sim), OnCanary(sim)));
        Assert.Equal("ten", sim.StepName);
        Assert.Equal(2, sim.Status.Release);
        sim.UntilHealthy();
        Assert.Equal("bandit", OnStable(sim));
    }

    [Fact]
    public void Disabled_flag_is_off_also_while_spec_is_wrong_otherwise()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("replay", false).Put("rollout.steps[3].weight", "90")).Run(TimeSpan.FromSeconds(1));
        Assert.Equal("", OnStable(sim));
        Assert.Equal("True InvalidSpec", sim.Condition("Stalled"));
    }

    [Fact]
    public void Disabled_flag_whose_file_cannot_be_written_is_not_called_well()
    {
        var sim = Healthy();
        sim.Faults = static write => write is ApplyFlags ? Fault.Refused : Fault.None;
        sim.Edit(static s => s.Flag("replay", false)).Run(s_minute);
        Assert.Equal((Phases.Progressing, "False FlagsNotWritten"), (sim.Status.Phase, sim.Condition("Ready")));
        Assert.Matches("component api has not been told its flags \\(replay off\\): [^.]+ was refused$", sim.Status.Message);
        sim.Restart();
        sim.Run(TimeSpan.Zero);
        Assert.Equal("False FlagsNotWritten", sim.Condition("Ready"));
        sim.Faults = null;
        sim.UntilHealthy();
        Assert.Equal("", OnStable(sim));
    }

    [Fact]
    public void Disabled_flag_whose_file_is_taken_at_once_is_called_well_all_the_time()
    {
        var sim = Healthy();
        var writes = sim.StatusWrites;
        sim.Edit(static s => s.Flag("replay", false)).Run(s_minute);
        Assert.Equal("", OnStable(sim));
        Assert.Equal(Phases.Healthy, sim.Status.Phase);
        Assert.Equal(writes + 1, sim.StatusWrites);
    }

    [Fact]
    public void Flag_whose_file_is_refused_is_neither_held_nor_promoted()
    {
        var sim = Healthy(static s => s.Put("rollout.steps[1].flags", "[debate]"));
        sim.Edit(static s => s.Flag("debate", true)).UntilStep("ten", StepStates.Shifting);
        sim.Faults = static write => write is ApplyFlags ? Fault.Refused : Fault.None;
        sim.UntilStep("ten", StepStates.Holding).Run(TimeSpan.FromHours(2));
        Assert.Equal(("ten", 10), (sim.StepName, sim.Status.Weight));
        Assert.Equal((Phases.Suspended, "False FlagsNotWritten"), (sim.Status.Phase, sim.Condition("Ready")));
        Assert.Contains("debate on", sim.Message, StringComparison.Ordinal);
        Assert.Null(sim.Status.Step!.HoldUntil);
        sim.Faults = null;
        sim.Run(TimeSpan.FromMinutes(5));
        Assert.Equal("ten", sim.StepName);
        Assert.Equal("debate,replay", OnCanary(sim));
        sim.UntilHealthy();
    }

    [Fact]
    public void Kill_switch_whose_file_is_refused_stops_the_rollout()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("ten", StepStates.Holding);
        sim.Faults = static write => write is ApplyFlags ? Fault.Refused : Fault.None;
        sim.Edit(static s => s.Flag("replay", false)).Run(TimeSpan.FromHours(2));
        Assert.Equal(("ten", 10), (sim.StepName, sim.Status.Weight));
        Assert.Equal("False FlagsNotWritten", sim.Condition("Ready"));
        sim.Faults = null;
        sim.UntilHealthy();
        Assert.Equal("", OnStable(sim));
    }

    [Fact]
    public void Pods_that_cannot_be_scaled_are_not_called_well()
    {
        var sim = Healthy();
        sim.Faults = static write => write is ScaleDeployment ? Fault.Refused : Fault.None;
        sim.Edit(static s => s.Put("components[1].replicas", "7")).Run(s_minute);
        Assert.Equal("False PodsNotScaled", sim.Condition("Ready"));
        sim.Faults = null;
        sim.UntilHealthy();
    }

    [Fact]
    public void Deployment_of_stable_that_cannot_be_made_again_is_not_called_well()
    {
        var sim = Healthy();
        sim.Faults = static write => write is CreateDeployment ? Fault.Refused : Fault.None;
        var lost = sim.Deployment("api:1")!.Name;
        sim.Cluster.Deployments.Remove(lost);
        sim.Run(s_minute);
        Assert.Equal((Phases.Degraded, "False StableNotReady"), (sim.Status.Phase, sim.Condition("Ready")));
        Assert.Contains($"Deployment {lost} cannot be written: ", sim.Status.Message, StringComparison.Ordinal);
        sim.Faults = null;
        sim.UntilHealthy();
        Assert.Contains(lost, sim.Cluster.Deployments.Keys);
    }

    [Fact]
    public void Disabled_flag_is_off_also_while_a_new_release_is_refused()
    {
        var sim = Healthy();
        sim.Cluster.Refused["api:2"] = "no";
        sim.Edit(static s => s.Flag("replay", false).Image("api", "api:2")).Run(s_minute);
        Assert.Equal("", OnStable(sim));
    }

    [Fact]
    public void Struck_flag_enabled_again_takes_a_rollout_with_receivers_of_its_own()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("replay", false)).UntilHealthy();
        var old = sim.Deployment("api:1")!.Name;
        sim.Edit(static s => s.Flag("replay", true).Put("rollout.steps[1].flags", "[replay]")).UntilStep("canary", StepStates.Holding);
        Assert.Equal(2, sim.Cluster.Deployments.Values.Count(static d => d.Image == "api:1"));
        Assert.Single(sim.Cluster.Deployments.Values, static d => d.Image == "embedder:1");
        Assert.Equal(("", ""), (OnStable(sim), OnCanary(sim)));
        sim.UntilStep("ten", StepStates.Holding);
        Assert.Equal(("", "replay"), (OnStable(sim), OnCanary(sim)));
        sim.UntilHealthy().Run(s_minute);
        Assert.DoesNotContain(old, sim.Cluster.Deployments.Keys);
    }

    [Fact]
    public void Struck_flag_survives_a_lost_status()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("replay", false)).UntilHealthy();
        sim.Cluster.StatusText = null;
        sim.Cluster.StatusVersion++;
        sim.Restart().UntilHealthy();
        Assert.Equal("", OnStable(sim));
        Assert.Equal(1, sim.Status.Release);
    }

    [Fact]
    public void Flag_that_spec_no_longer_lists_stays_on_for_stable_and_the_new_release_lacks_it()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Put("featureFlags.flags[0]", "-")).UntilStep("half", StepStates.Holding);
        Assert.Equal("replay", OnStable(sim));
        Assert.Equal("", OnCanary(sim));
    }

    [Fact]
    public void Rollback_turns_off_what_the_canary_turned_on()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("bandit", true).Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Ask("abort/current").Run(TimeSpan.FromSeconds(5));
        Assert.Equal("replay", sim.Flags("api:2"));
        Assert.Equal("replay", OnStable(sim));
    }

    [Fact]
    public void Flag_added_to_an_earlier_step_enters_the_step_anew_and_comes_on_when_it_holds()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("bandit", true).Put("rollout.steps[3].flags", "[bandit]")).UntilStep("half", StepStates.Holding).Run(TimeSpan.FromMinutes(5));
        Assert.Equal("replay", OnCanary(sim));
        sim.Edit(static s => s.Put("rollout.steps[3].flags", "-").Put("rollout.steps[1].flags", "[bandit]")).Run(TimeSpan.FromSeconds(30));
        Assert.Equal("bandit,replay", OnCanary(sim));
        Assert.Equal("half", sim.StepName);
        Assert.True(sim.Told("StepChanged"));
        Assert.NotEqual("5m", sim.Status.Step!.HeldFor);
        sim.UntilHealthy();
    }

    [Fact]
    public void Flag_whose_step_now_lies_ahead_goes_off_at_once()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("bandit", true).Put("rollout.steps[0].flags", "[bandit]")).UntilStep("ten", StepStates.Holding);
        Assert.Equal("bandit,replay", OnCanary(sim));
        sim.Edit(static s => s.Put("rollout.steps[0].flags", "-").Put("rollout.steps[3].flags", "[bandit]")).Run(TimeSpan.FromSeconds(1));
        Assert.Equal("replay", OnCanary(sim));
        sim.UntilStep("full", StepStates.Holding);
        Assert.Equal("bandit,replay", OnCanary(sim));
    }

    [Fact]
    public void Deliver_to_another_component_is_a_new_release()
    {
        var sim = Healthy();
        Assert.Single(sim.Cluster.FlagMaps);
        sim.Edit(static s => s.Put("featureFlags.deliverTo", "[api, embedder]")).UntilHealthy().Run(s_minute);
        Assert.Equal(2, sim.Status.Release);
        Assert.Equal(2, sim.Cluster.FlagMaps.Count);
    }

    [Fact]
    public void Failed_release_kept_for_a_look_gets_no_flag_that_a_later_stable_serves()
    {
        var sim = Healthy(static s => s.Put("rollback.keepFailedPods", "10h").Flag("bandit", false).Steps("name: half, weight: 50, hold: 5m", "name: full, weight: 100, hold: 5m, flags: [bandit]"));
        sim.Edit(static s => s.Flag("bandit", true).Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Ask("abort/current").Run(s_minute);
        sim.Edit(static s => s.Image("api", "api:3")).UntilHealthy();
        Assert.Equal(("bandit,replay", "replay"), (OnStable(sim), sim.Flags("api:2")));
    }

    [Fact]
    public void Hand_on_a_flag_file_is_put_right()
    {
        var sim = Healthy();
        sim.Cluster.FlagMaps.Values.Single().Flags = new Dictionary<string, bool> { ["replay"] = false };
        sim.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("replay", OnStable(sim));
    }

    [Fact]
    public void Restart_turns_on_no_flag_before_its_step()
    {
        var sim = Healthy();
        sim.Edit(static s => s.Flag("bandit", true).Put("rollout.steps[2].flags", "[bandit]")).UntilStep("ten", StepStates.Holding);
        for (var i = 0; i < 5; i++) sim.Away(TimeSpan.FromMinutes(30)).Run(s_minute);
        Assert.Equal("replay", OnCanary(sim));
    }

    /// <summary>Found by the soak: the pods of what was taken back went in the very pass in which the flag was disabled that stable had on, too.</summary>
    [Fact]
    public void Release_that_was_taken_back_goes_after_a_flag_that_is_disabled_then_is_off_in_its_file()
    {
        var sim = Healthy(static s => s.Put("rollback.keepFailedPods", "10m"));
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
        sim.Ask("abort/current").Until(static s => s.Status.Retiring is [{ Until: not null }]);
        // What stable serves is no news of the canary: on in both.
        Assert.Equal(("replay", "replay"), (OnStable(sim), FlagsOf(sim, sim.Status.FailedRevision)));
        var entry = sim.Status.Retiring!.Single();
        var file = sim.Cluster.FlagMaps.Single(m => m.Key.StartsWith(sim.Deployment("api:2")!.Name, StringComparison.Ordinal)).Key;
        var first = sim.Trajectory.Count;

        // Nobody looks until the pods are due.
        sim.Away(entry.Until!.Value - sim.Now);
        sim.Edit(static s => s.Flag("replay", false)).Until(static s => s.Told("Retired"));

        Assert.Equal(0, sim.Pods("api:2"));
        var writes = sim.Trajectory.Skip(first).Select(static s => s.Write).ToList();
        var off = writes.FindIndex(w => w is ApplyFlags { Way: Direction.Lowers } f && file == $"assistant-{f.Component}-{f.Revision}-flags");
        var gone = writes.FindIndex(w => w is DeleteChild { Kind: ChildKind.Deployment });
        Assert.InRange(off, 0, gone);
    }

    /// <summary>A hand deletes the record of the policy, and no other can be made: nobody can tell which step names what.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_a_policy_no_flag_goes_on(bool isSpecWrong)
    {
        var sim = Healthy();
        sim.Edit(static s => s.Image("api", "api:2").Flag("bandit", true).Put("rollout.steps[2].flags", "[bandit]")).UntilStep("canary", StepStates.Holding);
        Assert.Equal("replay", OnCanary(sim));
        foreach (var policy in sim.Cluster.Records.Where(static r => r.Value.Release is null).Select(static r => r.Key).ToList()) sim.Cluster.Records.Remove(policy);
        sim.Restart();
        if (isSpecWrong) sim.Edit(static s => s.Put("rollout.steps[0].weight", "500"));
        else sim.Unrecordable = "exceeded quota: count/controllerrevisions.apps";
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal("replay", OnCanary(sim));
        Assert.Equal(["replay"], sim.Status.Flags!.Where(static f => f.Canary == true).Select(static f => f.Name));

        // What is on already stays so, and off is immediate all the same.
        sim.Edit(static s => s.Flag("replay", false)).Run(s_minute);
        Assert.Equal("", OnCanary(sim));
    }
}
