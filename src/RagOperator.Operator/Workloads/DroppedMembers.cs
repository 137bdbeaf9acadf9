using System.Text.Json;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Workloads;

/// <summary>What a server left out of a pod template that it took: a misspelled field, or one of a feature that is turned off.</summary>
/// <remarks>Servers from 1.25 on refuse unknown fields when asked strictly; older ones drop them without a word, and all drop those of features that are turned off.
/// Kubernetes leaves out what is empty, 0 or false, and admission adds to lists: neither is a loss. Values are not shown: a template may hold what nobody should
/// read in a status.</remarks>
internal static class DroppedMembers
{
    /// <summary>The path of each member that was sent and is not there.</summary>
    /// <param name="sent">What was sent.</param>
    /// <param name="stored">What the server would store.</param>
    public static IEnumerable<string> Of(JsonElement sent, JsonElement stored) => Below(sent, stored, "");

    private static IEnumerable<string> Below(JsonElement sent, JsonElement stored, string path)
    {
        if (sent.ValueKind == JsonValueKind.Object && stored.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in sent.EnumerateObject())
            {
                var at = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                if (stored.Member(member.Name) is { } found)
                {
                    foreach (var dropped in Below(member.Value, found, at)) yield return dropped;
                }
                else if (IsSaid(member.Value))
                {
                    yield return at;
                }
            }
        }
        else if (sent.ValueKind == JsonValueKind.Array && stored.ValueKind == JsonValueKind.Array)
        {
            foreach (var (index, item) in sent.EnumerateArray().Index())
            {
                if (Counterpart(sent, stored, index) is not { } found) continue;
                foreach (var dropped in Below(item, found, $"{path}[{index}]")) yield return dropped;
            }
        }
    }

    /// <summary>The same item in the other list: by its name, which admission keeps, or by its place where nothing was added.</summary>
    private static JsonElement? Counterpart(JsonElement sent, JsonElement stored, int index)
    {
        if (sent[index].Text("name") is { } name)
        {
            var nth = sent.EnumerateArray().Take(index).Count(i => IsCalled(i, name));
            return stored.EnumerateArray().Where(i => IsCalled(i, name)).Skip(nth).Select(static i => (JsonElement?)i).FirstOrDefault();
        }

        return stored.GetArrayLength() == sent.GetArrayLength() ? stored[index] : null;
    }

    private static bool IsCalled(JsonElement item, string name) => string.Equals(item.Text("name"), name, StringComparison.Ordinal);

    private static bool IsSaid(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False => false,
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Number => !value.TryGetDouble(out var number) || number != 0,
        JsonValueKind.Array => value.EnumerateArray().Any(IsSaid),
        JsonValueKind.Object => value.EnumerateObject().Any(static m => IsSaid(m.Value)),
        _ => true,
    };
}
