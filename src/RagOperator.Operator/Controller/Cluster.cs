using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Controller;

/// <summary>The caches of all kinds that a RagDeployment is made of, and the client to write them.</summary>
public sealed class Cluster(
    IKubernetesClient client,
    IObjectCache<RagDeployment> objects,
    IObjectCache<V1ControllerRevision> revisions,
    IObjectCache<V1Deployment> deployments,
    IObjectCache<V1Service> services,
    IObjectCache<V1ConfigMap> configMaps,
    IObjectCache<V1HTTPRoute> routes,
    IObjectCache<V1EndpointSlice> slices,
    IObjectCache<V1Endpoints> endpoints,
    IObjectCache<V1Pod> pods)
{
    private readonly Dictionary<ChildKind, KindPort> _children = new()
    {
        [ChildKind.ControllerRevision] = new KindPort<V1ControllerRevision>(client, revisions),
        [ChildKind.Deployment] = new KindPort<V1Deployment>(client, deployments),
        [ChildKind.Service] = new KindPort<V1Service>(client, services),
        [ChildKind.ConfigMap] = new KindPort<V1ConfigMap>(client, configMaps),
        [ChildKind.HttpRoute] = new KindPort<V1HTTPRoute>(client, routes),
    };

    internal IKubernetesClient Client => client;

    internal IObjectCache<RagDeployment> Objects => objects;

    internal IObjectCache<V1ControllerRevision> Revisions => revisions;

    internal IObjectCache<V1Deployment> Deployments => deployments;

    internal IObjectCache<V1Service> Services => services;

    internal IObjectCache<V1ConfigMap> ConfigMaps => configMaps;

    internal IObjectCache<V1HTTPRoute> Routes => routes;

    internal IObjectCache<V1Endpoints> Endpoints => endpoints;

    /// <summary>Whether the server tells of addresses by EndpointSlices; else by Endpoints, which newer servers warn about.</summary>
    internal bool UsesSlices => slices.HasSynced && slices.State != CacheState.KindMissing;

    /// <summary>Whether the addresses behind Services are known.</summary>
    internal bool KnowsAddresses => UsesSlices || endpoints.HasSynced;

    internal IObjectCache<V1Pod> Pods => pods;

    internal KindPort ObjectPort { get; } = new KindPort<RagDeployment>(client, objects);

    internal KindPort SlicesPort { get; } = new KindPort<V1EndpointSlice>(client, slices);

    internal KindPort EndpointsPort { get; } = new KindPort<V1Endpoints>(client, endpoints);

    internal KindPort Child(ChildKind kind) => _children[kind];

    /// <summary>The children of one object in a cache: those that carry its name label, in its namespace.</summary>
    internal static IEnumerable<T> Of<T>(IObjectCache<T> cache, Abstractions.NamespacedName key)
        where T : class, Abstractions.IKubernetesObject<V1ObjectMeta> =>
        cache.ByIndex(CacheIndex.Label(ApiConstants.NameLabel), key.Name)
            .Where(o => string.Equals(o.Metadata.NamespaceProperty, key.Namespace, StringComparison.Ordinal));
}
