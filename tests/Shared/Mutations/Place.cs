using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>A place in a spec where something can be changed.</summary>
internal abstract class Place(string path)
{
    public string Path { get; } = path;

    /// <summary>Changes it; says what was done and which values were touched.</summary>
    public abstract (string Done, IReadOnlyList<string> Touched) Change(Random random);
}

/// <summary>A member that is there, or may be.</summary>
/// <param name="map">What it is a member of.</param>
/// <param name="within">The schema of that.</param>
/// <param name="name">Its name there.</param>
/// <param name="path">Where it is in the spec.</param>
internal sealed class MemberPlace(JsonObject map, JsonObject? within, string name, string path) : Place(path)
{
    public override (string Done, IReadOnlyList<string> Touched) Change(Random random)
    {
        var before = map[name];
        if (map.ContainsKey(name) && random.Next(6) == 0)
        {
            map.Remove(name);
            // Where the whole may not be empty, the API server names the whole.
            var isTooEmpty = map is { Count: 0, Parent: JsonObject } && within?["minProperties"] is not null;
            return ("removed", [SpecMutator.Scalar(before), .. Names(before), .. isTooEmpty ? [map.GetPropertyName()] : (string[])[]]);
        }

        if (random.Next(20) == 0)
        {
            map[name] = null;
            return ("null", [SpecMutator.Scalar(before), .. Names(before)]);
        }

        var after = Values.Other(before, within?["properties"]?[name] as JsonObject, map.Root, random);
        map[name] = after;
        return ($"{SpecMutator.Short(before)} -> {SpecMutator.Short(after)}", [SpecMutator.Scalar(before), SpecMutator.Scalar(after), .. Names(before)]);
    }

    /// <summary>A removed thing may be missed by its name.</summary>
    internal static IEnumerable<string> Names(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(static m => m.Key == "name" ? [SpecMutator.Scalar(m.Value)] : Names(m.Value)),
        JsonArray list => list.SelectMany(static i => i is JsonValue ? [SpecMutator.Scalar(i)] : Names(i)),
        _ => [],
    };
}

/// <summary>A field that nobody knows.</summary>
internal sealed class UnknownPlace(JsonObject map, string path) : Place(path)
{
    public override (string Done, IReadOnlyList<string> Touched) Change(Random random)
    {
        var name = SpecMutator.Pick(["unheardOf", "Name", "x-y", "ünder", ""], random);
        map[name] = random.Next(2) == 0 ? "x" : new JsonObject { ["deep"] = 1 };
        return ($"has a field \"{name}\" that nobody knows", [name]);
    }
}

/// <summary>A plain item of a list.</summary>
internal sealed class ItemPlace(JsonArray list, int index, JsonObject? schema, string path) : Place(path)
{
    public override (string Done, IReadOnlyList<string> Touched) Change(Random random)
    {
        var before = list[index];
        var after = Values.Other(before, schema, list.Root, random);
        list[index] = after;
        return ($"{SpecMutator.Short(before)} -> {SpecMutator.Short(after)}", [SpecMutator.Scalar(before), SpecMutator.Scalar(after)]);
    }
}

/// <summary>A list as a whole.</summary>
internal sealed class ListPlace(JsonArray list, JsonObject? item, string path) : Place(path)
{
    public override (string Done, IReadOnlyList<string> Touched) Change(Random random)
    {
        var at = list.Count > 0 ? random.Next(list.Count) : 0;
        switch (random.Next(6))
        {
            case 0:
                var all = MemberPlace.Names(list).ToList();
                list.Clear();
                return ("emptied", all);
            case 1 when list.Count > 0:
                list.Insert(random.Next(list.Count + 1), list[at]?.DeepClone());
                return ($"has item {at} twice", [.. MemberPlace.Names(list[at]), SpecMutator.Scalar(list[at])]);
            case 2 when list.Count > 0:
                var gone = list[at];
                list.RemoveAt(at);
                return ($"item {at} removed", [.. MemberPlace.Names(gone), SpecMutator.Scalar(gone)]);
            case 3 when list.Count > 1:
                var items = list.Select(static i => i?.DeepClone()).Reverse().ToList();
                list.Clear();
                foreach (var i in items) list.Add(i);
                return ("reversed", []);
            case 4 when list.Count > 0 && list[at] is JsonObject model:
                var copy = (JsonObject)model.DeepClone();
                copy["name"] = $"more-{random.Next(100)}";
                list.Insert(random.Next(list.Count + 1), copy);
                return ($"has a copy of item {at} by another name", [SpecMutator.Scalar(copy["name"])]);
            default:
                var added = Values.Example(item, list.Root, random);
                list.Add(added);
                return ($"has one more: {SpecMutator.Short(added)}", [SpecMutator.Scalar(added), .. MemberPlace.Names(added)]);
        }
    }
}
