using System.Text.Json;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Validation;

/// <summary>As much of a pod template as the operator relies on; the rest is the API server's to judge.</summary>
internal static class TemplateRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        for (var i = 0; i < candidate.Components.Count; i++)
        {
            var component = candidate.Components[i];
            if (component is not { External: null, Template: { ValueKind: JsonValueKind.Object } template })
                continue;
            var path = $"spec.components[{i}].template";
            CheckReservedKeys(template, "labels", path, findings);
            CheckReservedKeys(template, "annotations", path, findings);
            var receives = candidate.DeliverTo.Contains(component.Name);
            if (!CheckContainers(template, Injected(candidate, component), receives, path, findings))
                findings.Add($"{path}.spec.containers", Find(Find(template, "spec"), "containers"), "must be a list with at least one container, each with a name");
            if (receives)
                CheckVolumes(template, path, findings);
        }
    }

    /// <summary>Names of the environment variables that the operator writes into the containers of a component.</summary>
    private static HashSet<string> Injected(SpecCandidate candidate, ComponentSpec component)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { "RAG_REVISION", "RAG_FLAGS_DIR" };
        foreach (var dependency in component.DependsOn ?? [])
        {
            if (candidate.Component(dependency) is null)
                continue;
            var prefix = $"RAG_{dependency.ToUpperInvariant().Replace('-', '_')}";
            names.UnionWith([$"{prefix}_URL", $"{prefix}_HOST", $"{prefix}_PORT"]);
        }

        return names;
    }

    private static bool CheckContainers(JsonElement template, HashSet<string> injected, bool receives, string path, Findings findings)
    {
        var containers = Items(Find(Find(template, "spec"), "containers"));
        var index = 0;
        var named = true;
        foreach (var container in containers)
        {
            var at = $"{path}.spec.containers[{index++}]";
            named &= Text(container, "name") is { Length: > 0 };
            var e = 0;
            foreach (var variable in Items(Find(container, "env")))
            {
                if (Text(variable, "name") is { } name && injected.Contains(name))
                    findings.Add($"{at}.env[{e}].name", name, "is set by the operator; name it otherwise and refer to this one as $(" + name + ")");
                e++;
            }

            var m = 0;
            foreach (var mount in Items(Find(container, "volumeMounts")))
            {
                if (receives && Text(mount, "mountPath") is { } mountPath && IsFlagsDirectory(mountPath))
                    findings.Add($"{at}.volumeMounts[{m}].mountPath", mountPath, $"must be outside of {ApiConstants.FlagsDirectory}, where the operator mounts the flag files");
                m++;
            }
        }

        return index > 0 && named;
    }

    private static void CheckVolumes(JsonElement template, string path, Findings findings)
    {
        var index = 0;
        foreach (var volume in Items(Find(Find(template, "spec"), "volumes")))
        {
            if (Text(volume, "name") == ApiConstants.FlagsVolume)
                findings.Add($"{path}.spec.volumes[{index}].name", ApiConstants.FlagsVolume, "is the volume by which the operator delivers the flag files; name it otherwise");
            index++;
        }
    }

    private static void CheckReservedKeys(JsonElement template, string map, string path, Findings findings)
    {
        if (Find(Find(template, "metadata"), map) is not { ValueKind: JsonValueKind.Object } entries)
            return;
        foreach (var entry in entries.EnumerateObject())
        {
            if (entry.Name.StartsWith(ApiConstants.Group + "/", StringComparison.Ordinal))
                findings.Add($"{path}.metadata.{map}", entry.Name, $"must not begin with {ApiConstants.Group}/, which the operator keeps for itself");
        }
    }

    private static bool IsFlagsDirectory(string mountPath)
    {
        var segments = new List<string>();
        foreach (var segment in mountPath.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (segment == ".." && segments.Count > 0)
                segments.RemoveAt(segments.Count - 1);
            else if (segment is not ("." or ".."))
                segments.Add(segment);
        }

        var path = "/" + string.Join('/', segments);
        return path == ApiConstants.FlagsDirectory || path.StartsWith(ApiConstants.FlagsDirectory + "/", StringComparison.Ordinal);
    }

    internal static JsonElement? Find(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var value) ? value : null;

    internal static IEnumerable<JsonElement> Items(JsonElement? list) =>
        list is { ValueKind: JsonValueKind.Array } element ? element.EnumerateArray() : [];

    internal static string? Text(JsonElement parent, string name) =>
        Find(parent, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
