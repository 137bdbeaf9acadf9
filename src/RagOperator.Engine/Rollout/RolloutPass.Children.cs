using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// Deployments, Services and ConfigMaps: dependencies first; what no live release names goes.
internal sealed partial class RolloutPass
{
    /// <summary>A name that we need and somebody else holds.</summary>
    private string? _nameTaken;

    private readonly HashSet<string> _missed = new(StringComparer.Ordinal);

    private void PlanChildren()
    {
        var keep = new HashSet<(ChildKind, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (release, role, entry) in Live())
        {
            foreach (var component in release.Workloads())
            {
                var name = ChildNames.Revision(Name, component.Name, component.Revision!);
                keep.Add((ChildKind.Deployment, name));
                keep.Add((ChildKind.Service, name));
                keep.Add((ChildKind.ConfigMap, ChildNames.Flags(Name, component.Name, component.Revision!)));
                if (!seen.Add(name))
                {
                    continue;
                }

                var starts = role == Role.Stable
                    || (role == Role.Canary && (MayRaise || IsServing) && DependenciesAvailable(release, component));
                PlanComponent(release, role, component, entry, starts);
            }
        }

        if (Stable is { } stable)
        {
            PlanStableServices(stable.Record, keep);
        }

        if (Stable is not null || Canary is not null)
        {
            DeleteAllBut(keep);
        }
    }

    private bool DependenciesAvailable(ReleaseRecord release, ComponentRecord component) =>
        component.DependsOn.TrueForAll(d => release.Component(d) is not { } on || (on.Revision is null && HasStarted(component)) || Look(release, on).Available);

    // What is not ours is waited for once, before the first pods start; it must not keep them from being scaled or made again.
    private bool HasStarted(ComponentRecord component) =>
        _s.Step?.State is not StepStates.Scaling || World.Deployments.ContainsKey(ChildNames.Revision(Name, component.Name, component.Revision!));

    private void PlanComponent(ReleaseRecord release, Role role, ComponentRecord component, Api.V1Alpha1.RetiringStatus? entry, bool starts)
    {
        var name = ChildNames.Revision(Name, component.Name, component.Revision!);
        NameHolder("Service", World.Services.GetValueOrDefault(name));
        NameHolder("Deployment", World.Deployments.GetValueOrDefault(name));
        if (component.HasService && starts && IsFree(ChildKind.Service, name, World.Services.GetValueOrDefault(name)))
        {
            _after.Add(new CreateRevisionService(release, component.Name));
        }

        if (release.Receives(component.Name))
        {
            PlanFlagMap(release, role, component, entry, starts);
        }

        var deployment = World.Deployments.GetValueOrDefault(name);
        var wanted = WantedReplicas(component.Name, component.Revision!);
        if (role == Role.Canary && !MayRaise)
        {
            wanted = Math.Min(wanted, deployment is { Replicas: > 0 } ? deployment.Replicas : ServingReplicas(component.Name));
        }

        if (deployment is null)
        {
            if (starts && IsFree(ChildKind.Deployment, name, null))
            {
                _after.Add(new CreateDeployment(release, component.Name, wanted));
            }
        }
        else if (deployment is { Deleting: false, Owner: Ownership.Ours } && deployment.Replicas != wanted && (starts || wanted < deployment.Replicas || role != Role.Canary))
        {
            _after.Add(new ScaleDeployment(deployment, wanted));
        }
    }

    /// <summary>A child with our labels that somebody else owns is left alone and named.</summary>
    private void NameHolder(string kind, ChildView? seen)
    {
        if (seen is { Owner: Ownership.Foreign })
        {
            _nameTaken ??= $"{kind} {seen.Name} is owned by somebody else";
        }
    }

    private void PlanFlagMap(ReleaseRecord release, Role role, ComponentRecord component, Api.V1Alpha1.RetiringStatus? entry, bool starts)
    {
        var name = ChildNames.Flags(Name, component.Name, component.Revision!);
        var current = World.FlagMaps.GetValueOrDefault(name);
        NameHolder("ConfigMap", current);
        var flags = FlagsOf(release, role == Role.Stable, role == Role.Canary, entry, current);
        // A flag that the file says is off stays so in writing: gone from there, it would be whatever the program takes for its default.
        foreach (var known in current?.Flags?.Keys ?? [])
        {
            flags.TryAdd(known, false);
        }

        if (current is null)
        {
            if (starts && IsFree(ChildKind.ConfigMap, name, null))
            {
                _after.Add(new ApplyFlags(component.Name, component.Revision!, flags, null, Direction.Raises));
            }
        }
        else if (current is { Deleting: false, Owner: Ownership.Ours } && !Same(current.Flags, flags))
        {
            var raises = flags.Any(f => f.Value && current.Flags?.GetValueOrDefault(f.Key) != true);
            if (!raises || current.Flags is null)
            {
                _after.Add(new ApplyFlags(component.Name, component.Revision!, flags, current, raises ? Direction.Raises : Direction.Lowers));
                return;
            }

            // Off must not wait for on: what goes off is written by itself, in a way that needs no journal. Nor does what was decided go on when nothing may rise any more.
            var off = new SortedDictionary<string, bool>(flags.ToDictionary(static f => f.Key, f => f.Value && current.Flags.GetValueOrDefault(f.Key)), StringComparer.Ordinal);
            var offFirst = current.Flags.Any(f => f.Value && !flags.GetValueOrDefault(f.Key));
            // What is not looked up for a moment is left out where writes are sent, so that a refused one is still told.
            if (offFirst || (role == Role.Canary && !MayRaise && !_in.MayNotRaise))
            {
                if (!Same(current.Flags, off))
                {
                    _after.Add(new ApplyFlags(component.Name, component.Revision!, off, current, Direction.Lowers));
                }
            }
            else
            {
                _after.Add(new ApplyFlags(component.Name, component.Revision!, flags, current, Direction.Raises));
            }
        }
    }

    private static bool Same(IReadOnlyDictionary<string, bool>? a, SortedDictionary<string, bool> b) =>
        a is not null && a.Count == b.Count && b.All(f => a.TryGetValue(f.Key, out var on) && on == f.Value);

    /// <summary>Services inside the cluster always select stable; they are first written when a first install is complete.</summary>
    private void PlanStableServices(ReleaseRecord stable, HashSet<(ChildKind, string)> keep)
    {
        foreach (var component in stable.Workloads().Where(static c => c.HasService).Select(static c => c.Name))
        {
            PlanStableService(stable, component, null, keep);
            if (Is(component, stable.Entry))
            {
                PlanStableService(stable, component, stable.Hash, keep);
            }
        }
    }

    private void PlanStableService(ReleaseRecord stable, string component, string? hash, HashSet<(ChildKind, string)> keep)
    {
        var shown = hash is null ? component : null;
        var name = ChildNames.Stable(Name, shown);
        keep.Add((ChildKind.Service, name));
        var current = World.Services.GetValueOrDefault(name);
        NameHolder("Service", current);
        if (current is null)
        {
            if (IsFree(ChildKind.Service, name, null))
            {
                _after.Add(new ApplyStableService(stable, shown, null));
            }
        }
        else if (current is { Owner: Ownership.Ours, Deleting: false }
            && (current.Drifted || !Is(current.SelectorRevision, stable.Component(component)!.Revision) || (hash is not null && !Is(current.Release, hash))))
        {
            _after.Add(new ApplyStableService(stable, shown, current));
        }
    }

    /// <summary>Whether every Service for clients inside the cluster selects stable already: until then the old pods still serve them.</summary>
    private bool StableServicesSettled(ReleaseRecord stable) =>
        stable.Workloads().Where(static c => c.HasService).All(c => Selects(ChildNames.Stable(Name, c.Name), c.Revision))
        && (stable.Component(stable.Entry) is not { HasService: true } entry || Selects(Name, entry.Revision));

    private bool Selects(string service, string? revision) => World.Services.TryGetValue(service, out var seen) && Is(seen.SelectorRevision, revision);

    /// <summary>Whether a name can be created: nothing of it is seen, and nobody is known to hold it.</summary>
    private bool IsFree(ChildKind kind, string name, ChildView? seen)
    {
        if (World.Taken.TryGetValue($"{kind} {name}", out var holder))
        {
            _missed.Add($"{kind} {name}");
            _nameTaken ??= holder;
            return false;
        }

        return seen is null;
    }

    /// <summary>Whether a Service is one for clients inside the cluster. Where no release is known to be stable yet, one may have been: it still serves.</summary>
    private bool IsStablesService(ChildView view) =>
        view is ServiceView service && !Is(service.Name, ChildNames.Revision(Name, service.SelectorComponent, service.SelectorRevision));

    private void DeleteAllBut(HashSet<(ChildKind, string)> keep)
    {
        var entries = Live().Select(l => EntryService(l.Release)).ToHashSet(StringComparer.Ordinal);
        foreach (var (kind, view) in Children())
        {
            if (kind is not (ChildKind.Deployment or ChildKind.Service or ChildKind.ConfigMap)
                || view.Deleting || view.Owner != Ownership.Ours || keep.Contains((kind, view.Name)) || (Stable is null && IsStablesService(view)))
            {
                continue;
            }

            // The canary's Service goes only after the route is verified without it (S4), and its pods not before.
            var revision = kind == ChildKind.ConfigMap && view.Name.EndsWith("-flags", StringComparison.Ordinal) ? view.Name[..^"-flags".Length] : view.Name;
            if (MayGo(revision, entries))
            {
                _after.Add(new DeleteChild(kind, view));
            }
        }
    }
}
