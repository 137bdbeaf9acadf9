using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>Changes a valid spec field by field, guided by the CRD's schema: what the schema has and the spec lacks is added, what is there is removed or
/// changed, to values that are allowed, just so, and not at all.</summary>
public sealed class SpecMutator(JsonObject specSchema)
{
    /// <summary>The schema of <c>spec</c> in a CRD.</summary>
    public static JsonObject SchemaOf(JsonNode definition) =>
        (JsonObject)definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!;

    /// <summary>A changed copy; mostly one change, sometimes two or three.</summary>
    public Mutant Mutate(JsonObject spec, Random random)
    {
        var copy = (JsonObject)spec.DeepClone();
        var words = new List<string>();
        var what = new List<string>();
        var path = "";
        for (var times = random.Next(10) switch { < 8 => 1, 8 => 2, _ => 3 }; times > 0; times--)
        {
            var places = new List<Place>();
            Collect(copy, specSchema, "spec", places);
            // First a level, then a place: else the many leaves of pod templates would be nearly all there is.
            var areas = places.GroupBy(static p => Area(p.Path)).ToList();
            var place = Pick(Pick(areas, random).ToList(), random);
            var (done, touched) = place.Change(random);
            path = place.Path;
            what.Add($"{place.Path} {done}");
            words.Add(place.Path);
            // A short value is in any text by chance, unless it is quoted, and so are the names of the fields above.
            words.AddRange(touched.Select(static t => t.Length is 1 or 2 ? $"\"{t}\"" : t));
            var names = place.Path.Split('.', '[', ']').Where(static s => s.Length > 1 && !char.IsAsciiDigit(s[0])).ToList();
            words.AddRange(names.TakeLast(1));
            // The API server names a map of labels with the value that is wrong in it, and not the key.
            words.AddRange(names.SkipLast(1).TakeLast(1).Where(static n => n is "nodeSelector" or "labels" or "matchLabels"));
        }

        return new Mutant(path, string.Join("; ", what), (JsonObject)JsonNode.Parse(copy.ToJsonString())!, [.. words.Where(static w => w.Length > 0).Distinct(StringComparer.Ordinal)]);
    }

    private static string Area(string path)
    {
        var parts = path.Replace("[", ".", StringComparison.Ordinal).Split('.').Where(static p => !p.EndsWith(']')).ToList();
        return string.Join('.', parts.Take(path.Contains("template", StringComparison.Ordinal) ? 3 : 4));
    }

    private static void Collect(JsonNode node, JsonObject? schema, string path, List<Place> places)
    {
        switch (node)
        {
            case JsonObject map:
                var known = schema?["properties"] as JsonObject;
                foreach (var (name, value) in map.ToList())
                {
                    var below = known?[name] as JsonObject;
                    places.Add(new MemberPlace(map, schema, name, $"{path}.{name}"));
                    if (value is not null) Collect(value, below, $"{path}.{name}", places);
                }

                foreach (var (name, _) in known ?? [])
                    if (!map.ContainsKey(name)) places.Add(new MemberPlace(map, schema, name, $"{path}.{name}"));
                places.Add(new UnknownPlace(map, path));
                break;
            case JsonArray list:
                var item = schema?["items"] as JsonObject;
                places.Add(new ListPlace(list, item, path));
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is JsonValue) places.Add(new ItemPlace(list, i, item, $"{path}[{i}]"));
                    else if (list[i] is { } child) Collect(child, item, $"{path}[{i}]", places);
                }

                break;
        }
    }

    internal static T Pick<T>(IReadOnlyList<T> from, Random random) => from[random.Next(from.Count)];

    internal static string Short(JsonNode? node) => node?.ToJsonString() is { } text ? text.Length <= 60 ? text : $"{text[..60]}... ({text.Length})" : "null";

    internal static string Scalar(JsonNode? node) => node is JsonValue value ? value.ToString() is { Length: < 64 } text ? text : "" : "";
}
