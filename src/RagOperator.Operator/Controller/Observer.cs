using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;
using RagOperator.Operator.FeatureFlags;
using RagOperator.Operator.Json;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Puts the world of one object together from the caches, and what was read live where those do not show it. No I/O.</summary>
internal sealed class Observer(Cluster cluster, ITrafficRouter<V1HTTPRoute> router, ISampleStore samples, IPortProbes ports, IMetricCatalog catalog)
{
    private readonly AddressBook _addresses = new(cluster);

    /// <summary>Looks at everything that belongs to the object.</summary>
    public Snapshot Observe(ChildOwner owner, RagDeployment entity, ObjectMemory memory)
    {
        var (releases, policies) = Records(owner, memory);
        var records = releases.ConvertAll(static r => r.Record);
        var services = ByName(Of<V1Service>(cluster.Child(ChildKind.Service), memory));
        var configMaps = ByName(Of<V1ConfigMap>(cluster.Child(ChildKind.ConfigMap), memory));
        var kindKnown = cluster.Routes.State != CacheState.KindMissing;
        var route = kindKnown ? Route(owner, memory) : null;
        var accepted = policies.Find(p => string.Equals(p.Name, entity.Status?.PolicyRevision, StringComparison.Ordinal))?.Spec;
        var wanted = accepted?.GatewayApi;
        return new Snapshot
        {
            Services = services,
            ConfigMaps = configMaps,
            Route = route,
            Observed = new Observed
            {
                Releases = releases,
                Policies = policies,
                Deployments = Deployments(owner, memory, accepted),
                Services = services.ToDictionary(static s => s.Key, s => WorkloadViews.Service(owner, s.Value, records) with { Undescribed = IsUndescribed(memory, accepted, ChildKind.Service, s.Value) }, StringComparer.Ordinal),
                FlagMaps = configMaps.ToDictionary(static c => c.Key, c => FlagsConfigMap.View(owner, c.Value) with { Undescribed = IsUndescribed(memory, accepted, ChildKind.ConfigMap, c.Value) }, StringComparer.Ordinal),
                ReadyAddresses = _addresses.Ready(owner, memory, services),
                ExternalAddresses = memory.ExternalAddresses.ToDictionary(static e => e.Key, static e => e.Value.Addresses, StringComparer.Ordinal),
                RouteKindKnown = kindKnown,
                Route = route is null ? null : router.Observe(owner, route, wanted, EntryPorts(records, owner)) with { Undescribed = IsUndescribed(memory, accepted, ChildKind.HttpRoute, route) },
                Preflight = memory.Preflight,
                Samples = samples.Latest(owner.Uid),
                Port = ports.Latest(owner.Uid),
                LastError = memory.LastError,
                Unwritten = memory.Unwritten,
                Taken = memory.Taken.ToDictionary(static t => ObjectMemory.NameOf(t.Key), static t => t.Value, StringComparer.Ordinal),
            },
        };
    }

    /// <summary>The addresses that a question about connections is for.</summary>
    public PortTargets Targets(ObjectMemory memory, PortLook look) => new(
        look,
        _addresses.Of(memory, look.Service, look.PortName),
        look is { Compared: { } other, ComparedPortName: { } port } ? _addresses.Of(memory, other, port) : []);

    /// <summary>The spec as read; read once for each generation.</summary>
    public SpecReading Read(RagDeployment entity, ObjectMemory memory)
    {
        var generation = entity.Metadata.Generation ?? 0;
        if (memory.Reading is not { } known || known.Generation != generation)
            memory.Reading = known = (generation, SpecReader.Read(entity, catalog, IsAccepted(entity, memory)));
        return known.Reading;
    }

    /// <summary>Whether this very spec is the last accepted one, by its record.</summary>
    private bool IsAccepted(RagDeployment entity, ObjectMemory memory) =>
        Of<V1ControllerRevision>(cluster.Child(ChildKind.ControllerRevision), memory)
            .FirstOrDefault(r => RevisionRecords.IsPolicy(r) && string.Equals(r.Name(), entity.Status?.PolicyRevision, StringComparison.Ordinal)) is { } policy
        && RevisionRecords.ReadPolicy(policy) is { } accepted && JsonElement.DeepEquals(accepted, entity.Spec);

    private (List<ReleaseView> Releases, List<PolicyView> Policies) Records(ChildOwner owner, ObjectMemory memory)
    {
        var releases = new List<ReleaseView>();
        var policies = new List<PolicyView>();
        foreach (var revision in Of<V1ControllerRevision>(cluster.Child(ChildKind.ControllerRevision), memory).OrderBy(static r => r.Name(), StringComparer.Ordinal))
        {
            if (RevisionRecords.IsRelease(revision) && Once(memory.Releases, revision, RevisionRecords.ReadRelease) is { } record)
            {
                releases.Add(new ReleaseView
                {
                    Name = revision.Name(),
                    Uid = revision.Uid(),
                    ResourceVersion = revision.ResourceVersion(),
                    Owner = owner.OwnershipOf(revision),
                    Deleting = revision.Metadata.DeletionTimestamp is not null,
                    Record = record,
                    Failed = RevisionRecords.FailedMark(revision),
                    Struck = RevisionRecords.StruckMark(revision),
                });
            }
            else if (RevisionRecords.IsPolicy(revision))
            {
                policies.Add(new PolicyView
                {
                    Name = revision.Name(),
                    Uid = revision.Uid(),
                    ResourceVersion = revision.ResourceVersion(),
                    Owner = owner.OwnershipOf(revision),
                    Deleting = revision.Metadata.DeletionTimestamp is not null,
                    Spec = Once(memory.Policies, revision, r => ReadPolicy(owner, r)),
                });
            }
        }

        Forget(memory.Releases, releases);
        Forget(memory.Policies, policies);
        return (releases, policies);
    }

    private ResolvedSpec? ReadPolicy(ChildOwner owner, V1ControllerRevision revision) =>
        RevisionRecords.ReadPolicy(revision) is { } spec
            ? SpecReader.Read(new RagDeployment { Metadata = new() { Name = owner.Name, NamespaceProperty = owner.Namespace }, Spec = spec }, new AcceptedCatalog(catalog, spec), accepted: true).Spec
            : null;

    /// <summary>The route as it was read live in this pass, unless the cache has it by now and is newer.</summary>
    private V1HTTPRoute? Route(ChildOwner owner, ObjectMemory memory)
    {
        var key = owner.Child(ChildNames.Route(owner.Name));
        var cached = memory.Ledger.Get(cluster.Child(ChildKind.HttpRoute), key) as V1HTTPRoute;
        return memory.RouteOutOfSight is { } live && (cached is null || !cluster.Routes.HasSeen(key, live.ResourceVersion() ?? "")) ? live : cached;
    }

    private static IEnumerable<T> Of<T>(KindPort port, ObjectMemory memory) => memory.Ledger.Of(port).Cast<T>();

    private static T? Once<T>(Dictionary<string, T?> known, V1ControllerRevision revision, Func<V1ControllerRevision, T?> read)
        where T : class
    {
        if (!known.TryGetValue(revision.Uid(), out var value)) known[revision.Uid()] = value = read(revision);
        return value;
    }

    private static void Forget<T>(Dictionary<string, T?> known, IEnumerable<ChildView> seen)
    {
        var uids = seen.Select(static v => v.Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var uid in known.Keys.Where(u => !uids.Contains(u)).ToList()) known.Remove(uid);
    }

    private Dictionary<string, DeploymentView> Deployments(ChildOwner owner, ObjectMemory memory, ResolvedSpec? accepted)
    {
        // Pods are many and looked at only where some are missing: filed once for all Deployments of this pass.
        ILookup<(string?, string?), V1Pod>? pods = null;
        return Of<V1Deployment>(cluster.Child(ChildKind.Deployment), memory).ToDictionary(
            static d => d.Name(),
            d => WorkloadViews.Deployment(owner, d, () =>
            {
                pods ??= Cluster.Of(cluster.Pods, owner.Key).ToLookup(static p => (p.GetLabel(ApiConstants.ComponentLabel), p.GetLabel(ApiConstants.RevisionLabel)));
                return [.. pods[(d.GetLabel(ApiConstants.ComponentLabel), d.GetLabel(ApiConstants.RevisionLabel))]];
            })
            with
            { Undescribed = IsUndescribed(memory, accepted, ChildKind.Deployment, d) },
            StringComparer.Ordinal);
    }

    /// <summary>Whether a child lacks what the accepted spec wants on it, and would keep it.</summary>
    private static bool IsUndescribed(ObjectMemory memory, ResolvedSpec? accepted, ChildKind kind, IKubernetesObject<V1ObjectMeta> child) =>
        CarriedMetadata.Of(accepted, kind, child) is { } carried && carried.Patch(child) is not null
        && !string.Equals(memory.Undescribable.GetValueOrDefault((kind, child.Name())), $"{carried}", StringComparison.Ordinal);

    private static Dictionary<string, int> EntryPorts(List<ReleaseRecord> records, ChildOwner owner)
    {
        var ports = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (record.Component(record.Entry) is not { Revision: { } revision } entry) continue;
            if (entry.Content.Items("ports").Select(static p => p.Number("port")).FirstOrDefault() is { } port)
                ports[ChildNames.Revision(owner.Name, entry.Name, revision)] = port;
        }

        return ports;
    }

    private static Dictionary<string, T> ByName<T>(IEnumerable<T> objects)
        where T : IKubernetesObject<V1ObjectMeta> => objects.ToDictionary(static o => o.Name(), StringComparer.Ordinal);
}
