using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>config/ is made of the chart (<c>make charts</c>), and says the same.</summary>
public sealed class KustomizeTests
{
    private const string Head = "# Made of charts/rag-operator by `make charts`. Do not edit.\n";

    /// <summary>Where each kind goes; null: not into config/.</summary>
    private static string? PlaceOf(JsonObject o) => (string?)o["kind"] switch
    {
        _ when o["metadata"]!["annotations"]?["helm.sh/hook"] is not null => null,
        "CustomResourceDefinition" => null, // copied as it is generated
        "ConfigMap" => null, // made of manager/config.yaml, so that another configuration makes other pods
        "Role" or "RoleBinding" or "ClusterRole" or "ClusterRoleBinding" or "ServiceAccount" => "rbac/rbac.yaml",
        _ => "manager/manager.yaml",
    };

    [SkippableFact]
    public void Files_are_those_that_the_chart_makes()
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var files = new Dictionary<string, StringBuilder>(StringComparer.Ordinal);
        foreach (var document in HelmChart.Text(HelmChart.Values("kustomize")).Split("---\n", StringSplitOptions.RemoveEmptyEntries))
        {
            if (HelmChart.Objects(document) is not [var o]) continue;
            if (o["data"]?["config.yaml"] is { } config && PlaceOf(o) is null) files["manager/config.yaml"] = new StringBuilder(Head + (string)config!);
            if (PlaceOf(o) is not { } place) continue;
            if (!files.TryGetValue(place, out var text)) files[place] = text = new StringBuilder(Head);
            text.Append("---\n").AppendJoin('\n', document.TrimEnd('\n').Split('\n').Where(static line =>
                !line.StartsWith("# Source:", StringComparison.Ordinal) && !IsHelms(line))).Append('\n');
        }

        foreach (var (file, text) in files) Golden.Hold($"config/{file}", text.ToString());
        Golden.Hold("config/samples/minimal.yaml", File.ReadAllText(Path.Combine(HelmChart.Repository, "samples/minimal.yaml")));
    }

    [SkippableFact]
    public void Kustomize_makes_what_the_chart_makes()
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var made = Objects(Kubectl.Kustomize("config/default"));
        Assert.True(made.Remove("Namespace/rag-operator-system"));
        var chart = Objects(HelmChart.Text(HelmChart.Values("kustomize")));
        Assert.Equal(chart.Keys, made.Keys);
        foreach (var (key, value) in chart) Assert.True(value == made[key], $"{key}: the chart says\n{value}\nand config/default\n{made[key]}");
    }

    [SkippableFact]
    public void Samples_are_made_too() => Assert.Single(HelmChart.Objects(Kubectl.Kustomize("config/samples")));

    private static SortedDictionary<string, string> Objects(string manifests) => new(
        HelmChart.Objects(manifests).Where(o => o["metadata"]!["annotations"]?["helm.sh/hook"] is null).Select(Plain).ToDictionary(
            o => $"{o["kind"]}/{o["metadata"]!["name"]}", o => Sorted(o)!.ToJsonString()), StringComparer.Ordinal);

    /// <summary>Without what Helm alone says, and without the suffix that kustomize gives to the configuration's name.</summary>
    private static JsonObject Plain(JsonObject o)
    {
        if (o["data"]?["config.yaml"] is not null) o["data"]!["config.yaml"] = Sorted(YamlJson.Parse((string)o["data"]!["config.yaml"]!))!.ToJsonString();
        if (o["metadata"]!["name"]!.ToString().StartsWith("rag-operator-", StringComparison.Ordinal) && (string?)o["kind"] == "ConfigMap") o["metadata"]!["name"] = "rag-operator-config";
        if ((string?)o["kind"] == "Deployment")
        {
            foreach (var volume in o["spec"]!["template"]!["spec"]!["volumes"]!.AsArray().Where(v => v!["configMap"] is not null)) volume!["configMap"]!["name"] = "rag-operator-config";
        }

        foreach (var metadata in new[] { o["metadata"], o["spec"]?["template"]?["metadata"] }.OfType<JsonObject>())
        {
            foreach (var part in (string[])["labels", "annotations"])
            {
                if (metadata[part] is not JsonObject map) continue;
                foreach (var key in map.Select(p => p.Key).Where(k => k.StartsWith("helm.sh/", StringComparison.Ordinal) || k is "app.kubernetes.io/managed-by" or "checksum/config").ToList()) map.Remove(key);
                if (map.Count == 0 || ((string?)o["kind"] is "CustomResourceDefinition" or "ConfigMap")) metadata.Remove(part);
            }
        }

        return o;
    }

    private static bool IsHelms(string line) => line.TrimStart() is var text && (text.StartsWith("helm.sh/", StringComparison.Ordinal) || text == "app.kubernetes.io/managed-by: Helm"
        || text.StartsWith("checksum/config:", StringComparison.Ordinal) || text.StartsWith("# The configuration is read once", StringComparison.Ordinal));

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
