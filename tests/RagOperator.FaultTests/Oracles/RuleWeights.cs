using System.Text.Json;

namespace RagOperator.FaultTests.Oracles;

/// <summary>What each rule of a route sends where.</summary>
public static class RuleWeights
{
    /// <summary>Weight by Service, for each rule in order.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, int>> Of(JsonElement route) =>
    [
        .. route.GetProperty("spec").GetProperty("rules").EnumerateArray().Select(rule => (IReadOnlyDictionary<string, int>)(rule.TryGetProperty("backendRefs", out var backends) ? backends.EnumerateArray() : [])
            .GroupBy(b => b.GetProperty("name").GetString()!, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Sum(b => b.TryGetProperty("weight", out var weight) ? weight.GetInt32() : 1), StringComparer.Ordinal)),
    ];
}
