using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Engine.Tests.World;

/// <summary>A spec as a user edits it: YAML at the start, then one change after the other.</summary>
internal sealed class SpecText
{
    /// <summary>api above embedder, 4 and 2 pods, four steps, one metric of errors: what most tests begin with.</summary>
    public const string Usual =
        """
        components:
          - name: embedder
            replicas: 2
            ports: [{name: http, port: 8003}]
            template: {spec: {containers: [{name: embedder, image: embedder:1}]}}
          - name: api
            dependsOn: [embedder]
            replicas: 4
            ports: [{name: http, port: 8000}]
            template: {spec: {containers: [{name: api, image: api:1}]}}
        traffic:
          gatewayApi: {parentRefs: [{name: public}]}
        rollout:
          progressDeadline: 10m
          retireDelay: 30s
          steps:
            - {name: canary, weight: 5, hold: 10m}
            - {name: ten, weight: 10, hold: 10m}
            - {name: half, weight: 50, hold: 10m}
            - {name: full, weight: 100, hold: 10m}
        sla:
          interval: 30s
          metrics:
            - {name: errors, query: 'errors{service="$(service)"}', limit: {max: 1%}, failAfter: 3}
        """;

    private readonly JsonObject _spec;

    public SpecText(string yaml = Usual) => _spec = (JsonObject)YamlJson.Parse(yaml)!;

    public JsonElement Json() => JsonDocument.Parse(_spec.ToJsonString()).RootElement;

    /// <summary>Sets the value at <c>a.b[2].c</c> from YAML; <c>-</c> removes it. Missing maps on the way are made.</summary>
    public SpecText Put(string path, string yaml)
    {
        JsonNode node = _spec;
        var parts = path.Replace("[", ".[", StringComparison.Ordinal).Split('.');
        for (var i = 0; i < parts.Length - 1; i++)
            node = Child(node, parts[i]) ?? (node[parts[i]] = new JsonObject());
        var last = parts[^1];
        if (node is JsonArray list)
        {
            var index = Index(last);
            if (yaml == "-")
                list.RemoveAt(index);
            else if (index == list.Count)
                list.Add(YamlJson.Parse(yaml));
            else
                list[index] = YamlJson.Parse(yaml);
        }
        else if (yaml == "-")
        {
            ((JsonObject)node).Remove(last);
        }
        else
        {
            node[last] = YamlJson.Parse(yaml);
        }

        return this;
    }

    public SpecText Image(string component, string image)
    {
        Component(component)["template"]!["spec"]!["containers"]![0]!["image"] = image;
        return this;
    }

    public SpecText Replicas(string component, int replicas)
    {
        Component(component)["replicas"] = replicas;
        return this;
    }

    public SpecText Steps(params string[] steps) => Put("rollout.steps", "[" + string.Join(", ", steps.Select(static s => $"{{{s}}}")) + "]");

    /// <summary>Lists a flag, enabled or not; another state of a listed one replaces it.</summary>
    public SpecText Flag(string name, bool enabled)
    {
        var flags = (JsonArray)(((_spec["featureFlags"] ??= new JsonObject())["flags"]) ??= new JsonArray());
        if (flags.FirstOrDefault(f => (string?)f!["name"] == name) is { } known)
            known["enabled"] = enabled;
        else
            flags.Add(new JsonObject { ["name"] = name, ["enabled"] = enabled });
        return this;
    }

    public SpecText Metric(string yaml)
    {
        ((JsonArray)_spec["sla"]!["metrics"]!).Add(YamlJson.Parse(yaml));
        return this;
    }

    private JsonNode Component(string name) => ((JsonArray)_spec["components"]!).First(c => (string?)c!["name"] == name)!;

    private static JsonNode? Child(JsonNode node, string part) => part.StartsWith('[') ? node[Index(part)] : node[part];

    private static int Index(string part) => int.Parse(part.Trim('[', ']'), CultureInfo.InvariantCulture);
}
