using System.Text.Json.Nodes;
using RagOperator.Api;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Workloads;

/// <summary>The pod template of a component revision: the user's own, and what the operator adds. Nothing in it may depend on the release,
/// only on the component revision: releases share Deployments, and a template that differed would restart pods.</summary>
internal static class PodTemplate
{
    public static JsonObject Build(ChildOwner owner, ReleaseRecord release, ComponentRecord component, PodEnvironment more)
    {
        var template = component.Template()?.ToNode() as JsonObject ?? [];
        var revision = component.Revision!;
        var labels = Inner(Inner(template, "metadata"), "labels");
        foreach (var (name, value) in owner.Labels(component.Name, revision)) labels[name] = value;

        var spec = Inner(template, "spec");
        // A Service named vllm sets VLLM_PORT=tcp://..., which programs of that name take for their own setting.
        spec["enableServiceLinks"] ??= false;
        var receives = release.Receives(component.Name);
        foreach (var container in Running(spec))
        {
            // Before the user's own, because $(NAME) in a value only sees variables that stand above it.
            var environment = Environment(owner, release, component, receives);
            var own = container["env"] as JsonArray ?? [];
            // Where the user names the same variable, the user's counts; it must not stand there twice.
            foreach (var (name, value) in more.Variables) environment.Add((JsonNode)Variable(name, value));
            foreach (var doubled in environment.Where(e => own.Any(o => Has(o, "name", (string?)e!["name"]))).ToList()) environment.Remove(doubled);
            foreach (var variable in own) environment.Add(variable?.DeepClone());

            container["env"] = environment;
            if (!receives) continue;
            var mounts = List(container, "volumeMounts");
            if (!mounts.Any(static m => Has(m, "mountPath", ApiConstants.FlagsDirectory))) mounts.Add((JsonNode)FlagsMount());
        }

        if (receives) List(spec, "volumes").Add((JsonNode)FlagsVolumeOf(ChildNames.Flags(owner.Name, component.Name, revision)));
        return template;
    }

    /// <summary>What runs as long as the pod does: its containers, and the init containers that are restarted (native sidecars).</summary>
    private static IEnumerable<JsonObject> Running(JsonObject spec) =>
        (spec["initContainers"] as JsonArray ?? []).OfType<JsonObject>().Where(static c => Has(c, "restartPolicy", "Always"))
        .Concat((spec["containers"] as JsonArray ?? []).OfType<JsonObject>());

    private static bool Has(JsonNode? item, string member, string? text) =>
        item is JsonObject found && found[member] is JsonValue value && value.TryGetValue<string>(out var held) && string.Equals(held, text, StringComparison.Ordinal);

    private static JsonArray Environment(ChildOwner owner, ReleaseRecord release, ComponentRecord component, bool receives)
    {
        var environment = new JsonArray(Variable("RAG_REVISION", component.Revision!));
        if (receives) environment.Add((JsonNode)Variable("RAG_FLAGS_DIR", ApiConstants.FlagsDirectory));
        foreach (var dependency in component.DependsOn)
        {
            if (release.Component(dependency)?.Address(owner.Name) is not { } address) continue;
            var prefix = $"RAG_{dependency.ToUpperInvariant().Replace('-', '_')}";
            environment.Add((JsonNode)Variable($"{prefix}_URL", address.Url));
            environment.Add((JsonNode)Variable($"{prefix}_HOST", address.Host));
            environment.Add((JsonNode)Variable($"{prefix}_PORT", $"{address.Port}"));
        }

        return environment;
    }

    private static JsonObject Variable(string name, string value) => new() { ["name"] = name, ["value"] = value };

    // The whole folder and never a subPath: the kubelet does not refresh files that are mounted by subPath.
    private static JsonObject FlagsMount() =>
        new() { ["name"] = ApiConstants.FlagsVolume, ["mountPath"] = ApiConstants.FlagsDirectory, ["readOnly"] = true };

    private static JsonObject FlagsVolumeOf(string configMap) =>
        new() { ["name"] = ApiConstants.FlagsVolume, ["configMap"] = new JsonObject { ["name"] = configMap } };

    private static JsonObject Inner(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject inner) return inner;
        inner = [];
        parent[name] = inner;
        return inner;
    }

    private static JsonArray List(JsonObject parent, string name)
    {
        if (parent[name] is JsonArray list) return list;
        list = [];
        parent[name] = list;
        return list;
    }
}
