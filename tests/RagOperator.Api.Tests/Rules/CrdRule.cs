using System.Globalization;
using System.Text.Json.Nodes;
using RagOperator.Tests.Shared.Expressions;

namespace RagOperator.Api.Tests.Rules;

/// <summary>A CEL rule of the CRD, at its place in the schema.</summary>
/// <param name="Path">The place, as <c>.spec.components[]</c>.</param>
/// <param name="Message">What a user reads who breaks it.</param>
/// <param name="Expression">The rule.</param>
/// <param name="Schema">The schema of the place.</param>
/// <param name="Times">How often it is evaluated at most for one object: once for each item of the lists that it is in.</param>
internal sealed record CrdRule(string Path, string Message, CelExpression Expression, JsonObject Schema, long Times)
{
    // What a list without maxItems may hold is as good as endless.
    private const long Endless = 1_000_000;

    /// <summary>All rules below a schema.</summary>
    public static IEnumerable<CrdRule> Of(JsonObject schema, string path = "", long times = 1)
    {
        foreach (var rule in schema["x-kubernetes-validations"]?.AsArray() ?? [])
            yield return new CrdRule(path, rule!["message"]!.GetValue<string>(), new CelExpression(rule["rule"]!.GetValue<string>()), schema, times);
        var below = (schema["properties"]?.AsObject() ?? []).SelectMany(p => Of(p.Value!.AsObject(), $"{path}.{p.Key}", times));
        if (schema["items"] is JsonObject items) below = below.Concat(Of(items, $"{path}[]", times * (schema["maxItems"]?.GetValue<long>() ?? Endless)));
        foreach (var rule in below) yield return rule;
    }

    /// <summary>The places of an object where it is broken, as an API server names them: <c>spec.components[1]</c>.</summary>
    public IEnumerable<string> BrokenIn(JsonObject item) => Places(item, Path.Split('.')[1..], "").Where(p => !Expression.Holds("self", p.Value)).Select(static p => p.Path);

    private static IEnumerable<(string Path, JsonNode Value)> Places(JsonNode node, string[] steps, string path)
    {
        if (steps is not [var step, .. var rest]) return [(path, node)];
        var name = step.Split('[')[0];
        var at = path.Length == 0 ? name : $"{path}.{name}";
        if (node[name] is not { } value) return [];
        return step.EndsWith("[]", StringComparison.Ordinal)
            ? value.AsArray().SelectMany((item, i) => Places(item!, rest, string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]")))
            : Places(value, rest, at);
    }
}
