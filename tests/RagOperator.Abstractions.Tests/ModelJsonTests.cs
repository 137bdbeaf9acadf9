using System.Text.Json;
using RagOperator.Abstractions.Models;

namespace RagOperator.Abstractions.Tests;

public class ModelJsonTests
{
    [Fact]
    public void Serialize_metadata_writes_the_names_of_the_API_and_leaves_nulls_out()
    {
        var metadata = new V1ObjectMeta { Name = "assistant", NamespaceProperty = "rag", Labels = new() { ["ragoperator.dev/name"] = "assistant" } };

        Assert.Equal(
            """{"name":"assistant","namespace":"rag","labels":{"ragoperator.dev/name":"assistant"}}""",
            JsonSerializer.Serialize(metadata, AbstractionsJsonContext.Default.V1ObjectMeta));
    }

    [Fact]
    public void Deserialize_object_of_a_newer_server_ignores_what_it_does_not_know()
    {
        var service = JsonSerializer.Deserialize(
            """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"b","uid":"u","resourceVersion":"7","generation":3,"novelty":[1],
             "creationTimestamp":"2026-01-02T03:04:05Z","ownerReferences":[{"apiVersion":"x/v1","kind":"K","name":"n","uid":"o","controller":true}]},
             "spec":{"selector":{"app":"a"},"novelty":{}}}
            """,
            AbstractionsJsonContext.Default.V1Service)!;

        Assert.Equal(new NamespacedName("b", "a"), service.Key());
        Assert.Equal(("u", "7"), (service.Uid(), service.ResourceVersion()));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), service.Metadata.CreationTimestamp);
        Assert.Equal("n", service.GetController()!.Name);
        Assert.True(service.IsOwnedBy("o"));
        Assert.False(service.IsOwnedBy("u"));
    }

    [Theory]
    [InlineData("", "v1", "v1", "/api/v1")]
    [InlineData("apps", "v1", "apps/v1", "/apis/apps/v1")]
    public void EntityMetadata_knows_the_paths_of_core_and_groups(string group, string version, string apiVersion, string root)
    {
        var metadata = new EntityMetadata(group, version, "K", "ks");

        Assert.Equal((apiVersion, root), (metadata.ApiVersion, metadata.Root));
    }

    [Fact]
    public void Extensions_on_an_object_without_metadata_fields_answer_empty()
    {
        var service = new V1Service();

        Assert.Equal(("", "", "", ""), (service.Name(), service.Namespace(), service.Uid(), service.ResourceVersion()));
        Assert.Null(service.GetLabel("a"));
        Assert.Null(service.GetAnnotation("a"));
        Assert.Null(service.GetController());
    }
}
