using System.Text.Json;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>Whether an HTTPRoute still is what the user wrote, backends apart.</summary>
internal static class RouteDrift
{
    // Fields that no server fills in. Any other field that the user did not write may be a default, of a newer Gateway API too: if such a
    // one counted as drift, the operator would write for ever.
    private static readonly HashSet<string> WrittenByPeople = new(StringComparer.Ordinal)
    {
        "hostnames", "filters", "timeouts", "headers", "queryParams", "method", "retry", "sessionPersistence", "sectionName",
    };

    /// <summary>Whether all that is wanted is there, and nothing beside it but what servers fill in.</summary>
    /// <param name="wanted">The route as the user wrote it.</param>
    /// <param name="observed">The route as it is.</param>
    public static bool Fits(JsonElement wanted, JsonElement? observed)
    {
        if (observed is not { ValueKind: JsonValueKind.Object } spec) return false;
        if (!Covers(wanted, spec)) return false;
        // Without rules the operator writes one that matches everything.
        return wanted.Items("rules").Any() || (spec.Items("rules").Count() == 1 && FitsEmptyRule(spec.Items("rules").First()));
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

    private static bool Covers(JsonElement wanted, JsonElement observed)
    {
        if (wanted.ValueKind != observed.ValueKind) return false;
        return wanted.ValueKind switch
        {
            JsonValueKind.Object => CoversObject(wanted, observed),
            JsonValueKind.Array => wanted.GetArrayLength() == observed.GetArrayLength()
                && wanted.EnumerateArray().Zip(observed.EnumerateArray()).All(static p => Covers(p.First, p.Second)),
            _ => JsonElement.DeepEquals(wanted, observed),
        };
    }

    private static bool CoversObject(JsonElement wanted, JsonElement observed)
    {
        foreach (var member in wanted.EnumerateObject())
        {
            if (member.NameEquals(RouteBackends.Member) || !IsSaid(member.Value)) continue;
            if (observed.Member(member.Name) is not { } found || !Covers(member.Value, found)) return false;
        }

        return !observed.EnumerateObject().Any(m =>
            WrittenByPeople.Contains(m.Name) && IsSaid(m.Value) && (wanted.Member(m.Name) is not { } asked || !IsSaid(asked)));
    }

    // Servers drop what is null, and may drop an empty list.
    private static bool IsSaid(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        _ => true,
    };
}
