using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions.Models;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Tests.Shared;

namespace RagOperator.Api.Tests;

/// <summary>A good spec to bend, and a metric catalog.</summary>
internal static class Specs
{
    /// <summary>qdrant (external) and cache below embedder, embedder below api: every field of the API is in use.</summary>
    public const string Good =
        """
        components:
          - {name: qdrant, external: {service: qdrant, port: 6333}}
          - name: cache
            template: {spec: {containers: [{name: cache, image: cache:1}]}}
          - name: embedder
            dependsOn: [qdrant, cache]
            replicas: 2
            progressDeadline: 20m
            minReadySeconds: 5
            metadata: {labels: {cost-center: "4711"}, annotations: {owner: search team}}
            ports: [{name: http, port: 8003, targetPort: serve}]
            template: {spec: {containers: [{name: embedder, image: embedder:1, ports: [{name: serve, containerPort: 80}]}]}}
          - name: api
            dependsOn: [embedder]
            replicas: 4
            canaryReplicas: 1
            ports: [{name: http, port: 8000, protocol: TCP, appProtocol: http}, {name: admin, port: 8001}]
            template: {spec: {containers: [{name: api, image: api:1, env: [{name: COLOR, value: red}]}]}}
        traffic:
          component: api
          metadata: {labels: {team: search}, annotations: {note: ""}}
          gatewayApi: {parentRefs: [{name: public}], rules: [{timeouts: {request: 300s}}]}
        featureFlags:
          deliverTo: [api]
          flags: [{name: replay, enabled: true}, {name: bandit, enabled: true}, {name: debate, enabled: false}]
        rollout:
          paused: false
          progressDeadline: 5m
          retireDelay: 10s
          steps:
            - {name: canary, weight: 5, hold: 1h, approval: Required}
            - {name: half, weight: 50, hold: 7d, flags: [replay]}
            - {name: full, weight: 100}
        rollback: {keepFailedPods: 2h, undoWindow: 24h}
        sla:
          source: default
          interval: 15s
          warmUp: 1m
          noDataTimeout: 20m
          volume: {query: 'sum(increase(x{service="$(service)"}[$(window)]))', min: 100}
          metrics:
            - {name: errors, query: 'up{service="$(service)"}', limit: {max: 1%}, failAfter: 2}
            - {name: p95, preset: http-latency-p95, window: 5m, limit: {max: 500ms, maxIncrease: 50ms}, steps: [half], onBreach: Hold}
            - {name: memory, component: embedder, query: mem, limit: {max: 512Mi, maxIncreasePercent: 10%, minIncreasePercent: '5'}, onBreach: Report}
        """;

    public static JsonObject GoodSpec() => (JsonObject)YamlJson.Parse(Good)!;

    public static SpecReading Read(Action<JsonObject>? edit = null, string name = "assistant", string namespaceName = "rag")
    {
        var spec = GoodSpec();
        edit?.Invoke(spec);
        return ReadNode(spec, name, namespaceName);
    }

    public static SpecReading ReadYaml(string yaml, string name = "assistant") => ReadNode(YamlJson.Parse(yaml), name, "rag");

    public static SpecReading ReadNode(JsonNode? spec, string name = "assistant", string namespaceName = "rag", bool accepted = false) =>
        ReadElement(spec is null ? default : JsonDocument.Parse(spec.ToJsonString()).RootElement, name, namespaceName, accepted);

    public static SpecReading ReadElement(JsonElement spec, string name = "assistant", string namespaceName = "rag", bool accepted = false) =>
        SpecReader.Read(new RagDeployment { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = namespaceName }, Spec = spec }, Catalog.Instance, accepted);

    /// <summary>The node at <c>a.b[2].c</c>.</summary>
    public static JsonNode At(this JsonNode node, string path) =>
        path.Split('.', '[').Aggregate(node, static (n, part) => part.EndsWith(']') ? n[int.Parse(part[..^1])]! : n[part]!);

    /// <summary>Sets the value at a path from YAML; <c>-</c> removes it.</summary>
    public static void Put(this JsonNode node, string path, string yaml)
    {
        var cut = path.LastIndexOfAny(['.', '[']);
        var parent = cut < 0 ? node : node.At(path[..cut]);
        var last = path[(cut + 1)..];
        if (parent is JsonArray list && int.Parse(last[..^1]) is var index)
        {
            if (index == list.Count)
                list.Add(YamlJson.Parse(yaml));
            else
                list[index] = YamlJson.Parse(yaml);
        }
        else if (yaml == "-")
        {
            ((JsonObject)parent).Remove(last);
        }
        else
        {
            parent[last] = YamlJson.Parse(yaml);
        }
    }

    internal sealed class Catalog : IMetricCatalog
    {
        public static Catalog Instance { get; } = new();

        public IReadOnlyCollection<string> Presets { get; } = [.. MetricPresets.BuiltIn.Keys];

        public IReadOnlyCollection<string> SourcesFor(string namespaceName) => namespaceName == "rag" ? ["default", "thanos"] : ["thanos"];

        public bool SourceExists(string name) => name is "default" or "thanos" or "secret";

        public string? PresetQuery(string name) => MetricPresets.BuiltIn.GetValueOrDefault(name);
    }
}
