using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>Where the effect of an accepted change is to be seen.</summary>
public enum Effect
{
    /// <summary>It says the same in other words: nothing has to be seen.</summary>
    None,

    /// <summary>In the object's status or in its children, at once.</summary>
    AtRest,

    /// <summary>In a rollout that begins with it.</summary>
    InRollout,

    /// <summary>Later: <see cref="LateFields"/> says how.</summary>
    Later,

    /// <summary>Nowhere: the field is ignored without a word.</summary>
    Hidden,
}

/// <summary>Looks for the effect of an accepted change, where a user would look first.</summary>
/// <param name="atRest">How the object at rest differs from its base: status, children.</param>
/// <param name="inRollout">How a rollout with the change, cut so that it begins at the step of this number, differs from one with the base.</param>
public sealed class EffectCheck(Func<Task<IReadOnlyList<string>>> atRest, Func<int, Task<IReadOnlyList<string>>> inRollout)
{
    /// <summary>Where the effect is, and what was seen of it.</summary>
    public async Task<(Effect Effect, string Seen)> FindAsync(JsonNode @base, JsonNode changed)
    {
        var fields = Meaning.Differences(@base, changed);
        if (fields.Count == 0) return (Effect.None, "");
        if (await atRest() is { Count: > 0 } seen) return (Effect.AtRest, seen[0]);
        var late = fields.All(LateFields.All.ContainsKey);
        foreach (var step in late ? [FirstDifferentStep(@base, changed)] : Enumerable.Range(0, Steps(changed).Count))
            if (await inRollout(step) is { Count: > 0 } shown) return (Effect.InRollout, shown[0]);
        return (late ? Effect.Later : Effect.Hidden, string.Join(", ", fields));
    }

    /// <summary>The spec with a new release, so that a rollout begins; its steps begin at one of them, so that what a later step says shows too.</summary>
    public static JsonObject Rollout(JsonNode spec, int fromStep)
    {
        var copy = (JsonObject)spec.DeepClone();
        foreach (var template in (copy["components"] as JsonArray ?? []).Select(static c => c!["template"]).OfType<JsonObject>())
        {
            var metadata = Map(template, "metadata");
            Map(metadata, "annotations")["example.com/rollout"] = "1";
        }

        if (copy["rollout"]?["steps"] is not JsonArray steps) return copy;
        var gone = steps.Take(fromStep).Select(static s => $"{s!["name"]}").ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < fromStep; i++) steps.RemoveAt(0);
        foreach (var metric in (copy["sla"]?["metrics"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (metric["steps"] is not JsonArray judged) continue;
            foreach (var name in judged.Where(s => gone.Contains($"{s}")).ToList()) judged.Remove(name);
            // Judged in none of those that are left: shown only.
            if (judged.Count == 0)
            {
                metric.Remove("steps");
                metric["onBreach"] = "Report";
            }
        }

        return copy;
    }

    private static JsonObject Map(JsonObject parent, string name)
    {
        if (parent[name] is not JsonObject map) parent[name] = map = new JsonObject();
        return map;
    }

    private static IReadOnlyList<string> Steps(JsonNode spec) => spec["rollout"]?["steps"] is JsonArray { Count: > 0 } steps ? [.. steps.Select(static s => s!.ToJsonString())] : [""];

    private static int FirstDifferentStep(JsonNode @base, JsonNode changed)
    {
        var (was, now) = (Steps(@base), Steps(changed));
        return Enumerable.Range(0, now.Count).FirstOrDefault(i => i >= was.Count || was[i] != now[i], 0);
    }
}
