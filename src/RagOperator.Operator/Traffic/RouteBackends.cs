using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>The backends in the rules of an HTTPRoute.</summary>
internal static class RouteBackends
{
    public const string Member = "backendRefs";

    public static JsonArray Write(IReadOnlyList<Backend> backends, IReadOnlyDictionary<string, int> ports) =>
        new([.. backends.Select(b => (JsonNode)new JsonObject { ["name"] = b.Service, ["port"] = ports[b.Service], ["weight"] = b.Weight })]);

    /// <summary>Whether a rule answers by itself: the Gateway API forbids backends beside a redirect.</summary>
    public static bool TakesNone(JsonObject rule) =>
        rule["filters"] is JsonArray filters && filters.OfType<JsonObject>().Any(static f => f.ContainsKey("requestRedirect"));

    /// <summary>The backends of the first rule that has any use for them, and those of later ones that have others.</summary>
    /// <param name="route">The route as it is.</param>
    /// <param name="ownNamespace">The route's namespace.</param>
    /// <param name="ports">Ports by Service name; a Service that is not in it may have any.</param>
    /// <returns>Both, and whether a backend is none that the operator writes.</returns>
    public static (IReadOnlyList<Backend> First, IReadOnlyList<IReadOnlyList<Backend>> Differing, bool Strange) Read(
        V1HTTPRoute route, string ownNamespace, IReadOnlyDictionary<string, int> ports)
    {
        var strange = false;
        List<Backend>? first = null;
        var differing = new List<IReadOnlyList<Backend>>();
        foreach (var rule in route.Spec?.Items("rules") ?? [])
        {
            if (rule.ToNode() is JsonObject node && TakesNone(node)) continue;
            var backends = new List<Backend>();
            foreach (var reference in rule.Items(Member))
            {
                var name = reference.Text("name") ?? "";
                // Absent means 1 to the Gateway API.
                backends.Add(new Backend(name, reference.Number("weight") ?? 1));
                strange |= !IsPlain(reference, ownNamespace) || (ports.TryGetValue(name, out var port) && reference.Number("port") != port);
            }

            if (first is null) first = backends;
            else if (!first.SequenceEqual(backends)) differing.Add(backends);
        }

        return (first ?? [], differing, strange);
    }

    private static bool IsPlain(JsonElement reference, string ownNamespace) =>
        string.Equals(reference.Text("kind") ?? "Service", "Service", StringComparison.Ordinal)
        && string.IsNullOrEmpty(reference.Text("group"))
        && string.Equals(reference.Text("namespace") ?? ownNamespace, ownNamespace, StringComparison.Ordinal)
        && !reference.Items("filters").Any();
}
