using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.ClusterTests.Mutations;

/// <summary>JSON without what may differ, and an independent idea of which JSON means the same.</summary>
internal static class Masked
{
    /// <summary>An object's name, labels and what it holds, without uids, versions, times, addresses and counters.</summary>
    public static string Child(JsonElement child)
    {
        var node = JsonNode.Parse(child.GetRawText())!;
        var spec = (node["spec"] as JsonObject)?.DeepClone() as JsonObject;
        foreach (var assigned in (string[])["clusterIP", "clusterIPs"]) spec?.Remove(assigned);
        // A flag that was once off in a file stays so in writing, also when spec does not list it any more: to whoever reads the file it is off either way.
        var data = (string?)node["data"]?["flags.env"] is { } flags ? string.Join(" ", flags.Split('\n').Where(static l => l.EndsWith("=true", StringComparison.Ordinal))) : node["data"]?.ToJsonString();
        return $"{node["metadata"]!["name"]} {node["metadata"]!["labels"]?.ToJsonString()} {spec?.ToJsonString()} {data}";
    }

    /// <summary>Keys sorted, members without value dropped, lists of named things by name, numbers by value.</summary>
    public static string Canonical(JsonNode? node, params string[] without)
    {
        switch (node)
        {
            case JsonObject map:
                return $"{{{string.Join(",", map.Where(m => m.Value is not null && !without.Contains(m.Key)).OrderBy(static m => m.Key, StringComparer.Ordinal).Select(static m => $"{JsonValue.Create(m.Key).ToJsonString()}:{Canonical(m.Value)}"))}}}";
            case JsonArray list:
                var items = list.Select(static i => Canonical(i)).ToList();
                var names = list.Select(static i => i is JsonObject o && o["name"] is JsonValue n && n.TryGetValue<string>(out var name) ? name : null).ToList();
                if (names.TrueForAll(static n => n is not null) && names.Distinct(StringComparer.Ordinal).Count() == names.Count)
                    items = [.. names.Zip(items).OrderBy(static p => p.First, StringComparer.Ordinal).Select(static p => p.Second)];
                return $"[{string.Join(",", items)}]";
            case JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number):
                return number.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
            default:
                return node?.ToJsonString() ?? "null";
        }
    }

    /// <summary>What makes up the components: a change of it is a new release.</summary>
    public static string Contents(JsonNode spec) => Canonical(new JsonArray([.. ((spec["components"] as JsonArray) ?? []).Select(static c =>
    {
        var component = c!.DeepClone();
        if (component is JsonObject map)
        {
            map.Remove("replicas");
            map.Remove("canaryReplicas");
            // What is patched on what exists, and how long it may take: no part of a release.
            map.Remove("metadata");
            map.Remove("minReadySeconds");
            map.Remove("progressDeadline");
            // An empty list of dependencies says nothing, and their order neither; but both are what the user wrote.
        }

        return component;
    })]));

    /// <summary>What has to be there for the components to serve: nodes for their pods, and Services that are not ours.</summary>
    public static string Placement(JsonNode spec) => string.Join(" ", ((spec["components"] as JsonArray) ?? [])
        .Select(static c => $"{Canonical(c!["external"])} {Canonical(c["template"]?["spec"]?["nodeSelector"])} {Canonical(c["template"]?["spec"]?["tolerations"])}")
        .Distinct(StringComparer.Ordinal)
        .Order(StringComparer.Ordinal));

    /// <summary>Pods wanted of each component that has pods.</summary>
    public static IReadOnlyDictionary<string, int> Replicas(JsonNode spec) => ((spec["components"] as JsonArray) ?? [])
        .Where(static c => c!["external"] is null)
        .ToDictionary(static c => c!["name"]!.GetValue<string>(), static c => c!["replicas"] is JsonValue n ? (int)n.GetValue<double>() : 1, StringComparer.Ordinal);
}
