using System.Text.RegularExpressions;

namespace RagOperator.GitOps.Tests.Monitoring;

/// <summary>The metrics that docs/metrics.md promises (a test of the operator holds it and <c>/metrics</c> equal), and the few that others serve.</summary>
public static partial class MetricContract
{
    /// <summary>Labels that Prometheus itself gives to what it scrapes.</summary>
    private static readonly string[] s_target = ["job", "instance", "pod", "namespace"];

    // A service's own, as the presets read them; their labels are documented in docs/sla.md.
    private static readonly Dictionary<string, string[]> s_service = new(StringComparer.Ordinal) { ["http_requests_total"] = ["namespace", "service", "code"] };

    private static readonly Dictionary<string, (string Type, string[] Labels)> s_documented = Repository.Read("docs/metrics.md").Split('\n')
        .Select(static l => Row().Match(l)).Where(static m => m.Success)
        .ToDictionary(static m => m.Groups["name"].Value, static m => (m.Groups["type"].Value, m.Groups["labels"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries)), StringComparer.Ordinal);

    /// <summary>What is wrong with an expression's names; empty if nothing is.</summary>
    public static IReadOnlyList<string> Troubles(string expression)
    {
        var troubles = new List<string>();
        var known = new HashSet<string>(s_target, StringComparer.Ordinal);
        foreach (var (metric, matched) in PromQl.Selectors(expression))
        {
            if (Labels(metric) is not { } labels)
            {
                troubles.Add($"nobody serves {metric}");
                continue;
            }

            known.UnionWith(labels);
            troubles.AddRange(matched.Except(labels.Concat(s_target)).Select(l => $"{metric} has no label {l}"));
        }

        troubles.AddRange(PromQl.GroupedBy(expression).Where(l => !known.Contains(l)).Select(static l => $"nothing here has the label {l}"));
        return troubles;
    }

    private static IReadOnlyList<string>? Labels(string metric)
    {
        if (s_service.TryGetValue(metric, out var service))
            return service;
        if (s_documented.TryGetValue(metric, out var found))
            return found.Type == "histogram" ? null : found.Labels;
        var family = Suffix().Replace(metric, "");
        return s_documented.TryGetValue(family, out found) && found.Type == "histogram" ? metric.EndsWith("_bucket", StringComparison.Ordinal) ? [.. found.Labels, "le"] : found.Labels : null;
    }

    [GeneratedRegex(@"^\| `(?<name>[a-z_0-9]+)` \| (?<type>counter|gauge|histogram) \| (?<labels>[a-z, ]*?) ?\|", RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
