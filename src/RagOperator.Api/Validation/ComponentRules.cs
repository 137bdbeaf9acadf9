using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Validation;

/// <summary>A component is either ours, with a template, or external, with nothing else.</summary>
internal static class ComponentRules
{
    private const string Excluded = "must be left out where external is set: an external component is not run here";

    public static void Check(SpecCandidate candidate, Findings findings)
    {
        for (var i = 0; i < candidate.Components.Count; i++)
        {
            var component = candidate.Components[i];
            var path = $"spec.components[{i}]";
            if (component.External is { } external)
                CheckExternal(candidate, component, external, path, findings);
            else
                CheckWorkload(component, path, findings);
        }
    }

    private static void CheckExternal(SpecCandidate candidate, ComponentSpec component, ExternalSpec external, string path, Findings findings)
    {
        if (component.Template is { } template)
            findings.Add($"{path}.template", template, Excluded);
        if (component.Ports is not null)
            findings.Add($"{path}.ports", component.Ports, Excluded);
        if (component.Replicas is not null)
            findings.Add($"{path}.replicas", component.Replicas, Excluded);
        if (component.CanaryReplicas is not null)
            findings.Add($"{path}.canaryReplicas", component.CanaryReplicas, Excluded);
        if (component.DependsOn is not null)
            findings.Add($"{path}.dependsOn", component.DependsOn, Excluded);
        if (component.Metadata is not null)
            findings.Add($"{path}.metadata", null, Excluded);
        if (component.ProgressDeadline is not null)
            findings.Add($"{path}.progressDeadline", component.ProgressDeadline, Excluded);
        if (component.MinReadySeconds is not null)
            findings.Add($"{path}.minReadySeconds", component.MinReadySeconds, Excluded);
        var ours = external.Service.Length > 0 && (external.Service == candidate.Name
            || candidate.Components.Exists(c => c.External is null && external.Service == $"{candidate.Name}-{c.Name}"));
        if (ours)
            findings.Add($"{path}.external.service", external.Service, "is a Service that the operator makes for this very object; name somebody else's");
    }

    private static void CheckWorkload(ComponentSpec component, string path, Findings findings)
    {
        if (component.Template is null)
            findings.Add($"{path}.template", null, "is required where external is not set");
        if (component.CanaryReplicas is { } canary && component.Replicas != 0 && canary > (component.Replicas ?? 1))
            findings.Add($"{path}.canaryReplicas", canary, $"must be 1 to replicas, which is {component.Replicas ?? 1}");
        if (component.Ports is not { } ports)
            return;
        findings.AddDuplicates($"{path}.ports", ".name", ports.Select(static p => p.Name), "ports");
        var numbers = new HashSet<(int, string)>();
        for (var p = 0; p < ports.Count; p++)
        {
            if (!numbers.Add((ports[p].Port, ports[p].Protocol ?? "TCP")))
                findings.Add($"{path}.ports[{p}].port", ports[p].Port, "must be unique among the ports of its protocol");
        }
    }
}
