using System.Text.Json.Nodes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

public sealed class DeploymentManifestTests
{
    [Fact]
    public void Deployment_of_a_receiver_is_the_users_template_with_the_operators_additions()
    {
        var body = WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "api", 3, PodEnvironment.None);

        Same.Json(
            """
            {"apiVersion":"apps/v1","kind":"Deployment",
             "metadata":{"name":"assistant-api-api0000001","namespace":"rag",
              "labels":{"ragoperator.dev/name":"assistant","ragoperator.dev/component":"api","ragoperator.dev/revision":"api0000001"},
              "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","name":"assistant","uid":"uid-1","controller":true,"blockOwnerDeletion":true}]},
             "spec":{"replicas":3,
              "selector":{"matchLabels":{"ragoperator.dev/name":"assistant","ragoperator.dev/component":"api","ragoperator.dev/revision":"api0000001"}},
              "template":{
               "metadata":{"labels":{"team":"search","ragoperator.dev/name":"assistant","ragoperator.dev/component":"api","ragoperator.dev/revision":"api0000001"},
                "annotations":{"note":"x"}},
               "spec":{"serviceAccountName":"rag","futureField":{"a":[1,2.50]},"enableServiceLinks":false,
                "initContainers":[{"name":"warm","image":"busybox"}],
                "volumes":[{"name":"data","emptyDir":{}},{"name":"rag-flags","configMap":{"name":"assistant-api-api0000001-flags"}}],
                "containers":[
                 {"name":"api","image":"registry.example/api:2.0",
                  "env":[{"name":"RAG_REVISION","value":"api0000001"},
                   {"name":"RAG_FLAGS_DIR","value":"/etc/rag/flags"},
                   {"name":"RAG_EMBEDDER_URL","value":"https://assistant-embedder-emb0000001:8003"},
                   {"name":"RAG_EMBEDDER_HOST","value":"assistant-embedder-emb0000001"},
                   {"name":"RAG_EMBEDDER_PORT","value":"8003"},
                   {"name":"EMBEDDER","value":"$(RAG_EMBEDDER_URL)/v1"}],
                  "volumeMounts":[{"name":"data","mountPath":"/data"},{"name":"rag-flags","mountPath":"/etc/rag/flags","readOnly":true}]},
                 {"name":"sidecar","image":"registry.example/side:1",
                  "env":[{"name":"RAG_REVISION","value":"api0000001"},
                   {"name":"RAG_FLAGS_DIR","value":"/etc/rag/flags"},
                   {"name":"RAG_EMBEDDER_URL","value":"https://assistant-embedder-emb0000001:8003"},
                   {"name":"RAG_EMBEDDER_HOST","value":"assistant-embedder-emb0000001"},
                   {"name":"RAG_EMBEDDER_PORT","value":"8003"}],
                  "volumeMounts":[{"name":"rag-flags","mountPath":"/etc/rag/flags","readOnly":true}]}]}}}}
            """,
            body);
    }

    [Fact]
    public void Deployment_gets_configured_variables_between_the_operators_and_the_users_whose_value_counts()
    {
        var more = new PodEnvironment([new("HTTP_PROXY", "http://proxy:3128"), new("EMBEDDER", "theirs")]);

        var containers = WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "api", 1, more)["spec"]!["template"]!["spec"]!["containers"]!.AsArray();

        Assert.Equal(
            ["RAG_REVISION", "RAG_FLAGS_DIR", "RAG_EMBEDDER_URL", "RAG_EMBEDDER_HOST", "RAG_EMBEDDER_PORT", "HTTP_PROXY", "EMBEDDER"],
            containers[0]!["env"]!.AsArray().Select(v => (string?)v!["name"]));
        Assert.Equal("$(RAG_EMBEDDER_URL)/v1", (string?)containers[0]!["env"]!.AsArray()[^1]!["value"]);
        Assert.Equal(["http://proxy:3128", "theirs"], containers[1]!["env"]!.AsArray().TakeLast(2).Select(v => (string?)v!["value"]));
    }

    [Fact]
    public void Deployment_without_flags_gets_the_external_service_and_no_volume()
    {
        var template = WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "embedder", 1, PodEnvironment.None)["spec"]!["template"]!;

        Same.Json(
            """
            [{"name":"RAG_REVISION","value":"emb0000001"},
             {"name":"RAG_QDRANT_URL","value":"http://qdrant-svc:6333"},
             {"name":"RAG_QDRANT_HOST","value":"qdrant-svc"},
             {"name":"RAG_QDRANT_PORT","value":"6333"}]
            """,
            template["spec"]!["containers"]![0]!["env"]);
        Assert.Null(template["spec"]!["volumes"]);
        Assert.Null(template["spec"]!["containers"]![0]!["volumeMounts"]);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("\"enableServiceLinks\":null,", false)]
    [InlineData("\"enableServiceLinks\":true,", true)]
    public void Pods_get_no_variables_of_services_unless_the_template_asks_for_them(string written, bool expected)
    {
        var spec = PodSpec("""{"name":"embedder","template":{"spec":{""" + written + "\"containers\"" + """:[{"name":"e","image":"i"}]}}}""");

        Assert.Equal(expected, (bool?)spec["enableServiceLinks"]);
    }

    [Fact]
    public void A_native_sidecar_gets_what_containers_get_and_an_init_container_does_not()
    {
        var api = Sample.Release();
        api.Component("api")!.Content = Sample.Element(
            """
            {"name":"api","ports":[{"name":"http","port":8000}],"template":{"spec":{
             "initContainers":[{"name":"warm","image":"i"},{"name":"side","image":"i","restartPolicy":"Always","env":[{"name":"A","value":"$(RAG_EMBEDDER_URL)"}]}],
             "containers":[{"name":"api","image":"i"}]}}}
            """);
        var more = new PodEnvironment([new("HTTP_PROXY", "http://proxy:3128")]);

        var spec = WorkloadManifests.Deployment(Sample.Owner, api, "api", 1, more)["spec"]!["template"]!["spec"]!;

        Same.Json("""{"name":"warm","image":"i"}""", spec["initContainers"]![0]);
        var side = spec["initContainers"]![1]!;
        Assert.Equal(
            ["RAG_REVISION", "RAG_FLAGS_DIR", "RAG_EMBEDDER_URL", "RAG_EMBEDDER_HOST", "RAG_EMBEDDER_PORT", "HTTP_PROXY", "A"],
            side["env"]!.AsArray().Select(v => (string?)v!["name"]));
        Same.Json("""[{"name":"rag-flags","mountPath":"/etc/rag/flags","readOnly":true}]""", side["volumeMounts"]);
    }

    // Such sidecars were allowed before they got anything: what they set themselves counts on.
    [Fact]
    public void What_a_native_sidecar_sets_itself_counts()
    {
        var api = Sample.Release();
        api.Component("api")!.Content = Sample.Element(
            """
            {"name":"api","ports":[{"name":"http","port":8000}],"template":{"spec":{
             "initContainers":[{"name":"side","image":"i","restartPolicy":"Always","env":[{"name":"RAG_REVISION","value":"mine"}],
              "volumeMounts":[{"name":"own","mountPath":"/etc/rag/flags"}]}],
             "containers":[{"name":"api","image":"i"}]}}}
            """);

        var side = WorkloadManifests.Deployment(Sample.Owner, api, "api", 1, PodEnvironment.None)["spec"]!["template"]!["spec"]!["initContainers"]![0]!;

        Assert.Equal(["mine"], side["env"]!.AsArray().Where(v => (string?)v!["name"] == "RAG_REVISION").Select(v => (string?)v!["value"]));
        Same.Json("""[{"name":"own","mountPath":"/etc/rag/flags"}]""", side["volumeMounts"]);
    }

    [Fact]
    public void Deployment_hands_on_no_url_of_a_component_without_ports()
    {
        var release = Sample.Release(embedderContent: """{"name":"embedder","template":{"spec":{"containers":[{"name":"e","image":"i"}]}}}""");

        var environment = WorkloadManifests.Deployment(Sample.Owner, release, "api", 1, PodEnvironment.None)["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray();

        Assert.DoesNotContain(environment, static v => v!["name"]!.GetValue<string>().StartsWith("RAG_EMBEDDER", StringComparison.Ordinal));
    }

    [Fact]
    public void Deployment_names_a_dependency_with_dashes_in_upper_case_with_underscores()
    {
        var release = Sample.Release();
        release.Components[0].Name = "vector-db";
        release.Components[1].DependsOn = ["vector-db"];

        var environment = WorkloadManifests.Deployment(Sample.Owner, release, "embedder", 1, PodEnvironment.None)["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray();

        Assert.Contains(environment, static v => v!["name"]!.GetValue<string>() == "RAG_VECTOR_DB_URL");
    }

    [Fact]
    public void Deployment_does_not_depend_on_the_release_that_names_the_revision()
    {
        var one = Sample.Release();
        var other = Sample.Release();
        other.Number = 8;
        other.Hash = "rel0000002";
        other.Flags = ["experience-replay", "soft-q-bandit"];
        other.Components.Add(new() { Name = "reranker", Revision = "rer0000001", Content = Sample.Element("""{"name":"reranker"}""") });

        foreach (var component in new[] { "api", "embedder" })
        {
            Assert.True(JsonNode.DeepEquals(
                WorkloadManifests.Deployment(Sample.Owner, one, component, 2, PodEnvironment.None),
                WorkloadManifests.Deployment(Sample.Owner, other, component, 2, PodEnvironment.None)));
            Assert.True(JsonNode.DeepEquals(
                WorkloadManifests.RevisionService(Sample.Owner, one, component),
                WorkloadManifests.RevisionService(Sample.Owner, other, component)));
        }
    }

    [Fact]
    public void Deployment_leaves_the_preimage_as_it_was()
    {
        var release = Sample.Release();
        var before = release.Component("api")!.Content.GetRawText();

        WorkloadManifests.Deployment(Sample.Owner, release, "api", 1, PodEnvironment.None);

        Assert.Equal(before, release.Component("api")!.Content.GetRawText());
    }

    [Fact]
    public void Deployment_of_an_external_component_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "qdrant", 1, PodEnvironment.None));
    }

    private static JsonNode PodSpec(string embedder) =>
        WorkloadManifests.Deployment(Sample.Owner, Sample.Release(embedderContent: embedder), "embedder", 1, PodEnvironment.None)["spec"]!["template"]!["spec"]!;
}
