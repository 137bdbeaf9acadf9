using System.Text.Json;
using RagOperator.Api.Resolved;

namespace RagOperator.Api.Validation;

/// <summary>A port that requests come in by and that no container says it listens on.</summary>
internal static class PortWarnings
{
    public static IEnumerable<SpecProblem> Of(SpecCandidate candidate)
    {
        if (candidate.Entry is not { Template: { ValueKind: JsonValueKind.Object } template, Ports: [{ Protocol: null or "TCP" } port, ..] } entry)
            yield break;
        var (field, wanted) = port.TargetPort is { } target ? ("targetPort", target.ValueKind == JsonValueKind.Number && target.TryGetInt32(out var number) ? number : 0) : ("port", port.Port);
        var declared = Declared(template).Distinct().Order().ToList();
        // Declaring ports is optional: who declares none says nothing about this one. Names are looked at elsewhere.
        if (wanted > 0 && declared.Count > 0 && !declared.Contains(wanted))
        {
            yield return new SpecProblem($"spec.components[{candidate.Components.IndexOf(entry)}].ports[0].{field}", $"{wanted}",
                $"is declared by no container (they declare {string.Join(", ", declared)}): each request fails unless one listens on it all the same");
        }
    }

    private static IEnumerable<int> Declared(JsonElement template) => Items(template, "spec").SelectMany(static spec => ((string[])["initContainers", "containers"]).SelectMany(list => Items(spec, list)))
        .SelectMany(static container => Items(container, "ports"))
        .Select(static port => port.ValueKind == JsonValueKind.Object && port.TryGetProperty("containerPort", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var value) ? value : 0)
        .Where(static number => number > 0);

    private static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray()
        : [value];
}
