using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>Values for a field: allowed ones, those at the edges, and those beyond.</summary>
internal static class Values
{
    private static readonly string[] s_durations =
        ["0s", "1s", "5s", "1m", "10m", "1h30m", "1h", "7d", "365d", "366d", "3650d", "3651d", "999999999ms", "30", "-1s", "1.5h", "30m1h", "1w", "0d0h0m0s0ms", "١s"];

    private static readonly string[] s_limits =
        ["0", "0.01", "1%", "100%", "500ms", "2s", "5M", "512Mi", "999999999999999999E", "-1", "-5%", "0.000000001", "1e3", "5m", "1.", ".5", "NaN", "+1", "1 %", "10"];

    private static readonly string[] s_names = ["a", "api2", "embedder", "api", "full", "canary", "x-", "-x", "Upper", "a_b", "a.b", "1a", "ü", "kubernetes"];

    private static readonly string[] s_texts =
        ["", " ", "x", "ü€😀", "a\nb", "\u0000", "$(name)", "$(nope)", "{{x}}", "\"", "\\", "http-error-rate", "default", "sum(up)", "null", "true", "0"];

    /// <summary>Another value than the one that is there.</summary>
    public static JsonNode? Other(JsonNode? before, JsonObject? schema, JsonNode root, Random random)
    {
        var type = random.Next(10) == 0 ? "wrong" : (string?)schema?["type"] ?? TypeOf(before);
        return type switch
        {
            "string" => Text(before, schema, root, random),
            "integer" => Whole(before, schema, random),
            "boolean" => JsonValue.Create(before is not JsonValue old || !old.TryGetValue<bool>(out var flag) || !flag),
            "number" => JsonValue.Create(random.Next(3) switch { 0 => 0.5, 1 => 1e20, _ => -1 }),
            "array" => random.Next(3) == 0 ? new JsonArray() : new JsonArray(Example(schema?["items"] as JsonObject, root, random)),
            "object" => random.Next(3) == 0 ? new JsonObject() : Example(schema, root, random),
            _ => Wrong(before, random),
        };
    }

    /// <summary>A value that the schema allows, as far as a schema tells.</summary>
    public static JsonNode? Example(JsonObject? schema, JsonNode root, Random random)
    {
        switch ((string?)schema?["type"])
        {
            case "object":
                var map = new JsonObject();
                var required = (schema!["required"] as JsonArray)?.Select(static r => r!.GetValue<string>()).ToHashSet(StringComparer.Ordinal) ?? [];
                foreach (var (name, below) in schema["properties"] as JsonObject ?? [])
                    if (required.Contains(name) || random.Next(3) == 0) map[name] = Example((JsonObject)below!, root, random);
                return map;
            case "array":
                return new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Example(schema!["items"] as JsonObject, root, random))]);
            case "integer": return Whole(null, schema, random);
            case "boolean": return random.Next(2) == 0;
            case "string": return Text(null, schema, root, random);
            default: return SpecMutator.Pick(s_texts, random);
        }
    }

    private static JsonValue Text(JsonNode? before, JsonObject? schema, JsonNode root, Random random)
    {
        var longest = (int)((long?)schema?["maxLength"] ?? 253);
        var pattern = (string?)schema?["pattern"] ?? "";
        switch (random.Next(12))
        {
            case 0: return JsonValue.Create(new string('a', longest));
            case 1: return JsonValue.Create(new string('a', longest + 1));
            case 2: return JsonValue.Create(SpecMutator.Pick(s_texts, random));
            case 3: return JsonValue.Create($"{before}x");
        }

        if (schema?["enum"] is JsonArray allowed) return JsonValue.Create(SpecMutator.Pick(allowed.Select(static a => a!.GetValue<string>()).ToList(), random));
        if (pattern.Contains("ms)?$", StringComparison.Ordinal)) return JsonValue.Create(SpecMutator.Pick(s_durations, random));
        if (pattern.Contains('%')) return JsonValue.Create(SpecMutator.Pick(s_limits, random));
        // What is named somewhere may be what a reference needs.
        var named = MemberPlace.Names(root).Where(static n => n.Length > 0).ToList();
        if (pattern.Length > 0) return JsonValue.Create(SpecMutator.Pick<string>(random.Next(2) == 0 && named.Count > 0 ? named : s_names, random));
        return JsonValue.Create(SpecMutator.Pick(s_texts, random));
    }

    private static JsonNode Whole(JsonNode? before, JsonObject? schema, Random random)
    {
        var (least, most) = ((long?)schema?["minimum"] ?? -1, (long?)schema?["maximum"] ?? int.MaxValue);
        var old = before is JsonValue value && value.TryGetValue<long>(out var number) ? number : 1;
        return random.Next(10) switch
        {
            0 => JsonValue.Create(least),
            1 => JsonValue.Create(most),
            2 => JsonValue.Create(least - 1),
            3 => JsonValue.Create(most + 1),
            4 => JsonValue.Create(1.5),
            5 => JsonValue.Create(long.MaxValue),
            6 => JsonNode.Parse($"{old}.0")!, // the same number in another form
            7 => JsonValue.Create(old - 1),
            _ => JsonValue.Create(old + random.Next(1, 4)),
        };
    }

    private static JsonNode? Wrong(JsonNode? before, Random random) => random.Next(6) switch
    {
        0 => JsonValue.Create(1),
        1 => JsonValue.Create("text"),
        2 => JsonValue.Create(true),
        3 => new JsonArray(),
        4 => new JsonObject(),
        _ => new JsonArray(before?.DeepClone()),
    };

    private static string TypeOf(JsonNode? node) => node switch
    {
        JsonObject => "object",
        JsonArray => "array",
        JsonValue value => value.GetValueKind() switch
        {
            System.Text.Json.JsonValueKind.String => "string",
            System.Text.Json.JsonValueKind.Number => "integer",
            System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => "boolean",
            _ => "wrong",
        },
        _ => "string",
    };
}
