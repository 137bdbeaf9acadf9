using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Operator.Admission;
using RagOperator.Operator.Sla;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Admission;

/// <summary>Questions as an API server asks them.</summary>
internal static class Reviews
{
    public const string Uid = "uid-1";

    public static IMetricCatalog Catalog { get; } =
        new MetricCatalog(new Dictionary<string, MetricSourceOptions> { ["default"] = new() { Url = new("http://127.0.0.1:1") } }, MetricPresets.BuiltIn);

    public static AdmissionRequest Of(JsonNode? before, JsonNode? after, string user = "jane") => new()
    {
        Uid = "question",
        Name = "assistant",
        Namespace = "rag",
        Operation = before is null ? "CREATE" : "UPDATE",
        UserInfo = new AdmissionUser { Username = user, Groups = ["system:authenticated"] },
        Object = Element(after),
        OldObject = Element(before),
    };

    /// <summary>An object with annotations, as JSON, and a status.</summary>
    public static JsonObject Object(string annotations = "{}", string spec = "{}", string status = "null") =>
        Sample.Object($$"""{"metadata":{"name":"assistant","namespace":"rag","uid":"{{Uid}}","annotations":{{annotations}}},"spec":{{spec}},"status":{{status}}}""");

    /// <summary>An object with a request and perhaps a stamp.</summary>
    public static JsonObject Asking(string? request, string? stamp = null)
    {
        var annotations = new JsonObject();
        if (request is not null) annotations["ragoperator.dev/request"] = request;
        if (stamp is not null) annotations["ragoperator.dev/requested-by"] = stamp;
        return Object(annotations.ToJsonString());
    }

    public static JsonElement Element(JsonNode? node) => node is null ? Sample.Element("null") : Sample.Element(node.ToJsonString());
}
