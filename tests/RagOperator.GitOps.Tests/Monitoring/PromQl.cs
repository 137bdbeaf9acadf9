using System.Text.RegularExpressions;

namespace RagOperator.GitOps.Tests.Monitoring;

/// <summary>What a PromQL expression names. No parser: strings, ranges and label lists are taken out, and what is left and no function is a metric.</summary>
public static partial class PromQl
{
    private static readonly HashSet<string> s_words = new(StringComparer.Ordinal) { "and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset" };

    /// <summary>Each metric with the labels that are matched on it.</summary>
    public static IReadOnlyList<(string Metric, IReadOnlyList<string> Labels)> Selectors(string expression)
    {
        var text = LabelList().Replace(Range().Replace(Text().Replace(expression, "\"\""), ""), "");
        return
        [
            .. Selector().Matches(text).Where(static m => !s_words.Contains(m.Groups["name"].Value))
                .Select(static m => (m.Groups["name"].Value, (IReadOnlyList<string>)[.. Matcher().Matches(m.Groups["matchers"].Value).Select(static l => l.Groups["label"].Value)])),
        ];
    }

    /// <summary>Labels that results are grouped or joined by.</summary>
    public static IReadOnlyList<string> GroupedBy(string expression) =>
        [.. LabelList().Matches(expression).SelectMany(static m => m.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.Ordinal)];

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Text();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Range();

    [GeneratedRegex(@"\b(by|on|ignoring|without|group_left|group_right)\s*\((?<labels>[^)]*)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex LabelList();

    [GeneratedRegex(@"(?<![\w.])(?<name>[a-zA-Z_:][\w:]*)\b(?!\s*\()(\{(?<matchers>[^}]*)\})?", RegexOptions.ExplicitCapture)]
    private static partial Regex Selector();

    [GeneratedRegex(@"(?<label>\w+)\s*(=~|!~|!=|=)", RegexOptions.ExplicitCapture)]
    private static partial Regex Matcher();
}
