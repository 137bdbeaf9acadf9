using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>Teams that keep a RagDeployment as base and patch it with overlays: a patch of one component leaves the others.</summary>
public sealed class OverlayTests : IDisposable
{
    private const string Base = """
        apiVersion: ragoperator.dev/v1alpha1
        kind: RagDeployment
        metadata: {name: assistant}
        spec:
          components:
            - name: embedder
              replicas: 2
              ports: [{name: http, port: 8003}]
              template: {spec: {containers: [{name: embedder, image: registry.example/embedder:1.4, envFrom: [{configMapRef: {name: settings}}], env: [{name: A, value: "1"}, {name: B, value: "2"}]}]}}
            - name: api
              dependsOn: [embedder]
              replicas: 4
              ports: [{name: http, port: 8000}]
              template: {spec: {containers: [{name: api, image: registry.example/api:2.0}]}}
          traffic: {component: api, gatewayApi: {parentRefs: [{name: public}]}}
          featureFlags: {flags: [{name: replay, enabled: true}, {name: debate, enabled: true}]}
          sla: {metrics: [{name: errors, preset: http-error-rate, limit: {max: 1%}}, {name: p95, preset: http-latency-p95, limit: {max: 500ms}}]}
        """;

    private const string Patch = """
        apiVersion: ragoperator.dev/v1alpha1
        kind: RagDeployment
        metadata: {name: assistant}
        spec:
          components:
            - name: embedder
              replicas: 1
              template: {spec: {containers: [{name: embedder, env: [{name: B, value: "3"}]}]}}
          featureFlags: {flags: [{name: debate, enabled: false}]}
          sla: {metrics: [{name: p95, limit: {max: 900ms}}]}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rag-overlay");

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableFact]
    public void A_patch_of_one_component_leaves_the_others()
    {
        var spec = Overlay("openapi: {path: ragdeployment.json}\n")["spec"]!;
        var components = spec["components"]!.AsArray();
        Assert.Equal(["embedder", "api"], components.Select(c => (string?)c!["name"]));
        Assert.Equal(1, (long?)components[0]!["replicas"]);
        Assert.Equal(4, (long?)components[1]!["replicas"]);
        Assert.Equal("registry.example/api:2.0", (string?)components[1]!["template"]!["spec"]!["containers"]![0]!["image"]);
        // Down to a variable of a container, as in a Deployment. kustomize may put what was patched first; a release is the same in any order.
        var container = components[0]!["template"]!["spec"]!["containers"]![0]!;
        Assert.Equal(["A=1", "B=3"], container["env"]!.AsArray().Select(v => $"{v!["name"]}={v["value"]}").Order(StringComparer.Ordinal));
        Assert.Equal(8003, (long?)components[0]!["ports"]![0]!["port"]);
        Assert.Equal(["debate False", "replay True"], spec["featureFlags"]!["flags"]!.AsArray().Select(f => $"{f!["name"]} {(bool)f["enabled"]!}").Order(StringComparer.Ordinal));
        Assert.Equal(["errors http-error-rate 1%", "p95 http-latency-p95 900ms"], spec["sla"]!["metrics"]!.AsArray().Select(m => $"{m!["name"]} {m["preset"]} {m["limit"]!["max"]}").Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public void Names_and_images_follow()
    {
        var o = Overlay("openapi: {path: ragdeployment.json}\nconfigurations: [kustomizeconfig.yaml]\nnamePrefix: eu-\nimages: [{name: registry.example/embedder, newTag: '1.5'}]\nconfigMapGenerator: [{name: settings, literals: [a=b]}]\n");
        var container = o["spec"]!["components"]![0]!["template"]!["spec"]!["containers"]![0]!;
        Assert.Equal("registry.example/embedder:1.5", (string?)container["image"]);
        Assert.Matches("^eu-settings-[a-z0-9]{10}$", (string?)container["envFrom"]![0]!["configMapRef"]!["name"]);
    }

    [SkippableFact]
    public void Without_the_schema_the_other_components_are_lost() =>
        // The reason for all this; if it ever holds no more, the schema may go.
        Assert.Single(Overlay("")["spec"]!["components"]!.AsArray());

    private JsonObject Overlay(string more)
    {
        Skip.IfNot(Kubectl.KnowsOpenApi, "needs kubectl 1.21 or newer, which takes a schema in a kustomization");
        File.Copy(Path.Combine(HelmChart.Repository, "config/openapi/ragdeployment.json"), Path.Combine(_folder.FullName, "ragdeployment.json"));
        File.Copy(Path.Combine(HelmChart.Repository, "config/kustomizeconfig/ragdeployment.yaml"), Path.Combine(_folder.FullName, "kustomizeconfig.yaml"));
        File.WriteAllText(Path.Combine(_folder.FullName, "base.yaml"), Base);
        File.WriteAllText(Path.Combine(_folder.FullName, "patch.yaml"), Patch);
        File.WriteAllText(Path.Combine(_folder.FullName, "kustomization.yaml"), $"resources: [base.yaml]\npatches: [{{path: patch.yaml}}]\n{more}");
        return HelmChart.Objects(Kubectl.Kustomize(_folder.FullName)).Single(o => (string?)o["kind"] == "RagDeployment");
    }
}
