using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>What a spec says, however it is written: defaults left out, durations in milliseconds, limits as numbers. Made from the reference page, not
/// by the operator's own reader: a field that the reader does not know has a meaning all the same.</summary>
public static partial class Meaning
{
    private static readonly Dictionary<string, string> s_defaults = new(StringComparer.Ordinal)
    {
        ["components[].replicas"] = "1",
        ["components[].minReadySeconds"] = "0",
        ["components[].ports[].protocol"] = "TCP",
        ["rollout.paused"] = "false",
        ["rollout.progressDeadline"] = "10m",
        ["rollout.retireDelay"] = "30s",
        ["rollout.steps[].hold"] = "10m",
        ["rollout.steps[].approval"] = "NotRequired",
        ["rollback.keepFailedPods"] = "1h",
        ["rollback.undoWindow"] = "72h",
        ["sla.source"] = "default",
        ["sla.interval"] = "30s",
        ["sla.warmUp"] = "0s",
        ["sla.noDataTimeout"] = "30m",
        ["sla.metrics[].window"] = "1m",
        ["sla.metrics[].failAfter"] = "3",
        ["sla.metrics[].onBreach"] = "Rollback",
    };

    // Lists whose order says nothing. That of the steps does.
    private static readonly HashSet<string> s_sets = new(["featureFlags.deliverTo", "rollout.steps[].flags", "sla.metrics[].steps", "components[].dependsOn"], StringComparer.Ordinal);

    /// <summary>Each value by its path: <c>sla.metrics[error-rate].limit.max</c>, named things by name, all others by place.</summary>
    public static IReadOnlyDictionary<string, string> Of(JsonNode spec)
    {
        var copy = (JsonObject)spec.DeepClone();
        LeaveOutWhatFollows(copy);
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Flatten(copy, "", "", values);
        return values;
    }

    /// <summary>Paths of what one says and the other does not, or says otherwise; without names and places: <c>sla.metrics[].limit.max</c>.</summary>
    public static IReadOnlySet<string> Differences(JsonNode one, JsonNode other)
    {
        var (a, b) = (Of(one), Of(other));
        return a.Keys.Union(b.Keys).Where(path => a.GetValueOrDefault(path) != b.GetValueOrDefault(path)).Select(static p => Names().Replace(p, "[]")).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>What the reference page says follows from the rest, where nothing is written.</summary>
    private static void LeaveOutWhatFollows(JsonObject spec)
    {
        var components = (spec["components"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var needed = components.SelectMany(static c => c["dependsOn"] as JsonArray ?? []).Select(static d => $"{d}").ToHashSet(StringComparer.Ordinal);
        var roots = components.Where(c => c["template"] is not null && !needed.Contains($"{c["name"]}")).Select(static c => $"{c["name"]}").ToList();
        var entry = spec["traffic"]?["component"] is { } named ? $"{named}" : roots.Count == 1 ? roots[0] : "";
        if (roots.Count == 1 && entry == roots[0]) (spec["traffic"] as JsonObject)?.Remove("component");
        if (spec["featureFlags"]?["deliverTo"] is JsonArray { Count: 1 } receivers && $"{receivers[0]}" == entry) ((JsonObject)spec["featureFlags"]!).Remove("deliverTo");
        // One pod is one pod at any weight, and none is none.
        foreach (var component in components.Where(static c => c["replicas"] is null || $"{c["replicas"]}" is "0" or "0.0" or "1" or "1.0")) component.Remove("canaryReplicas");

        var steps = (spec["rollout"]?["steps"] as JsonArray ?? []).Select(static s => $"{s!["name"]}").Order(StringComparer.Ordinal).ToList();
        var metrics = (spec["sla"]?["metrics"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        if (metrics.Count == 0) spec.Remove("sla"); // without metrics only availability is watched
        foreach (var metric in metrics)
        {
            if ($"{metric["component"]}" == entry) metric.Remove("component");
            if (metric["steps"] is JsonArray judged && judged.Select(static s => $"{s}").Order(StringComparer.Ordinal).SequenceEqual(steps)) metric.Remove("steps");
        }
    }

    private static void Flatten(JsonNode? node, string path, string pattern, SortedDictionary<string, string> values)
    {
        switch (node)
        {
            case JsonObject map:
                // With featureFlags, even empty, there is a folder.
                if (pattern == "featureFlags") values[path] = "{}";
                foreach (var (name, value) in map)
                    Flatten(value, path.Length == 0 ? name : $"{path}.{name}", pattern.Length == 0 ? name : $"{pattern}.{name}", values);
                break;
            case JsonArray list when s_sets.Contains(pattern):
                if (list.Count > 0) values[path] = string.Join(",", list.Select(static i => $"{i}").Order(StringComparer.Ordinal));
                break;
            case JsonArray list:
                var names = list.Select(static i => (i as JsonObject)?["name"] is JsonValue n ? $"{n}" : "").ToList();
                var byName = !names.Contains("") && names.Distinct(StringComparer.Ordinal).Count() == names.Count;
                for (var i = 0; i < list.Count; i++) Flatten(list[i], $"{path}[{(byName ? names[i] : $"{i}")}]", $"{pattern}[]", values);
                if (pattern == "rollout.steps") values[path] = string.Join(",", names);
                break;
            case JsonValue value:
                var text = Scalar(value, pattern);
                if (!s_defaults.TryGetValue(pattern, out var otherwise) || text != Scalar(JsonValue.Create(otherwise), pattern)) values[path] = text;
                break;
        }
    }

    private static string Scalar(JsonValue value, string pattern)
    {
        // What is handed on to others is as it is written.
        if (pattern.StartsWith("traffic.gatewayApi", StringComparison.Ordinal) || pattern.StartsWith("components[].template", StringComparison.Ordinal)) return value.ToJsonString();
        if (value.GetValueKind() == JsonValueKind.Number) return double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture);
        var text = $"{value}";
        if (pattern.Contains(".limit.", StringComparison.Ordinal) && Limit().Match(text) is { Success: true } limit)
        {
            var unit = pattern.EndsWith("Percent", StringComparison.Ordinal) ? "" : limit.Groups["u"].Value;
            var isExact = decimal.TryParse(limit.Groups["n"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
            var scale = unit is "%" or "ms" or "s" or "" ? 1 : Scale(unit);
            // Beyond what a decimal holds only the size is left to tell.
            if (!isExact || Math.Abs(number) > decimal.MaxValue / scale)
                return (double.Parse(limit.Groups["n"].Value, CultureInfo.InvariantCulture) * (double)scale / (unit switch { "%" => 100, "ms" => 1000, _ => 1 })).ToString("R", CultureInfo.InvariantCulture);
            return $"{(unit switch { "%" => number / 100, "ms" => number / 1000, _ => number * scale }).ToString("0.############################", CultureInfo.InvariantCulture)}";
        }

        if (pattern.Split('.')[0] is not ("rollout" or "rollback" or "sla") || !Duration().IsMatch(text) || pattern.EndsWith(".name", StringComparison.Ordinal)) return text;
        return $"{Part().Matches(text).Sum(static p => long.Parse(p.Groups["n"].Value, CultureInfo.InvariantCulture) * p.Groups["u"].Value switch { "ms" => 1, "s" => 1000, "m" => 60_000, "h" => 3_600_000, _ => 86_400_000L })} ms";
    }

    private static decimal Scale(string unit) =>
        Enumerable.Repeat(unit.EndsWith('i') ? 1024m : 1000m, "KMGTPE".IndexOf(char.ToUpperInvariant(unit[0]), StringComparison.Ordinal) + 1).Aggregate(1m, static (a, b) => a * b);

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Names();

    [GeneratedRegex(@"^(?<n>[+-]?[0-9.]+)(?<u>%|ms|s|k|[MGTPE]i?|Ki|)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Limit();

    [GeneratedRegex(@"^([0-9]+(ms|d|h|m|s))+$", RegexOptions.ExplicitCapture)]
    private static partial Regex Duration();

    [GeneratedRegex(@"(?<n>[0-9]+)(?<u>ms|d|h|m|s)", RegexOptions.ExplicitCapture)]
    private static partial Regex Part();
}
