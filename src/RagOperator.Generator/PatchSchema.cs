using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.Generator;

/// <summary>The schema by which kustomize merges patches of RagDeployments: lists of named things by name, so that a patch of one component
/// leaves the others. kustomize knows no lists of custom resources by itself, and given a schema it forgets its own: what pods have is here, too.</summary>
internal static class PatchSchema
{
    private const string PodTemplate = "io.k8s.api.core.v1.PodTemplateSpec";

    // Kubernetes' own keys, of the lists that overlays touch.
    private static readonly (string List, string Key)[] s_podLists =
        [("containers", "name"), ("initContainers", "name"), ("volumes", "name"), ("imagePullSecrets", "name"), ("hostAliases", "ip"), ("topologySpreadConstraints", "topologyKey")];

    private static readonly (string List, string Key)[] s_containerLists =
        [("env", "name"), ("ports", "containerPort"), ("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")];

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Text()
    {
        var crd = CrdFile.Build()["spec"]!;
        var names = crd["names"]!;
        var version = crd["versions"]![0]!;
        var kind = Merged(version["schema"]!["openAPIV3Schema"]!.AsObject());
        // Nobody patches status with an overlay.
        kind["properties"]!.AsObject().Remove("status");
        kind["properties"]!.AsObject().Remove("metadata");
        kind["x-kubernetes-group-version-kind"] = Kinds((string)crd["group"]!, (string)version["name"]!, (string)names["kind"]!);
        var deployment = Object(("spec", Object(("template", Reference()))));
        deployment["x-kubernetes-group-version-kind"] = Kinds("apps", "v1", "Deployment");
        return new JsonObject
        {
            ["definitions"] = new JsonObject
            {
                [$"dev.ragoperator.{version["name"]}.{names["kind"]}"] = kind,
                ["io.k8s.api.apps.v1.Deployment"] = deployment,
                [PodTemplate] = Object(("spec", Object([.. s_podLists.Select(static l => (l.List, List(l.List.EndsWith("ontainers", StringComparison.Ordinal)
                    ? Object([.. s_containerLists.Select(static c => (c.List, List(Object(), c.Key)))]) : Object(), l.Key)))]))),
            },
        }.ToJsonString(s_json) + "\n";
    }

    /// <summary>A schema of the CRD in the words of Kubernetes' own, types and merge keys only.</summary>
    private static JsonObject Merged(JsonObject schema)
    {
        var result = new JsonObject { ["type"] = schema["type"]?.DeepClone() ?? "object" };
        if (schema["properties"] is JsonObject properties)
        {
            result["properties"] = new JsonObject(properties.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p =>
                KeyValuePair.Create<string, JsonNode?>(p.Key, p.Key == "template" ? Reference() : Merged(p.Value!.AsObject()))));
        }

        if (schema["items"] is JsonObject items) result["items"] = Merged(items);
        if ((string?)schema["x-kubernetes-list-type"] == "map" && schema["x-kubernetes-list-map-keys"] is JsonArray { Count: 1 } keys)
            Merge(result, (string)keys[0]!);
        return result;
    }

    private static JsonObject Object(params (string Name, JsonObject Schema)[] properties)
    {
        var result = new JsonObject { ["type"] = "object" };
        if (properties.Length > 0) result["properties"] = new JsonObject(properties.Select(static p => KeyValuePair.Create<string, JsonNode?>(p.Name, p.Schema)));
        return result;
    }

    private static JsonObject List(JsonObject items, string key)
    {
        var result = new JsonObject { ["type"] = "array", ["items"] = items };
        Merge(result, key);
        return result;
    }

    private static void Merge(JsonObject list, string key)
    {
        list["x-kubernetes-patch-merge-key"] = key;
        list["x-kubernetes-patch-strategy"] = "merge";
    }

    private static JsonObject Reference() => new() { ["$ref"] = $"#/definitions/{PodTemplate}" };

    private static JsonArray Kinds(string group, string version, string kind) =>
        [new JsonObject { ["group"] = group, ["kind"] = kind, ["version"] = version }];
}
