using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared.Objects;

/// <summary>A RagDeployment of cases.yaml, with what everybody who judges it must say.</summary>
/// <param name="Name">What is the matter with it.</param>
/// <param name="Object">The object.</param>
/// <param name="Problems">The fields that the operator's validators name, all of them; none for a good one.</param>
/// <param name="Schema">Whether and how the CRD refuses it: <c>schema</c> on every server, <c>cel</c> on those from 1.25 on, <c>prunes</c> takes away what
/// is wrong, <c>no</c> leaves it to the validators.</param>
/// <param name="Rules">The messages of the CRD's CEL rules that it breaks.</param>
/// <param name="Warnings">The fields that the webhook warns of.</param>
public sealed record SpecCase(string Name, JsonObject Object, IReadOnlyList<string> Problems, string Schema, IReadOnlyList<string> Rules, IReadOnlyList<string> Warnings)
{
    public static IReadOnlyList<SpecCase> All { get; } = Read();

    public bool IsGood => Problems.Count == 0;

    public override string ToString() => Name;

    private static List<SpecCase> Read()
    {
        var file = YamlJson.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Objects", "cases.yaml")))!;
        return [.. file["cases"]!.AsArray().Select(c =>
        {
            var made = (JsonObject)file["base"]!.DeepClone();
            foreach (var (path, value) in c!["set"]?.AsObject() ?? []) Put(made, path, value?.DeepClone());
            return new SpecCase(c["name"]!.GetValue<string>(), made, Texts(c["problems"]), c["schema"]?.GetValue<string>() ?? "no", Texts(c["rules"]), Texts(c["warnings"]));
        })];
    }

    private static List<string> Texts(JsonNode? list) => [.. (list?.AsArray() ?? []).Select(static t => t!.GetValue<string>())];

    /// <summary>Sets <c>spec.rollout.steps[1].weight</c>; null removes it.</summary>
    private static void Put(JsonNode node, string path, JsonNode? value)
    {
        var parts = path.Split('.').SelectMany(static p => p.Split('[')).ToList();
        foreach (var part in parts[..^1]) node = Next(node, part)!;
        if (node is JsonArray list && int.Parse(parts[^1].TrimEnd(']')) is var index)
        {
            if (index == list.Count) list.Add(value);
            else if (value is null) list.RemoveAt(index);
            else list[index] = value;
        }
        else if (value is null) node.AsObject().Remove(parts[^1]);
        else node[parts[^1]] = value;
    }

    private static JsonNode? Next(JsonNode node, string part) => part.EndsWith(']') ? node[int.Parse(part[..^1])] : node[part] ??= new JsonObject();
}
