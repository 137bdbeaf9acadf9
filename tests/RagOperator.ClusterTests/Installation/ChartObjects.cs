using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.ClusterTests.Installation;

/// <summary>What the chart makes, for this API server.</summary>
internal static class ChartObjects
{
    public const string Namespace = "rag-operator-system";

    /// <summary>The objects for some values, in the text of a file of values.</summary>
    public static IReadOnlyList<JsonObject> Render(string values, params string[] more)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, values);
            // What the bed's API server is: it has no policy/v1.
            return HelmChart.Objects(HelmChart.Text(file, ["-kube-version", "v1.20.2", .. more]));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>One file for kubectl.</summary>
    public static string List(IEnumerable<JsonObject> objects) => new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "List",
        ["items"] = new JsonArray([.. objects.Select(o => o.DeepClone())]),
    }.ToJsonString();

    /// <summary>Whether `helm test` makes it, and not `helm install`.</summary>
    public static bool IsHook(JsonObject o) => o["metadata"]!["annotations"]?["helm.sh/hook"] is not null;

    public static bool Is(JsonObject o, string kind) => (string?)o["kind"] == kind;
}
