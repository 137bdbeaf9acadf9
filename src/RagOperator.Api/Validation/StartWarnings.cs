using System.Text.Json;
using RagOperator.Api.Resolved;
using RagOperator.Api.Values;

namespace RagOperator.Api.Validation;

/// <summary>What keeps pods from becoming available in the time that they have.</summary>
internal static class StartWarnings
{
    public static IEnumerable<SpecProblem> Of(SpecCandidate candidate)
    {
        for (var i = 0; i < candidate.Components.Count; i++)
        {
            var component = candidate.Components[i];
            if (component.Template is not { ValueKind: JsonValueKind.Object } template)
                continue;
            var path = $"spec.components[{i}]";
            var deadline = Duration(component.ProgressDeadline) ?? Duration(candidate.Spec.Rollout?.ProgressDeadline) ?? SpecDefaults.ProgressDeadline;
            if (component.MinReadySeconds >= deadline.TotalSeconds)
                yield return new SpecProblem($"{path}.minReadySeconds", $"{component.MinReadySeconds}", $"is not below the component's progressDeadline of {RagDuration.Format(deadline)}: no pod can be available in time");
            foreach (var (container, at) in Containers(template))
            {
                if (StartsWithin(container) is { } probe && probe > deadline)
                {
                    yield return new SpecProblem($"{path}.template.spec.{at}.startupProbe", RagDuration.Format(probe),
                        $"may take longer than the component's progressDeadline of {RagDuration.Format(deadline)}: a release that still starts is then taken back");
                }
            }

            var ports = Containers(template).SelectMany(static c => Items(c.Container, "ports")).Select(static p => Text(p, "name")).OfType<string>().ToList();
            for (var p = 0; p < component.Ports?.Count; p++)
            {
                if (component.Ports[p].TargetPort is { ValueKind: JsonValueKind.String } name && !ports.Contains(name.GetString()!, StringComparer.Ordinal))
                    yield return new SpecProblem($"{path}.ports[{p}].targetPort", name.GetString()!, "is the name of no port in the template's containers: the Service will have no address for it, unless something adds one");
            }
        }
    }

    /// <summary>How long a startup probe lets a container take: failureThreshold x periodSeconds + initialDelaySeconds; null where there is none.</summary>
    private static TimeSpan? StartsWithin(JsonElement container) =>
        container.TryGetProperty("startupProbe", out var probe) && probe.ValueKind == JsonValueKind.Object
            ? TimeSpan.FromSeconds(Math.Min((Number(probe, "failureThreshold", 3) * Number(probe, "periodSeconds", 10)) + Number(probe, "initialDelaySeconds", 0), TimeSpan.FromDays(365).TotalSeconds))
            : null;

    // 0 is the same as left out to an API server.
    private static double Number(JsonElement probe, string name, double otherwise) =>
        probe.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number > 0 ? number : otherwise;

    private static IEnumerable<(JsonElement Container, string At)> Containers(JsonElement template) =>
        template.TryGetProperty("spec", out var spec)
            ? ((string[])["initContainers", "containers"]).SelectMany(list => Items(spec, list).Select((c, i) => (Container: c, At: $"{list}[{i}]"))).Where(static c => c.Container.ValueKind == JsonValueKind.Object)
            : [];

    private static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static string? Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static TimeSpan? Duration(string? text) => RagDuration.TryParse(text, out var value) ? value : null;
}
