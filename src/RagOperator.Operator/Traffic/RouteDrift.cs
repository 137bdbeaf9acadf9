using System.Text.Json;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>Where an HTTPRoute is not what the user wrote, backends apart.</summary>
internal static class RouteDrift
{
    // Fields that no server fills in. Any other field that the user did not write may be a default, of a newer Gateway API too: if such a
    // one counted as drift, the operator would write for ever.
    private static readonly HashSet<string> WrittenByPeople = new(StringComparer.Ordinal)
    {
        "hostnames", "filters", "timeouts", "headers", "queryParams", "method", "retry", "sessionPersistence", "sectionName",
    };

    /// <summary>Where a route is not what is wanted, as a path below its spec; null where all that is wanted is there, and nothing beside it but
    /// what servers fill in.</summary>
    /// <param name="wanted">The route as the user wrote it.</param>
    /// <param name="observed">The route as it is.</param>
    public static string? Find(JsonElement wanted, JsonElement? observed)
    {
        if (observed is not { ValueKind: JsonValueKind.Object } spec) return "spec";
        if (Between(wanted, spec, "spec") is { } found) return found;
        // Without rules the operator writes one that matches everything.
        return wanted.Items("rules").Any() || (spec.Items("rules").Count() == 1 && FitsEmptyRule(spec.Items("rules").First())) ? null : "spec.rules";
    }

    private static bool FitsEmptyRule(JsonElement rule)
    {
        if (rule.EnumerateObject().Any(static m => WrittenByPeople.Contains(m.Name) && IsSaid(m.Value))) return false;
        foreach (var match in rule.Items("matches"))
        {
            if (match.EnumerateObject().Any(static m => WrittenByPeople.Contains(m.Name) && IsSaid(m.Value))) return false;
            if (match.Member("path")?.Text("value") is { } path && !string.Equals(path, "/", StringComparison.Ordinal)) return false;
        }

        return true;
    }

    private static string? Between(JsonElement wanted, JsonElement observed, string path)
    {
        if (wanted.ValueKind != observed.ValueKind) return path;
        return wanted.ValueKind switch
        {
            JsonValueKind.Object => BetweenObjects(wanted, observed, path),
            JsonValueKind.Array when wanted.GetArrayLength() != observed.GetArrayLength() => path,
            JsonValueKind.Array => wanted.EnumerateArray().Zip(observed.EnumerateArray())
                .Select((pair, index) => Between(pair.First, pair.Second, $"{path}[{index}]")).FirstOrDefault(static found => found is not null),
            _ => JsonElement.DeepEquals(wanted, observed) ? null : path,
        };
    }

    private static string? BetweenObjects(JsonElement wanted, JsonElement observed, string path)
    {
        foreach (var member in wanted.EnumerateObject())
        {
            if (member.NameEquals(RouteBackends.Member) || !IsSaid(member.Value)) continue;
            var at = $"{path}.{member.Name}";
            if (observed.Member(member.Name) is not { } value) return at;
            if (Between(member.Value, value, at) is { } found) return found;
        }

        foreach (var member in observed.EnumerateObject())
        {
            if (WrittenByPeople.Contains(member.Name) && IsSaid(member.Value) && (wanted.Member(member.Name) is not { } asked || !IsSaid(asked)))
                return $"{path}.{member.Name}";
        }

        return null;
    }

    // Servers drop what is null, and may drop an empty list.
    private static bool IsSaid(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        _ => true,
    };
}
