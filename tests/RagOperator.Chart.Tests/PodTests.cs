using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>The pods that the chart makes: the restricted profile, secrets by reference, other pods for another configuration.</summary>
public sealed class PodTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [SkippableTheory]
    [InlineData("default")]
    [InlineData("everything")]
    [InlineData("namespaced")]
    public void Each_pod_keeps_within_the_restricted_profile(string values)
    {
        var objects = Render(HelmChart.Values(values));
        JsonNode[] pods = [objects.Single(o => (string?)o["kind"] == "Deployment")["spec"]!["template"]!["spec"]!, objects.Single(o => (string?)o["kind"] == "Pod")["spec"]!];
        foreach (var pod in pods)
        {
            Assert.True((bool?)pod["securityContext"]!["runAsNonRoot"]);
            // A name would not do: the kubelet must know the number.
            Assert.InRange((long)pod["securityContext"]!["runAsUser"]!, 1, long.MaxValue);
            Assert.Equal("RuntimeDefault", (string?)pod["securityContext"]!["seccompProfile"]!["type"]);
            var container = pod["containers"]!.AsArray().Single()!;
            Assert.False((bool?)container["securityContext"]!["allowPrivilegeEscalation"]);
            Assert.True((bool?)container["securityContext"]!["readOnlyRootFilesystem"]);
            Assert.Equal("ALL", (string?)container["securityContext"]!["capabilities"]!["drop"]![0]);
            Assert.NotNull(container["resources"]!["limits"]!["memory"]);
            Assert.DoesNotContain(pod["volumes"]!.AsArray(), v => v!["hostPath"] is not null);
        }
    }

    [SkippableFact]
    public void Secrets_of_metric_sources_are_mounted_where_the_configuration_says_and_never_written()
    {
        var objects = Render(HelmChart.Values("everything"));
        var pod = objects.Single(o => (string?)o["kind"] == "Deployment")["spec"]!["template"]!["spec"]!;
        var config = YamlJson.Parse((string)objects.First(o => o["data"]?["config.yaml"] is not null)["data"]!["config.yaml"]!)!;
        var mounts = pod["containers"]![0]!["volumeMounts"]!.AsArray().ToDictionary(m => (string)m!["name"]!, m => (string)m!["mountPath"]!);
        var mounted = pod["volumes"]!.AsArray().Where(v => v!["projected"] is not null)
            .SelectMany(v => v!["projected"]!["sources"]!.AsArray().Select(s => (s!["secret"] ?? s["configMap"])!).Select(s =>
                (File: $"{mounts[(string)v["name"]!]}/{s["items"]![0]!["path"]}", From: $"{s["name"]}/{s["items"]![0]!["key"]}")))
            .ToDictionary(m => m.File, m => m.From);
        var sources = config["metricSources"]!;
        Assert.Equal("prometheus/token", mounted[(string)sources["default"]!["bearerTokenFile"]!]);
        Assert.Equal("roots/ca.crt", mounted[(string)sources["default"]!["caFile"]!]);
        Assert.Equal("mimir/password", mounted[(string)sources["mimir"]!["basicAuth"]!["passwordFile"]!]);
        Assert.Equal("mimir/ca.crt", mounted[(string)sources["mimir"]!["caFile"]!]);
        Assert.Equal("mimir/tenant", mounted[(string)sources["mimir"]!["tenantHeader"]!["valueFile"]!]);
        Assert.DoesNotContain(objects, o => (string?)o["kind"] == "Secret");
        Assert.Contains(pod["volumes"]!.AsArray(), v => (string?)v!["secret"]?["secretName"] == "rag-op-webhook-tls");
    }

    [SkippableFact]
    public void Another_configuration_makes_other_pods_and_the_same_one_does_not()
    {
        Assert.Equal(Checksum("logFormat: json"), Checksum("replicaCount: 3"));
        Assert.NotEqual(Checksum("logFormat: json"), Checksum("logFormat: text"));
    }

    [SkippableTheory]
    [InlineData("{}", "rag-operator:0.1.0")]
    [InlineData("image: {tag: v2, registry: registry.example}", "registry.example/rag-operator:v2")]
    [InlineData("image: {tag: v2, digest: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}", "rag-operator@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void The_image_is_named_by_its_digest_else_by_its_tag_else_by_the_charts_version(string values, string image) =>
        Assert.Equal(image, (string?)Deployment(values)["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]);

    [SkippableFact]
    public void Files_that_others_put_beside_it_are_part_of_it()
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var copy = Directory.CreateTempSubdirectory("rag-chart");
        try
        {
            Assert.Equal(0, HelmChart.RunProcess("cp", ["-r", HelmChart.Folder + "/.", copy.FullName]).Code);
            foreach (var (file, text) in ((string, string)[])
                [("dashboards/rollouts.json", """{"title": "{{service}}"}"""), ("alerts.yaml", "groups:\n  - name: rag\n    rules: [{alert: A, expr: up == 0, annotations: {summary: '{{ $labels.name }}'}}]\n"), ("argocd/health.lua", "return 1\n"), ("argocd/actions/discovery.lua", "return {}\n"), ("argocd/actions/approve.lua", "return obj\n")])
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copy.FullName, "files", file))!);
                File.WriteAllText(Path.Combine(copy.FullName, "files", file), text);
            }

            File.WriteAllText(_file, "{dashboards: {enabled: true}, prometheusRule: {enabled: true}, argocd: {configMap: {enabled: true}}}");
            var (text2, error, code) = HelmChart.Run("-values", _file, copy.FullName);
            Assert.True(code == 0, error);
            var objects = HelmChart.Objects(text2);
            // Grafana's and Prometheus' braces are theirs, not the chart's.
            Assert.Equal("""{"title": "{{service}}"}""", (string?)objects.Single(o => (string?)o["metadata"]!["name"] == "rag-operator-dashboards")["data"]!["rollouts.json"]);
            Assert.Equal("{{ $labels.name }}", (string?)objects.Single(o => (string?)o["kind"] == "PrometheusRule")["spec"]!["groups"]![0]!["rules"]![0]!["annotations"]!["summary"]);
            var argocd = objects.Single(o => (string?)o["metadata"]!["name"] == "rag-operator-argocd-cm")["data"]!;
            Assert.Equal("return 1\n", (string?)argocd["resource.customizations.health.ragoperator.dev_RagDeployment"]);
            var actions = YamlJson.Parse((string)argocd["resource.customizations.actions.ragoperator.dev_RagDeployment"]!)!;
            Assert.Equal("return {}\n", (string?)actions["discovery.lua"]);
            Assert.Contains(actions["definitions"]!.AsArray(), a => (string?)a!["name"] == "approve" && (string?)a["action.lua"] == "return obj\n");
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private string Checksum(string values) => (string)Deployment(values)["spec"]!["template"]!["metadata"]!["annotations"]!["checksum/config"]!;

    private JsonObject Deployment(string values)
    {
        File.WriteAllText(_file, values);
        return Render(_file).Single(o => (string?)o["kind"] == "Deployment");
    }

    private static IReadOnlyList<JsonObject> Render(string file)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        return HelmChart.Objects(HelmChart.Text(file));
    }
}
