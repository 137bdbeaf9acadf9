using System.Text.Json;
using RagOperator.Api.Resolved;

namespace RagOperator.Api.Reading;

/// <summary>How deep a spec may be nested. Templates and routes are free-form, and an API server keeps what would overflow a stack.</summary>
public static class SpecDepth
{
    /// <summary>The first place that is deeper than <see cref="SpecLimits.Levels"/>; null where there is none.</summary>
    /// <param name="spec">A spec, raw.</param>
    public static SpecProblem? Check(JsonElement spec) =>
        Find(spec, 1) is { } path ? new SpecProblem("spec" + path, "", $"must not be nested deeper than {SpecLimits.Levels} levels, spec being the first") : null;

    // The path is put together on the way back: almost every spec has none to tell.
    private static string? Find(JsonElement element, int level)
    {
        if (element.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) return null;
        if (level > SpecLimits.Levels) return "";
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var field in element.EnumerateObject())
            {
                if (Find(field.Value, level + 1) is { } below) return $".{ShownValue.Cut(field.Name)}{below}";
            }

            return null;
        }

        var index = 0;
        foreach (var item in element.EnumerateArray())
        {
            if (Find(item, level + 1) is { } below) return $"[{index}]{below}";
            index++;
        }

        return null;
    }
}
