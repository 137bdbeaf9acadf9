using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Tests.Support;

/// <summary>A service of three components, as the docs show it: api -> embedder -> qdrant (external).</summary>
internal static class Sample
{
    public const string EmbedderRevision = "emb0000001";
    public const string ApiRevision = "api0000001";
    public const string Hash = "rel0000001";

    public static readonly ChildOwner Owner = new(new NamespacedName("rag", "assistant"), "uid-1");

    public const string ApiContent = """
        {"name":"api","dependsOn":["embedder"],
         "ports":[{"name":"http","port":8000},{"name":"grpc","port":9000,"protocol":"TCP","appProtocol":"kubernetes.io/h2c"}],
         "template":{"metadata":{"labels":{"team":"search"},"annotations":{"note":"x"}},
          "spec":{"serviceAccountName":"rag","futureField":{"a":[1,2.50]},
           "initContainers":[{"name":"warm","image":"busybox"}],
           "volumes":[{"name":"data","emptyDir":{}}],
           "containers":[
            {"name":"api","image":"registry.example/api:2.0","env":[{"name":"EMBEDDER","value":"$(RAG_EMBEDDER_URL)/v1"}],
             "volumeMounts":[{"name":"data","mountPath":"/data"}]},
            {"name":"sidecar","image":"registry.example/side:1"}]}}}
        """;

    public const string EmbedderContent = """
        {"name":"embedder","dependsOn":["qdrant"],"ports":[{"name":"https","port":8003,"appProtocol":"https"}],
         "template":{"spec":{"containers":[{"name":"embedder","image":"registry.example/embedder:1.4"}]}}}
        """;

    public static JsonElement Element(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    public static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();

    public static ReleaseRecord Release(string apiContent = ApiContent, string embedderContent = EmbedderContent) => new()
    {
        Algorithm = 1,
        Number = 7,
        Hash = Hash,
        Entry = "api",
        DeliverTo = ["api"],
        Flags = ["experience-replay"],
        Components =
        [
            new() { Name = "qdrant", Hash = "h0", Content = Element("""{"name":"qdrant","external":{"service":"qdrant-svc","port":6333}}""") },
            new() { Name = "embedder", Hash = "h1", Revision = EmbedderRevision, DependsOn = ["qdrant"], HasService = true, Content = Element(embedderContent) },
            new() { Name = "api", Hash = "h2", Revision = ApiRevision, DependsOn = ["embedder"], HasService = true, Content = Element(apiContent) },
        ],
    };
}
