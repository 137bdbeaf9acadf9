using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace RagOperator.Generator;

/// <summary>JSON as YAML, the same text for the same tree on every machine: two blanks, keys as they come but schemas sorted by key,
/// strings plain where no reader could take them for anything else.</summary>
internal static partial class YamlText
{
    public static string Write(JsonObject root)
    {
        var text = new StringBuilder();
        Map(text, root, 0);
        return text.ToString();
    }

    private static void Map(StringBuilder text, JsonObject map, int depth, bool first = false)
    {
        foreach (var (key, value) in InOrder(map))
        {
            text.Append(' ', first ? 0 : depth * 2).Append(Scalar(key)).Append(':');
            first = false;
            Value(text, value, depth);
        }
    }

    private static void Value(StringBuilder text, JsonNode? value, int depth)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } map:
                text.Append('\n');
                Map(text, map, depth + 1);
                break;
            case JsonArray { Count: > 0 } list:
                text.Append('\n');
                List(text, list, depth);
                break;
            case JsonObject:
                text.Append(" {}\n");
                break;
            case JsonArray:
                text.Append(" []\n");
                break;
            default:
                text.Append(' ').Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private static void List(StringBuilder text, JsonArray list, int depth)
    {
        foreach (var item in list)
        {
            text.Append(' ', depth * 2).Append("- ");
            if (item is JsonObject map)
                Map(text, map, depth + 1, first: true);
            else
                text.Append(Scalar(item)).Append('\n');
        }
    }

    /// <summary>A schema's keywords are sorted; at the top, where people look, the order is the one that they know.</summary>
    private static IEnumerable<KeyValuePair<string, JsonNode?>> InOrder(JsonObject map) =>
        map.ContainsKey("type") && !map.ContainsKey("jsonPath") ? map.OrderBy(static p => p.Key, StringComparer.Ordinal) : map;

    private static string Scalar(JsonNode? value) =>
        value is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String ? Scalar(scalar.GetValue<string>()) : value?.ToJsonString() ?? "null";

    private static string Scalar(string text) =>
        Plain().IsMatch(text) && !Word().IsMatch(text) ? text : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^[A-Za-z.][A-Za-z0-9 .,;()/_-]*[A-Za-z0-9.)]$|^[A-Za-z]$")]
    private static partial Regex Plain();

    [GeneratedRegex("^(true|false|null|yes|no|on|off|y|n|[.](inf|nan))$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Word();
}
