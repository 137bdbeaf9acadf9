using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace RagOperator.Api.Tests.Rules;

/// <summary>What a rule costs at most, in the units in which an API server estimates it, and rather more: one for each name, for each look at an item some
/// more, and for each comparison a tenth of the longest text's bytes, at four bytes a character. What a choice or a function gives has no length that
/// servers know: they take the greatest that a request can hold, and some do so for values of an enum, too. Such a rule is an error here.</summary>
internal static partial class RuleCost
{
    private const long PerItem = 6;

    /// <summary>The cost of a rule where <c>self</c> is of a schema.</summary>
    public static long Of(string rule, JsonObject self) => Computed().Match(rule) is { Success: true } computed
        ? throw new InvalidOperationException($"a value without a known length: {computed.Value}")
        : Of(Literal().Replace(rule, "text"), new Dictionary<string, JsonObject>(StringComparer.Ordinal) { ["self"] = self });

    private static long Of(string text, Dictionary<string, JsonObject> variables)
    {
        var loop = Loop().Match(text);
        if (!loop.Success)
        {
            var longest = Operand().Matches(text).Select(m => Find(m.Value, variables)).Where(static s => s?["type"]!.GetValue<string>() == "string").Select(static s => Length(s!)).Append(0).Max();
            return Word().Count(text) + (Comparison().Count(text) * ((longest * 4 / 10) + 1));
        }

        var (body, after) = Split(text, loop.Index + loop.Length);
        if (loop.Groups["list"].Value is ['[', ..] literal)
        {
            // A list that is written out: as many looks as it has entries.
            var entries = literal.Count(static c => c == ',') + 1;
            return Of($"{text[..loop.Index]} {after}", variables) + (entries * (PerItem + 1 + Of(body, variables)));
        }

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
        ?? throw new InvalidOperationException($"a text without maxLength: {schema["description"]}");

    [GeneratedRegex(@"(?<list>\[[0-9,]+\]|[a-z]\w*(\.\w+)*)\.(all|exists|exists_one)\((?<variable>\w+), ", RegexOptions.ExplicitCapture)]
    private static partial Regex Loop();

    [GeneratedRegex(@"\b[a-z]\w*(\.\w+)*", RegexOptions.ExplicitCapture)]
    private static partial Regex Operand();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\? [^:]*'[^:]* :|: '|\.(map|filter)\(")]
    private static partial Regex Computed();

    [GeneratedRegex("[=!<>]=")]
    private static partial Regex Comparison();

    [GeneratedRegex("'[^']*'")]
    private static partial Regex Literal();
}
