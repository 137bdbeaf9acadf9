using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Operator.Json;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

public sealed class ServiceManifestTests
{
    [Fact]
    public void RevisionService_has_the_ports_as_written_and_selects_the_revision()
    {
        Same.Json(
            """
            {"apiVersion":"v1","kind":"Service",
             "metadata":{"name":"assistant-api-api0000001","namespace":"rag",
              "labels":{"ragoperator.dev/name":"assistant","ragoperator.dev/component":"api","ragoperator.dev/revision":"api0000001"},
              "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","name":"assistant","uid":"uid-1","controller":true,"blockOwnerDeletion":true}]},
             "spec":{
              "selector":{"ragoperator.dev/name":"assistant","ragoperator.dev/component":"api","ragoperator.dev/revision":"api0000001"},
              "ports":[{"name":"http","port":8000,"targetPort":8000,"protocol":"TCP"},
               {"name":"grpc","port":9000,"targetPort":9000,"protocol":"TCP","appProtocol":"kubernetes.io/h2c"}]}}
            """,
            WorkloadManifests.RevisionService(Sample.Owner, Sample.Release(), "api"));
    }

    [Fact]
    public void StableService_of_the_entry_tells_which_release_is_stable()
    {
        var body = WorkloadManifests.StableService(Sample.Owner, Sample.Release(), null);

        Assert.Equal("assistant", body["metadata"]!["name"]!.GetValue<string>());
        Same.Json("""{"ragoperator.dev/release":"rel0000001"}""", body["metadata"]!["annotations"]);
        Same.Json(
            """{"ragoperator.dev/name":"assistant","ragoperator.dev/component":"api","ragoperator.dev/revision":"api0000001"}""",
            body["spec"]!["selector"]);
    }

    [Fact]
    public void StableService_of_a_component_has_its_name_and_no_annotation()
    {
        var body = WorkloadManifests.StableService(Sample.Owner, Sample.Release(), "embedder");

        Assert.Equal("assistant-embedder", body["metadata"]!["name"]!.GetValue<string>());
        Assert.Null(body["metadata"]!["annotations"]);
    }

    [Fact]
    public void View_of_a_service_as_created_has_not_drifted()
    {
        foreach (var body in Bodies())
        {
            var view = WorkloadViews.Service(Sample.Owner, Read(body), [Sample.Release()]);

            Assert.False(view.Drifted, view.Name);
            Assert.Equal(RagOperator.Engine.Contracts.Ownership.Ours, view.Owner);
        }
    }

    [Fact]
    public void Patch_undoes_any_change_of_selector_ports_and_labels()
    {
        foreach (var wanted in Bodies())
        {
            var changed = wanted.DeepClone().AsObject();
            changed["spec"]!["selector"]!["extra"] = "x";
            changed["spec"]!["ports"]!.AsArray().Add((JsonNode)Sample.Object("""{"name":"more","port":1,"protocol":"TCP"}"""));
            changed["metadata"]!["labels"]!["ragoperator.dev/name"] = "other";
            var service = Read(changed);
            var expectsDrift = WorkloadViews.Service(Sample.Owner, service, [Sample.Release()]).Drifted;

            var mended = Read(MergePatch.Apply(WorkloadViews.ServicePatch(service, wanted), changed));

            Assert.True(expectsDrift);
            Assert.False(WorkloadViews.Service(Sample.Owner, mended, [Sample.Release()]).Drifted);
        }
    }

    /// <summary>A Service on 80 before a container that may not listen there.</summary>
    [Theory]
    [InlineData("8080", "8080")]
    [InlineData("8080.0", "8080")]
    [InlineData("\"web\"", "\"web\"")]
    public void Target_port_is_carried_and_a_changed_one_is_drift(string written, string expected)
    {
        var release = Sample.Release(Sample.ApiContent.Replace("\"port\":8000", $"\"port\":80,\"targetPort\":{written}", StringComparison.Ordinal));
        foreach (var body in new[] { WorkloadManifests.RevisionService(Sample.Owner, release, "api"), WorkloadManifests.StableService(Sample.Owner, release, null) })
        {
            Assert.Equal($$"""{"name":"http","port":80,"targetPort":{{expected}},"protocol":"TCP"}""", body["spec"]!["ports"]![0]!.ToJsonString());
            Assert.False(WorkloadViews.Service(Sample.Owner, Read(body), [release]).Drifted);
            body["spec"]!["ports"]![0]!["targetPort"] = 81;
            Assert.True(WorkloadViews.Service(Sample.Owner, Read(body), [release]).Drifted);
        }
    }

    [Fact]
    public void Patch_carries_uid_and_resource_version()
    {
        var service = Read(Bodies()[0]);
        service.Metadata.Uid = "u";
        service.Metadata.ResourceVersion = "41";

        var metadata = WorkloadViews.ServicePatch(service, Bodies()[0])["metadata"]!;

        Assert.Equal("u", metadata["uid"]!.GetValue<string>());
        Assert.Equal("41", metadata["resourceVersion"]!.GetValue<string>());
    }

    private static JsonObject[] Bodies() =>
    [
        WorkloadManifests.StableService(Sample.Owner, Sample.Release(), null),
        WorkloadManifests.StableService(Sample.Owner, Sample.Release(), "api"),
        WorkloadManifests.RevisionService(Sample.Owner, Sample.Release(), "api"),
    ];

    private static V1Service Read(JsonObject body) => body.Deserialize(AbstractionsJsonContext.Default.V1Service)!;
}
