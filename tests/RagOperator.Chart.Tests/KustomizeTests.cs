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
        "PodDisruptionBudget" => (string?)o["apiVersion"] == "policy/v1" ? "pdb/pdb.yaml" : "kubernetes-1.20/pdb.yaml",
        "ValidatingWebhookConfiguration" or "MutatingWebhookConfiguration" => "webhook/webhook.yaml",
        "Service" when (string?)o["metadata"]!["labels"]?["app.kubernetes.io/component"] == "webhook" => "webhook/webhook.yaml",
        _ => "manager/manager.yaml",
    };

    /// <summary>The kustomizations that install everything, each for the servers that know its PodDisruptionBudget.</summary>
    public static TheoryData<string, string> Whole => new() { { "config/default", "v1.31.0" }, { "config/kubernetes-1.20", "v1.20.2" } };

    [SkippableFact]
    public void Files_are_those_that_the_chart_makes()
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var files = Files("v1.31.0");
        files["kubernetes-1.20/pdb.yaml"] = Files("v1.20.2")["kubernetes-1.20/pdb.yaml"];
        foreach (var (file, text) in files) Golden.Hold($"config/{file}", text.ToString());
        Golden.Hold("config/samples/minimal.yaml", File.ReadAllText(Path.Combine(HelmChart.Repository, "samples/minimal.yaml")));
    }

    [SkippableTheory]
    [MemberData(nameof(Whole))]
    public void Kustomize_makes_what_the_chart_makes(string folder, string server)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var made = Objects(Kubectl.Kustomize(folder));
        Assert.True(made.Remove("Namespace/rag-operator-system"));
        var chart = Objects(HelmChart.Text(HelmChart.Values("kustomize"), "-kube-version", server));
        Assert.Equal(chart.Keys, made.Keys);
        foreach (var (key, value) in chart) Assert.True(value == made[key], $"{key}: the chart says\n{value}\nand {folder}\n{made[key]}");
    }

    /// <summary>Nothing that is on by default may be missing from config/: its values are the chart's own, but for what only a cluster knows.</summary>
    [Fact]
    public void Values_are_the_defaults_but_for_the_metric_source() =>
        Assert.Equal(["metricSources"], YamlJson.Parse(File.ReadAllText(HelmChart.Values("kustomize")))!.AsObject().Select(static p => p.Key));

    /// <summary>The kustomization of docs/install.md for who does not want them, as it stands there.</summary>
    [SkippableFact]
    public void Webhook_and_PodDisruptionBudget_can_be_left_out()
    {
        var page = File.ReadAllText(Path.Combine(HelmChart.Repository, "docs/install.md"));
        var text = page.Split("```").Single(static block => block.Contains("not ../config/webhook", StringComparison.Ordinal))["yaml\n".Length..];
        // Below the repository: kustomize takes no absolute paths.
        var folder = Directory.CreateDirectory(Path.Combine(HelmChart.Repository, "artifacts/without-webhook"));
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "kustomization.yaml"), text.Replace("../config/", "../../config/", StringComparison.Ordinal));
            File.WriteAllText(Path.Combine(folder.FullName, "config.yaml"), "http: {port: 8080}\n");
            var made = Objects(Kubectl.Kustomize(folder.FullName));
            var whole = Objects(Kubectl.Kustomize("config/default"));
            Assert.Equal(
                ["MutatingWebhookConfiguration/rag-operator", "PodDisruptionBudget/rag-operator", "Service/rag-operator-webhook", "ValidatingWebhookConfiguration/rag-operator"],
                whole.Keys.Except(made.Keys, StringComparer.Ordinal));
            Assert.Contains("8080", made["ConfigMap/rag-operator-config"], StringComparison.Ordinal);
            Assert.DoesNotContain("webhook", made["ConfigMap/rag-operator-config"], StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [SkippableFact]
    public void Samples_are_made_too() => Assert.Single(HelmChart.Objects(Kubectl.Kustomize("config/samples")));

    private static Dictionary<string, StringBuilder> Files(string server)
    {
        var files = new Dictionary<string, StringBuilder>(StringComparer.Ordinal);
        foreach (var document in HelmChart.Text(HelmChart.Values("kustomize"), "-kube-version", server).Split("---\n", StringSplitOptions.RemoveEmptyEntries))
        {
            if (HelmChart.Objects(document) is not [var o]) continue;
            if (o["data"]?["config.yaml"] is { } config && PlaceOf(o) is null) files["manager/config.yaml"] = new StringBuilder(Head + (string)config!);
            if (PlaceOf(o) is not { } place) continue;
            if (!files.TryGetValue(place, out var text)) files[place] = text = new StringBuilder(Head);
            text.Append("---\n").AppendJoin('\n', document.TrimEnd('\n').Split('\n').Where(static line =>
                !line.StartsWith("# Source:", StringComparison.Ordinal) && !IsHelms(line))).Append('\n');
        }

        return files;
    }

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
