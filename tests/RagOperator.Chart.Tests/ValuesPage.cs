using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>docs/values.md: the comments of values.yaml, and for maps with names of the user's the descriptions of values.schema.json.</summary>
internal static class ValuesPage
{
    private const string Head = """
        # Values of the chart

        Made of the comments in [values.yaml](../charts/rag-operator/values.yaml) by `make charts`. What is not listed here is refused
        ([values.schema.json](../charts/rag-operator/values.schema.json)), so that a typo does not pass. [install.md](install.md) tells how to begin.

        """;

    public static string Text()
    {
        var page = new StringBuilder(Head);
        var comment = new List<string>();
        var open = new List<string>();
        var depth = -1;
        foreach (var line in File.ReadLines(Path.Combine(HelmChart.Folder, "values.yaml")))
        {
            var text = line.TrimStart();
            var indent = (line.Length - text.Length) / 2;
            if (text.StartsWith("## ", StringComparison.Ordinal))
            {
                page.Append($"\n{text}\n\n| key | default | meaning |\n|---|---|---|\n");
                comment.Clear();
            }
            else if (text.StartsWith("# ", StringComparison.Ordinal))
            {
                comment.Add(text[2..]);
            }
            else if (text.Length == 0)
            {
                comment.Clear();
            }
            else if (depth < 0 || indent <= depth)
            {
                // What stands below a value of several lines belongs to that value.
                depth = -1;
                open.RemoveRange(indent, open.Count - indent);
                var colon = text.IndexOf(':', StringComparison.Ordinal);
                open.Add(text[..colon]);
                if (comment.Count > 0)
                {
                    Row(page, string.Join('.', open), text[(colon + 1)..].Trim(), string.Join(' ', comment));
                    depth = indent;
                }
                else if (text[(colon + 1)..].Trim().Length > 0)
                {
                    throw new InvalidOperationException($"values.yaml: {string.Join('.', open)} has no comment");
                }

                comment.Clear();
            }
        }

        return page.ToString();
    }

    private static void Row(StringBuilder page, string key, string value, string meaning)
    {
        page.Append($"| `{key}` | {(value.Length == 0 ? "see values.yaml" : $"`{value}`")} | {meaning.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        if (key != "metricSources") return;
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(HelmChart.Folder, "values.schema.json")))!;
        foreach (var (name, property) in schema["definitions"]!["source"]!["properties"]!.AsObject())
            page.Append($"| `metricSources.<name>.{name}` | | {(string?)property!["description"]} |\n");
    }
}
