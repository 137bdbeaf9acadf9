using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>What a user sees of an object: lines that are the same whenever nothing is different.</summary>
public static partial class Sight
{
    private static readonly string[] s_ofStep = ["index", "name", "weight", "state", "loweredTo"];
    private static readonly string[] s_ofMetric = ["name", "verdict", "failAfter", "limit"];

    /// <summary>The status without times, counts, measured values and the number of the release.</summary>
    public static IReadOnlyList<string> OfStatus(JsonNode status)
    {
        var lines = new List<string>
        {
            $"phase {status["phase"]}", $"message {Passing().Replace($"{status["message"]}", "_")}", $"paused {status["paused"]?["by"]}",
            $"step {Members(status["step"], s_ofStep)}", $"flags {status["flags"]?.ToJsonString()}", $"components {status["components"]?.ToJsonString()}",
            $"undo {status["attempt"]?["undo"]}", $"canary {status["canaryRevision"]}",
        };
        lines.AddRange((status["sla"] as JsonArray ?? []).Select(static m => $"metric {Members(m, s_ofMetric)}"));
        return lines;
    }

    /// <summary>Lines that only one of them has.</summary>
    public static IReadOnlyList<string> Differences(IEnumerable<string> before, IEnumerable<string> now)
    {
        var (a, b) = (before.ToHashSet(StringComparer.Ordinal), now.ToHashSet(StringComparer.Ordinal));
        return [.. b.Except(a).Select(static l => $"new: {l}"), .. a.Except(b).Select(static l => $"gone: {l}")];
    }

    private static string Members(JsonNode? node, string[] names) => node is null ? "" : string.Join(" ", names.Select(n => $"{n}={node[n]}"));

    [GeneratedRegex(@"release [0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2} |[0-9]{2}:[0-9]{2}:[0-9]{2}Z|=(approve|resume|retry)/[0-9]+", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Passing();
}
