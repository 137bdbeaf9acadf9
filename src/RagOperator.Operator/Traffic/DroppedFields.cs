using System.Text.Json;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>What a server left out of an object that it took: members that its definition of the kind does not have.</summary>
/// <remarks>Servers from 1.25 on refuse such an object when asked strictly; older ones prune it without a word.</remarks>
internal static class DroppedFields
{
    private const int MaxValue = 60;

    /// <summary>Each member that is asked for and not there, with its value, as <c>parentRefs[0].sectonName: "https"</c>.</summary>
    /// <param name="wanted">What was sent.</param>
    /// <param name="stored">What the server would store.</param>
    public static IEnumerable<string> Of(JsonElement wanted, JsonElement stored) => Below(wanted, stored, "");

    private static IEnumerable<string> Below(JsonElement wanted, JsonElement stored, string path)
    {
        if (wanted.ValueKind == JsonValueKind.Object && stored.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in wanted.EnumerateObject())
            {
                var at = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                if (stored.Member(member.Name) is { } found)
                {
                    foreach (var dropped in Below(member.Value, found, at)) yield return dropped;
                }
                else if (member.Value.ValueKind != JsonValueKind.Null)
                {
                    yield return $"{at}: {Short(member.Value.GetRawText())}";
                }
            }
        }
        else if (wanted.ValueKind == JsonValueKind.Array && stored.ValueKind == JsonValueKind.Array)
        {
            foreach (var (index, (asked, found)) in wanted.EnumerateArray().Zip(stored.EnumerateArray()).Index())
            {
                foreach (var dropped in Below(asked, found, $"{path}[{index}]")) yield return dropped;
            }
        }
    }

    private static string Short(string text) => text.Length <= MaxValue ? text : $"{text[..MaxValue]}...";
}
