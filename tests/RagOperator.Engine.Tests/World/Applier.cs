using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Tests.World;

/// <summary>Carries writes out on the cluster, as the API server would.</summary>
internal static class Applier
{
    /// <summary>Answers why the write was refused, or null where it was accepted.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="write">The write.</param>
    /// <param name="unrecorded">Whether the status that decided it could not be written.</param>
    /// <param name="dryRuns">Where answers of dry runs go.</param>
    public static string? Apply(Cluster cluster, Write write, bool unrecorded, Action<PreflightView> dryRuns)
    {
        switch (write)
        {
            case Preflight preflight:
                dryRuns(DryRun(cluster, preflight));
                return null;
            case CreateRelease create:
                return Add(cluster.Records, new SimRecord { Name = ChildNames.Release(cluster.Name, create.Record.Hash), OwnerUid = cluster.Uid, Release = create.Record });
            case CreatePolicy create:
                return Add(cluster.Records, new SimRecord { Name = create.Name, OwnerUid = cluster.Uid, Policy = cluster.Spec });
            case MarkRelease mark:
                return On(cluster.Records, mark.Target, record =>
                {
                    record.Failed = mark.Failed;
                    record.Struck = mark.Struck;
                });
            case Adopt adopt:
                var child = cluster.Children().FirstOrDefault(c => c.Uid == adopt.Target.Uid);
                if (child is null) return $"{adopt.Target.Name} not found";
                child.OwnerUid = cluster.Uid;
                child.Version++;
                return null;
            case DescribeChild:
                return null;
            case DeleteChild delete:
                return Delete(cluster, delete);
            case CreateRevisionService create:
                var component = create.Release.Component(create.Component)!;
                return Add(cluster.Services, new SimService
                {
                    Name = ChildNames.Revision(cluster.Name, create.Component, component.Revision!),
                    OwnerUid = cluster.Uid,
                    Component = create.Component,
                    Revision = component.Revision!,
                });
            case CreateDeployment create:
                return Create(cluster, create);
            case ScaleDeployment scale:
                return On(cluster.Deployments, scale.Target, d => cluster.Scale(d, scale.Replicas));
            case ApplyStableService apply:
                return Apply(cluster, apply);
            case ApplyFlags apply:
                var name = ChildNames.Flags(cluster.Name, apply.Component, apply.Revision);
                return apply.Current is null
                    ? Add(cluster.FlagMaps, new SimFlags { Name = name, OwnerUid = cluster.Uid, Component = apply.Component, Revision = apply.Revision, Flags = apply.Flags })
                    : On(cluster.FlagMaps, apply.Current, f => f.Flags = apply.Flags);
            case ApplyRoute apply:
                return Apply(cluster, apply, unrecorded);
            case RemoveRequest remove:
                if (cluster.Request == remove.Request) cluster.Request = null;
                return null;
            default:
                throw new NotSupportedException(write.GetType().Name);
        }
    }

    private static PreflightView DryRun(Cluster cluster, Preflight preflight)
    {
        var candidate = preflight.Candidate;
        var refused = candidate.Workloads().Select(c => cluster.Refused.GetValueOrDefault(Cluster.Image(c.Content))).OfType<string>().ToList();
        if (cluster.RefusedHostname is { } hostname && cluster.Spec.GetRawText().Contains(hostname, StringComparison.Ordinal))
            refused.Add($"spec.traffic.gatewayApi: HTTPRoute spec.hostnames[0]: {hostname}");
        var taken = candidate.Workloads().Select(c => ChildNames.Revision(cluster.Name, c.Name, c.Revision!))
            .Where(n => (cluster.Deployments.TryGetValue(n, out var d) && d.OwnerUid != cluster.Uid) || (cluster.Services.TryGetValue(n, out var s) && s.OwnerUid != cluster.Uid))
            .Select(static n => $"{n} is held by somebody else").ToList();
        return new PreflightView { Release = candidate.Hash, Route = preflight.Route, At = cluster.Now, Refused = refused, NamesTaken = taken };
    }

    private static string? Create(Cluster cluster, CreateDeployment create)
    {
        var component = create.Release.Component(create.Component)!;
        var deployment = new SimDeployment
        {
            Name = ChildNames.Revision(cluster.Name, create.Component, component.Revision!),
            OwnerUid = cluster.Uid,
            Component = create.Component,
            Revision = component.Revision!,
            Image = Cluster.Image(component.Content),
        };
        var refused = Add(cluster.Deployments, deployment);
        if (refused is null) cluster.Scale(deployment, create.Replicas);
        return refused;
    }

    private static string? Apply(Cluster cluster, ApplyStableService apply)
    {
        var component = apply.Component ?? apply.Release.Entry;
        var revision = apply.Release.Component(component)!.Revision!;
        var release = apply.Component is null ? apply.Release.Hash : null;
        return apply.Current is null
            ? Add(cluster.Services, new SimService
            {
                Name = ChildNames.Stable(cluster.Name, apply.Component),
                OwnerUid = cluster.Uid,
                Component = component,
                Revision = revision,
                Release = release,
            })
            : On(cluster.Services, apply.Current, s =>
            {
                s.Component = component;
                s.Revision = revision;
                s.Release = release;
            });
    }

    private static string? Apply(Cluster cluster, ApplyRoute apply, bool unrecorded)
    {
        if (apply.Current is null)
        {
            if (cluster.Route is not null) return "AlreadyExists: the route";
            cluster.Route = new SimRoute { Name = cluster.Name, OwnerUid = cluster.Uid };
        }
        else if (cluster.Route is null || cluster.Route.Uid != apply.Current.Uid || $"{cluster.Route.Version}" != apply.Current.ResourceVersion)
        {
            return "Conflict: the route";
        }

        var changed = !cluster.Route!.Backends.SequenceEqual(apply.Backends) || cluster.Route.Drifted || cluster.Route.Differing.Count > 0;
        cluster.Route.Backends = [.. apply.Backends];
        cluster.Route.Drifted = false;
        cluster.Route.Differing = [];
        cluster.Route.ForeignWriter = null;
        cluster.Route.RolledBack = unrecorded ? apply.UnrecordedRollback : null;
        cluster.Route.Version++;
        if (changed) cluster.RouteChanged();
        return null;
    }

    private static string? Delete(Cluster cluster, DeleteChild delete)
    {
        var target = cluster.Children().FirstOrDefault(c => c.Uid == delete.Target.Uid);
        if (target is null) return $"{delete.Target.Name} not found";
        if ($"{target.Version}" != delete.Target.ResourceVersion) return $"Conflict: {target.Name}";
        _ = delete.Kind switch
        {
            ChildKind.ControllerRevision => cluster.Records.Remove(target.Name),
            ChildKind.Deployment => cluster.Deployments.Remove(target.Name),
            ChildKind.Service => cluster.Services.Remove(target.Name),
            ChildKind.ConfigMap => cluster.FlagMaps.Remove(target.Name),
            _ => throw new NotSupportedException("a route is never deleted"),
        };
        return null;
    }

    private static string? Add<T>(Dictionary<string, T> children, T child)
        where T : SimChild => children.TryAdd(child.Name, child) ? null : $"AlreadyExists: {child.Name}";

    private static string? On<T>(Dictionary<string, T> children, ChildView view, Action<T> change)
        where T : SimChild
    {
        if (!children.TryGetValue(view.Name, out var child) || child.Uid != view.Uid || $"{child.Version}" != view.ResourceVersion)
            return $"Conflict: {view.Name}";
        change(child);
        child.Version++;
        return null;
    }
}
