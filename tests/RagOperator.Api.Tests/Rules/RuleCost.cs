using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace RagOperator.Api.Tests.Rules;

/// <summary>What a rule costs at most, in the units in which an API server estimates it, and rather more: one for each name, for each look at an item some
/// more, and for each comparison a tenth of the longest text's bytes, at four bytes a character.</summary>
internal static partial class RuleCost
{
    private const long PerItem = 6;

    /// <summary>The cost of a rule where <c>self</c> is of a schema.</summary>
    public static long Of(string rule, JsonObject self) => Of(Literal().Replace(rule, "text"), new Dictionary<string, JsonObject>(StringComparer.Ordinal) { ["self"] = self });

    private static long Of(string text, Dictionary<string, JsonObject> variables)
    {
        var loop = Loop().Match(text);
        if (!loop.Success)
        {
            var longest = Operand().Matches(text).Select(m => Find(m.Value, variables)).Where(static s => s?["type"]!.GetValue<string>() == "string").Select(static s => Length(s!)).Append(0).Max();
            return Word().Count(text) + (Comparison().Count(text) * ((longest * 4 / 10) + 1));
        }

        var (body, after) = Split(text, loop.Index + loop.Length);
        var list = Find(loop.Groups["list"].Value, variables) ?? throw new InvalidOperationException($"no list: {loop.Value}");
        var items = list["maxItems"]?.GetValue<long>() ?? throw new InvalidOperationException($"a list without maxItems: {loop.Value}");
        var inner = new Dictionary<string, JsonObject>(variables, StringComparer.Ordinal) { [loop.Groups["variable"].Value] = list["items"]!.AsObject() };
        return Of($"{text[..loop.Index]} {loop.Groups["list"].Value} {after}", variables) + (items * (PerItem + Of(body, inner)));
    }

    /// <summary>Up to the bracket that closes, and what follows it.</summary>
    private static (string Body, string After) Split(string text, int start)
    {
        var end = start;
        for (var depth = 1; ; end++)
        {
            depth += text[end] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0) return (text[start..end], text[(end + 1)..]);
        }
    }

    private static JsonObject? Find(string path, Dictionary<string, JsonObject> variables)
    {
        var names = path.Split('.');
        JsonNode? found = variables.GetValueOrDefault(names[0]);
        foreach (var name in names[1..]) found = found?["properties"]?[name];
        return found?.AsObject();
    }

    private static long Length(JsonObject schema) => schema["maxLength"]?.GetValue<long>()
        ?? schema["enum"]?.AsArray().Max(static e => (long)e!.GetValue<string>().Length)
        ?? throw new InvalidOperationException($"a text without maxLength: {schema["description"]}");

    [GeneratedRegex(@"(?<list>[a-z]\w*(\.\w+)*)\.(all|exists|exists_one|map)\((?<variable>\w+), ", RegexOptions.ExplicitCapture)]
    private static partial Regex Loop();

    [GeneratedRegex(@"\b[a-z]\w*(\.\w+)*", RegexOptions.ExplicitCapture)]
    private static partial Regex Operand();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex("[=!<>]=")]
    private static partial Regex Comparison();

    [GeneratedRegex("'[^']*'")]
    private static partial Regex Literal();
}
