using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Kubernetes;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Traffic;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Support;

/// <summary>The controller on a fake API server.</summary>
internal sealed class ControllerBed : ISampleStore, IRolloutMetrics, IEventRecorder, IMetricCatalog, ILogger<RagDeploymentController>
{
    public const string Name = "assistant";

    public ControllerBed(Decide? decide = null)
    {
        Objects = new(Api);
        Routes = new(Api);
        ConfigMaps = new(Api);
        Services = new(Api);
        Endpoints = new(Api);
        Slices = new(Api) { State = CacheState.KindMissing };
        Controller = Start(decide);
    }

    public FakeApi Api { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public FakeCache<RagDeployment> Objects { get; }

    public FakeCache<V1HTTPRoute> Routes { get; }

    public FakeCache<V1ConfigMap> ConfigMaps { get; }

    public FakeCache<V1Service> Services { get; }

    public FakeCache<V1Endpoints> Endpoints { get; }

    public FakeCache<V1EndpointSlice> Slices { get; }

    public RagDeploymentController Controller { get; private set; }

    public List<(string Reason, string Note, EventType Type)> Events { get; } = [];

    public List<string> Warnings { get; } = [];

    public Dictionary<string, MetricSample> Samples { get; } = [];

    public SlaLook? Look { get; private set; }

    public List<TimeSpan> Reactions { get; } = [];

    public ILeadership Leadership { get; set; } = new AlwaysLeader();

    public IRequesters Requesters { get; set; } = new UnknownRequesters();

    public IPortProbes Ports { get; set; } = new NoPortProbes();

    public RagDeployment Object => Api.All<RagDeployment>().Single();

    /// <summary>A new process: nothing is remembered.</summary>
    public RagDeploymentController Start(Decide? decide = null) => Controller = new RagDeploymentController(
        new Cluster(Api, Objects, new FakeCache<V1ControllerRevision>(Api), new FakeCache<V1Deployment>(Api), Services, ConfigMaps, Routes,
            Slices, Endpoints, new FakeCache<V1Pod>(Api)),
        new GatewayApiRouter(),
        this,
        decide ?? RolloutEngine.Decide,
        this,
        Ports,
        this,
        Operator.Workloads.PodEnvironment.None,
        Requesters,
        this,
        Leadership,
        Time,
        this);

    public void Apply(string spec, string uid = "uid-1") => Api.Put<RagDeployment>(new JsonObject
    {
        ["apiVersion"] = "ragoperator.dev/v1alpha1",
        ["kind"] = "RagDeployment",
        ["metadata"] = new JsonObject { ["name"] = Name, ["uid"] = uid },
        ["spec"] = Sample.Object(spec),
    });

    public Task<ReconciliationResult<RagDeployment>> PassAsync() => Controller.ReconcileAsync(Object, CancellationToken.None);

    /// <summary>Passes and everything that a cluster does by itself, until nothing is written any more.</summary>
    public async Task SettleAsync(int passes = 60)
    {
        for (var quiet = 0; quiet < 3;)
        {
            if (passes-- == 0) throw new InvalidOperationException($"still writing: {string.Join(", ", Api.Accepted.TakeLast(5))}; {Object.Status?.Message}");
            var before = Api.Version;
            await PassAsync();
            RunCluster();
            quiet = Api.Version == before ? quiet + 1 : 0;
        }
    }

    /// <summary>Deployments become available, Services get addresses, gateways accept routes.</summary>
    public void RunCluster()
    {
        foreach (var deployment in Api.All<V1Deployment>().ToList())
        {
            if (deployment.Status?.ObservedGeneration == deployment.Metadata.Generation && deployment.Status?.AvailableReplicas == deployment.Spec!.Replicas) continue;
            Api.Change<V1Deployment>(
                deployment.Name(),
                $$$"""{"status":{"observedGeneration":{{{deployment.Metadata.Generation}}},"availableReplicas":{{{deployment.Spec!.Replicas}}}}}""");
        }

        foreach (var service in Api.All<V1Service>().Where(static s => s.Spec?.Selector is { Count: > 0 }).ToList())
        {
            var pods = Api.All<V1Deployment>().Where(d => service.Spec!.Selector!.All(s => d.GetLabel(s.Key) == s.Value)).Sum(static d => d.Status?.AvailableReplicas ?? 0);
            if (Slices.State != CacheState.KindMissing)
            {
                Slice(service, pods);
                continue;
            }

            var addresses = string.Join(',', Enumerable.Range(1, pods).Select(static i => $$"""{"ip":"10.0.0.{{i}}"}"""));
            var endpoints = $$"""{"subsets":[{"addresses":[{{addresses}}]}]}""";
            if (Api.Raw<V1Endpoints>(service.Name()) is not { } found)
            {
                var body = Sample.Object(endpoints);
                body["metadata"] = new JsonObject { ["name"] = service.Name(), ["labels"] = Labels(service) };
                Api.Put<V1Endpoints>(body);
            }
            else if (!JsonNode.DeepEquals(found["subsets"], Sample.Object(endpoints)["subsets"]))
            {
                Api.Change<V1Endpoints>(service.Name(), endpoints);
            }
        }

        foreach (var endpoints in Api.All<V1Endpoints>().Where(e => Api.Raw<V1Service>(e.Name()) is null && e.GetLabel("ragoperator.dev/name") is not null).ToList())
            Api.Remove<V1Endpoints>(endpoints.Name());

        foreach (var route in Api.All<V1HTTPRoute>().ToList())
        {
            var generation = route.Metadata.Generation;
            if (route.Status?.Parents?[0].Conditions?[0].ObservedGeneration == generation) continue;
            Api.Change<V1HTTPRoute>(route.Name(), $$$"""
                {"status":{"parents":[{"parentRef":{"name":"public","namespace":"gateways"},"conditions":[
                 {"type":"Accepted","status":"True","observedGeneration":{{{generation}}}},{"type":"ResolvedRefs","status":"True","observedGeneration":{{{generation}}}}]}]}}
                """);
        }
    }

    /// <summary>From now on the server has EndpointSlices, and nobody reads Endpoints.</summary>
    public void UseSlices()
    {
        Slices.State = CacheState.Watching;
        Endpoints.HasSynced = false;
    }

    // One slice of each family of addresses, by names that the server made up; what is on its way out is in it and not ready.
    private void Slice(V1Service service, int pods)
    {
        foreach (var (family, prefix) in new[] { ("IPv4", "10.0.0."), ("IPv6", "fd00::") })
        {
            var endpoints = string.Join(',', Enumerable.Range(1, pods).Select(i => $$$"""{"addresses":["{{{prefix}}}{{{i}}}"],"conditions":{"ready":true}}""")
                .Append($$$"""{"addresses":["{{{prefix}}}99"],"conditions":{"ready":false,"serving":true,"terminating":true}}"""));
            var body = $$"""{"addressType":"{{family}}","endpoints":[{{endpoints}}],"ports":[{"name":"http","port":8000,"protocol":"TCP"}]}""";
            var name = $"{service.Name()}-{family.ToLowerInvariant()}";
            if (Api.Raw<V1EndpointSlice>(name) is not { } found)
            {
                var made = Sample.Object(body);
                var labels = Labels(service);
                labels[V1EndpointSlice.ServiceLabel] = service.Name();
                made["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels };
                Api.Put<V1EndpointSlice>(made);
            }
            else if (!JsonNode.DeepEquals(found["endpoints"], Sample.Object(body)["endpoints"]))
            {
                Api.Change<V1EndpointSlice>(name, body);
            }
        }
    }

    public IReadOnlyDictionary<string, int> Weights() => Api.All<V1HTTPRoute>().Single() is { } route
        ? new GatewayApiRouter().Observe(Sample.Owner, route, null, new Dictionary<string, int>()).Backends.ToDictionary(static b => b.Service, static b => b.Weight)
        : throw new InvalidOperationException();

    IReadOnlyDictionary<string, MetricSample> ISampleStore.Latest(string uid) => Samples;

    void ISampleStore.Want(string uid, NamespacedName key, SlaLook? look) => Look = look;

    void IRolloutMetrics.Published(NamespacedName key, RagDeploymentStatus status, IReadOnlyList<EngineEvent> events, DateTimeOffset now)
    {
    }

    void IRolloutMetrics.RolledBack(NamespacedName key, TimeSpan reaction) => Reactions.Add(reaction);

    void IRolloutMetrics.Forget(NamespacedName key)
    {
    }

    void IEventRecorder.Publish(IKubernetesObject<V1ObjectMeta> entity, EventType type, string reason, string action, string note, string? traceId) =>
        Events.Add((reason, note, type));

    IReadOnlyCollection<string> IMetricCatalog.SourcesFor(string namespaceName) => ["default"];

    bool IMetricCatalog.SourceExists(string name) => name == "default";

    string? IMetricCatalog.PresetQuery(string name) => null;

    IReadOnlyCollection<string> IMetricCatalog.Presets => [];

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning) Warnings.Add(formatter(state, exception));
    }

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    private static JsonObject Labels(V1Service service)
    {
        var labels = new JsonObject();
        foreach (var (name, value) in service.Metadata.Labels ?? []) labels[name] = value;
        return labels;
    }
}
