using System.Text.Json;
using RagOperator.Api.Reading;

namespace RagOperator.Api.Validation;

/// <summary>Where requests enter, and the route that the operator completes.</summary>
internal static class TrafficRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        CheckEntry(candidate, findings);
        if (candidate.Spec.Traffic?.GatewayApi is { ValueKind: JsonValueKind.Object } route)
            CheckRoute(route, findings);
    }

    private static void CheckEntry(SpecCandidate candidate, Findings findings)
    {
        if (candidate.Entry is not { } entry)
            return;
        if (entry.External is not null)
        {
            findings.Add("spec.traffic.component", entry.Name, "must not be external: requests enter by a component that is run here");
            return;
        }

        var path = $"spec.components[{candidate.Components.IndexOf(entry)}].ports";
        if (entry.Ports is not { Count: > 0 } ports)
            findings.Add(path, entry.Ports, $"must have at least one port, because {entry.Name} is the traffic component");
        else if (ports[0].Protocol is { } protocol and ("UDP" or "SCTP"))
            findings.Add($"{path}[0].protocol", protocol, $"must be TCP, because the route leads to the first port of the traffic component {entry.Name}");
    }

    private static void CheckRoute(JsonElement route, Findings findings)
    {
        const string path = "spec.traffic.gatewayApi";
        var parents = route.TryGetProperty("parentRefs", out var refs) ? refs : default;
        if (parents.ValueKind != JsonValueKind.Array || parents.GetArrayLength() == 0 || parents.EnumerateArray().Any(static p => p.ValueKind != JsonValueKind.Object))
            findings.Add($"{path}.parentRefs", parents, "must be a list with at least one gateway, for instance {name: public, namespace: gateways}");
        if (route.TryGetProperty("rules", out var rules) && (rules.ValueKind != JsonValueKind.Array || rules.EnumerateArray().Any(static r => r.ValueKind != JsonValueKind.Object)))
            findings.Add($"{path}.rules", rules, "must be a list of objects, or be left out");
        else if (rules.ValueKind == JsonValueKind.Array && rules.GetArrayLength() > 0 && rules.EnumerateArray().All(IsRedirect))
            findings.Add($"{path}.rules", rules, "must have at least one rule without a requestRedirect filter: a redirect sends requests to no release");
        RefuseBackends(route, path, findings);
    }

    private static bool IsRedirect(JsonElement rule) => rule.TryGetProperty("filters", out var filters) && filters.ValueKind == JsonValueKind.Array
        && filters.EnumerateArray().Any(static f => f.ValueKind == JsonValueKind.Object && f.TryGetProperty("requestRedirect", out _));

    private static void RefuseBackends(JsonElement element, string path, Findings findings)
    {
        if (findings.IsFull)
            return;
        if (element.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in element.EnumerateArray())
                RefuseBackends(item, $"{path}[{index++}]", findings);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var field in element.EnumerateObject())
            {
                if (field.NameEquals("backendRefs"u8))
                    findings.Add($"{path}.backendRefs", field.Value, "must be left out: the operator fills in the backends, with their weights");
                else if (field.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                    RefuseBackends(field.Value, ShownValue.Cut($"{path}.{ShownValue.Cut(field.Name)}", SpecLimits.ShownPathLength), findings);
            }
        }
    }
}
