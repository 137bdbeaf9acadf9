using System.Text.Json;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Rights;

/// <summary>The service that is rolled out, and what is seen of it.</summary>
internal sealed partial class RightsWorld
{
    // With words in capitals to be filled in: braces are JSON's here.
    private const string Service = """
        {"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","metadata":{"name":"assistant","annotations":{"rights":"check"}},"spec":{
          "components":[
            {"name":"store","external":{"service":"elsewhere","port":6333}},
            {"name":"embedder","ports":[{"name":"http","port":8003}],"template":{"spec":{"nodeName":"NODE","containers":[{"name":"embedder","image":"rag-sample:1.0"}]}}},
            {"name":"api","dependsOn":["store","embedder"],"ports":[{"name":"http","port":8000}],"template":{"spec":{"nodeName":"NODE","containers":[{"name":"api","image":"rag-sample:TAG"}]}}}],
          "traffic":{"gatewayApi":{"parentRefs":[{"name":"puppet"}],"hostnames":["PLACE.example.com"]}},
          "featureFlags":{"flags":[{"name":"replay","enabled":FLAG}]},
          "rollout":{"progressDeadline":"5m","retireDelay":"1s","steps":[{"name":"canary","weight":50,"hold":"1s","approval":"Required"},{"name":"full","weight":100,"hold":"1s"}]},
          "rollback":{"keepFailedPods":"1s"},
          "sla":{"interval":"1s","warmUp":"0s","metrics":[{"name":"errors","query":"errors","window":"1s","limit":{"max":"1%"},"failAfter":2}]}}}
        """;

    private string ObjectPath => $"/apis/ragoperator.dev/v1alpha1/namespaces/{_name}/ragdeployments/assistant";

    private static string Name(JsonElement o) => o.GetProperty("metadata").Text("name");

    private static string Root(string group) => group == "v1" ? "/api/v1" : $"/apis/{group}";

    private Task ApplyAsync(string tag, bool flag = true) => SendAsync(ObjectPath, Filled(tag, flag));

    private string Filled(string tag, bool flag = true) => Service
        .Replace("TAG", tag, StringComparison.Ordinal).Replace("PLACE", _name, StringComparison.Ordinal).Replace("NODE", _node.NodeName, StringComparison.Ordinal).Replace("FLAG", flag ? "true" : "false", StringComparison.Ordinal);

    private async Task SendAsync(string path, string json) => await _space.Api.ApplyAsync(path, json, "test");

    private Task RequestAsync(string request) =>
        _space.Api.PatchAsync(ObjectPath, """{"metadata":{"annotations":{"ragoperator.dev/request":"REQUEST"}}}""".Replace("REQUEST", request, StringComparison.Ordinal));

    private async Task<JsonElement> ObjectAsync() => (await _space.Api.GetAsync(ObjectPath))!.Value;

    private Task<IReadOnlyList<JsonElement>> ListAsync(string group, string resource) => _space.Api.ListAsync($"{Root(group)}/namespaces/{_name}/{resource}");

    private Task<IReadOnlyList<JsonElement>> EventsAsync(string place) => _space.Api.ListAsync($"/apis/events.k8s.io/v1/namespaces/{place}/events");

    private Task UntilAsync(Func<Api.V1Alpha1.RagDeploymentStatus, bool> condition, string what) => UntilAsync(async () =>
    {
        var current = (await ObjectAsync()).Deserialize(Api.ApiJsonContext.Default.RagDeployment)!;
        return current.Status is { } status && status.ObservedGeneration == current.Metadata.Generation && condition(status);
    }, what);
}
