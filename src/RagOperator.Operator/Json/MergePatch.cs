using System.Text.Json.Nodes;

namespace RagOperator.Operator.Json;

/// <summary>JSON merge patches (RFC 7386): null deletes, lists are replaced whole.</summary>
internal static class MergePatch
{
    /// <summary>The smallest merge patch that turns one object into the other. Neither may hold a null: a merge patch cannot set one.</summary>
    /// <param name="from">The object as it is; null counts as empty.</param>
    /// <param name="to">The object as it shall be.</param>
    public static JsonObject Between(JsonObject? from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, wanted) in to)
        {
            var current = from?[name];
            if (wanted is JsonObject inner && current is JsonObject outer)
            {
                if (Between(outer, inner) is { Count: > 0 } changes) patch[name] = changes;
            }
            else if (!JsonNodes.Same(current, wanted))
            {
                patch[name] = wanted?.DeepClone();
            }
        }

        foreach (var (name, _) in from ?? [])
        {
            if (!to.ContainsKey(name)) patch[name] = null;
        }

        return patch;
    }

    /// <summary>What a server makes of a merge patch.</summary>
    /// <param name="patch">The patch.</param>
    /// <param name="target">The object; not changed.</param>
    public static JsonObject Apply(JsonObject patch, JsonObject? target)
    {
        var result = target is null ? [] : target.DeepClone().AsObject();
        foreach (var (name, value) in patch)
        {
            if (value is null) result.Remove(name);
            else result[name] = value is JsonObject inner ? Apply(inner, result[name] as JsonObject) : value.DeepClone();
        }

        return result;
    }
}
