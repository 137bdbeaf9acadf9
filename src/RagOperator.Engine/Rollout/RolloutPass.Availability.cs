using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// Whether the canary is there: pods, addresses, and for how long it has not been.
internal sealed partial class RolloutPass
{
    /// <summary>For how long a canary must be available before an earlier outage is forgotten.</summary>
    private static readonly TimeSpan s_availableAgain = TimeSpan.FromMinutes(1);

    /// <summary>What an outage of a canary that was available before its deadline may last beyond that.</summary>
    private static readonly TimeSpan s_blip = TimeSpan.FromSeconds(10);

    /// <summary>For how long a crash counts beside pods that lack room: after so long without one the kubelet forgets it, too.</summary>
    private static readonly TimeSpan s_crashCounts = TimeSpan.FromMinutes(10);

    /// <summary>How long until a release that is not there by the caches is looked at again.</summary>
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromSeconds(2);

    /// <summary>The reason of a component whose pods lack room.</summary>
    private const string Room = "Capacity";

    /// <summary>The reason of a component whose pods somebody keeps from the scheduler.</summary>
    private const string Gate = "SchedulingGated";

    /// <summary>Whether only room in the cluster, or who gives it out, stands in the way, beyond the deadline.</summary>
    private (string Reason, string Text)? _capacity;

    /// <summary>What the release lacks that this pass takes back for it, by what the caches have.</summary>
    private RaiseNeeds? _condemns;

    /// <summary>Why a first install is late.</summary>
    private string? _installLate;

    private Lookup Look(ReleaseRecord release, ComponentRecord component)
    {
        if (component.Revision is null)
        {
            var service = component.Content.GetProperty("external").GetProperty("service").GetString()!;
            var addresses = World.ExternalAddresses.TryGetValue(service, out var n) ? n : (int?)null;
            return new Lookup(addresses > 0, addresses ?? 0, 1, addresses > 0 ? null : "Waiting",
                addresses > 0 ? null : $"waiting for a ready address of Service {service}, which is not ours");
        }

        var name = ChildNames.Revision(Name, component.Name, component.Revision);
        var wanted = WantedReplicas(component.Name, component.Revision);
        if (!World.Deployments.TryGetValue(name, out var deployment) || deployment.Deleting || deployment.Owner is not (Ownership.Ours or Ownership.Orphan))
        {
            var waits = component.DependsOn.Where(d => release.Component(d) is { } on && !Look(release, on).Available).ToList();
            return new Lookup(false, 0, wanted, "Waiting", waits.Count > 0 ? $"waiting for {string.Join(", ", waits)}" : "not created yet");
        }

        var available = deployment.Available >= wanted && deployment.Replicas >= wanted;
        return available ? new Lookup(true, deployment.Available, wanted, null, null)
            : IsOnItsOwn(deployment) ? new Lookup(false, deployment.Available, wanted, "Unavailable", deployment.PodProblem ?? deployment.Crash?.Message ?? "pods are starting")
            : deployment.CapacityProblem is { } capacity ? new Lookup(false, deployment.Available, wanted, Room, capacity)
            : deployment.GateProblem is { } gate ? new Lookup(false, deployment.Available, wanted, Gate, gate)
            : new Lookup(false, deployment.Available, wanted, "Unavailable", deployment.PodProblem ?? "pods are starting");
    }

    /// <summary>Whether pods are not ready for another reason than room, whatever the others lack. Pods that crash are ready now and then.</summary>
    private bool IsOnItsOwn(DeploymentView deployment)
    {
        if (deployment.HasPodsOnTheirOwn || deployment is { CapacityProblem: null, GateProblem: null } || deployment.Crash?.At + s_crashCounts is not { } until || until <= _now)
        {
            return deployment.HasPodsOnTheirOwn;
        }

        LookAt(until);
        return true;
    }

    // What is not ours is waited for when pods start, and blamed on nobody afterwards.
    private bool IsAvailable(ReleaseRecord release) => release.Workloads().All(c => Look(release, c).Available);

    /// <summary>Whether a release answers at all: a pod of each component that is to have any, and a ready address of its entry.</summary>
    private bool Serves(ReleaseRecord release) =>
        release.Workloads().All(c => World.Deployments.GetValueOrDefault(ChildNames.Revision(Name, c.Name, c.Revision!))?.Available >= Math.Min(1, WantedReplicas(c.Name, c.Revision!)))
        && (ReadyAddresses(release) > 0 || release.Component(release.Entry)?.HasService != true || WantedReplicas(release.Entry, release.Component(release.Entry)!.Revision!) == 0);

    /// <summary>Whether pods of stable or canary find no room in the cluster.</summary>
    private bool LacksRoom() => new[] { Stable, Canary }.OfType<ReleaseView>().SelectMany(static r => r.Record.Workloads())
        .Any(c => World.Deployments.GetValueOrDefault(ChildNames.Revision(Name, c.Name, c.Revision!)) is { CapacityProblem: not null } or { GateProblem: not null });

    /// <summary>Answers whether the canary is available with a ready address, and keeps the clocks of what happens when it is not.</summary>
    private bool WatchAvailability(ReleaseRecord canary)
    {
        var step = _s.Step!;
        var ready = IsAvailable(canary) && (ReadyAddresses(canary) > 0 || canary.Component(canary.Entry)?.HasService != true || IsAsleep);
        if (ready)
        {
            Recover(step);
        }
        else if (canary.Workloads().All(IsAskedFor))
        {
            NoteOutage(step);
            step.UnavailableSince ??= _now;
            WatchDeadline(canary, step);
        }
        else if (MayRaise || (IsServing && !canary.Workloads().All(Serves)) || (_in.MayNotRaise && step.UnavailableSince is not null))
        {
            // Pods are asked for only once the step is in status: before that none can be late.
            NoteOutage(step);
            step.UnavailableSince = IsRecorded(step) ? step.UnavailableSince ?? _now : _now;
            WatchDeadline(canary, step);
        }
        else if (IsServing)
        {
            Recover(step);
        }
        else
        {
            // While nothing may rise pods are not even asked for, and none can be late.
            ForgetOutages(step);
        }

        if (_s.CanaryRevision is not null && Stable is not null)
        {
            WatchAddress(canary, step, ready);
        }

        return ready && _s.CanaryRevision is not null;

        bool Serves(ComponentRecord component) => World.Deployments.GetValueOrDefault(ChildNames.Revision(Name, component.Name, component.Revision!))?.Available > 0;

        bool IsAskedFor(ComponentRecord component) =>
            World.Deployments.TryGetValue(ChildNames.Revision(Name, component.Name, component.Revision!), out var deployment)
            && deployment.Replicas >= WantedReplicas(component.Name, component.Revision!);
    }

    /// <summary>Whether the status that the API server has says that the canary is in this very step.</summary>
    private bool IsRecorded(StepStatus step) =>
        _in.Persisted is { Step: { } there } persisted && Is(persisted.CanaryRevision, _s.CanaryRevision) && there.Index == step.Index && there.StartedAt == step.StartedAt;

    private void Recover(StepStatus step)
    {
        if (step.UnavailableSince is null)
        {
            return;
        }

        step.AvailableSince ??= _now;
        if (_now - step.AvailableSince >= s_availableAgain)
        {
            ForgetOutages(step);
        }
        else
        {
            LookAt(step.AvailableSince + s_availableAgain);
        }
    }

    /// <summary>It is unavailable again: the time in which it was there is no part of its lateness.</summary>
    private void NoteOutage(StepStatus step)
    {
        if (step is { UnavailableSince: { } since, AvailableSince: { } again })
        {
            step.UnavailableSince = since + (_now - again);
            step.Outages = (step.Outages ?? 0) + 1;
        }

        step.AvailableSince = null;
    }

    private static void ForgetOutages(StepStatus step)
    {
        step.UnavailableSince = null;
        step.AvailableSince = null;
        step.Outages = null;
    }

    private void WatchDeadline(ReleaseRecord canary, StepStatus step)
    {
        var problems = canary.Components.Select(c => (c.Name, Look: Look(canary, c))).Where(static c => !c.Look.Available).ToList();
        var full = IsOnlyRoom([.. problems.Select(static p => p.Look.Reason)]);
        if (!full && WaitedForRoom(canary))
        {
            // The time without room was not the release's: now that its pods may start they get all the time there is.
            step.UnavailableSince = _now;
        }

        // One that came in time and is gone for a moment right after is not one that never came.
        var allowed = AllowedTime(canary, [.. problems.Where(p => p.Look.Reason is not "Waiting" && (full || p.Look.Reason is not (Room or Gate))).Select(static p => p.Name)]);
        var deadline = step.UnavailableSince!.Value + allowed + (step.Outages > 0 ? s_blip : TimeSpan.Zero);
        if (_now < deadline)
        {
            LookAt(deadline);
            return;
        }

        var text = problems.Count == 0
            ? $"Service {EntryService(canary)} has no ready address"
            : string.Join("; ", problems.Select(static p => $"{p.Name} {p.Look.Ready}/{p.Look.Wanted}: {p.Look.Message}"));
        // No release is condemned for a full cluster.
        if (full)
        {
            _capacity = problems.Exists(static p => p.Look.Reason is Room) ? (Room, $"waiting for room in the cluster: {text}") : (Gate, $"waiting for a scheduling gate to open: {text}");
        }
        else if (Stable is null)
        {
            _installLate = text;
        }
        else if (_in.MayNotCondemn)
        {
            LookAt(_now + s_lookAgain);
        }
        else
        {
            _condemns = Needs(canary);
            RollBack(RollbackCauses.Deadline, $"not available within {Api.Values.RagDuration.Format(allowed)}: {text}", null);
        }
    }

    private static bool IsOnlyRoom(List<string?> reasons) => reasons.Exists(static r => r is Room or Gate) && reasons.TrueForAll(static r => r is Room or Gate or "Waiting");

    /// <summary>Whether by the last status nothing but room in the cluster kept this release's pods from starting.</summary>
    private bool WaitedForRoom(ReleaseRecord canary) =>
        _s.Components is { } shown
        && shown.TrueForAll(c => Is(canary.Component(c.Name)?.Revision, c.Revision) || c.Revision is null)
        && IsOnlyRoom([.. shown.Select(static c => c.Reason).Where(static r => r is not null)]);

    private IReadOnlyList<string> ExternalsWanted()
    {
        if (Canary is not { } canary || _s.Step?.State is not StepStates.Scaling)
        {
            return [];
        }

        var services = canary.Record.Components.Where(static c => c.Revision is null)
            .Select(static c => c.Content.GetProperty("external").GetProperty("service").GetString()!).ToList();
        if (services.Exists(s => !(World.ExternalAddresses.GetValueOrDefault(s) > 0)))
        {
            LookAt(_now + TimeSpan.FromSeconds(2));
        }

        return services;
    }

    /// <summary>What is seen of one component.</summary>
    private sealed record Lookup(bool Available, int Ready, int Wanted, string? Reason, string? Message);
}
