using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;
using RagOperator.Kubernetes.Tests.RealServer;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Hosting;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.RealServer;

/// <summary>The controller against a real API server: what its validation, preconditions and field managers make of the writes.</summary>
public sealed class RealServerRolloutTests(RealServerFixture server) : IClassFixture<RealServerFixture>
{
    private const string HttpRouteCrd = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"httproutes.gateway.networking.k8s.io",
         "annotations":{"api-approved.kubernetes.io":"unapproved, for a test"}},
         "spec":{"group":"gateway.networking.k8s.io","scope":"Namespaced","names":{"kind":"HTTPRoute","listKind":"HTTPRouteList","plural":"httproutes","singular":"httproute"},
         "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{
          "spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true},"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}
        """;

    private static readonly NamespacedName Key = new("default", "assistant");

    [SkippableFact]
    public async Task Rollout_and_rollback_leave_a_real_server_as_a_user_expects()
    {
        using var client = server.Connect();
        await InstallAsync(client, Sample.Object(HttpRouteCrd));
        // Not validated: an old kubectl knows no CEL rules.
        await server.KubectlAsync("apply", "--validate=false", "-f", Path.Combine(AppContext.BaseDirectory, "ragoperator.dev_ragdeployments.yaml"));
        // "kubectl wait" fails at once where it looks before the server has written any condition.
        await Wait.UntilAsync(
            async () => JsonNode.Parse(await server.KubectlAsync("get", "crd", "-o", "json"))!["items"]!.AsArray().All(static d =>
                (d!["status"]?["conditions"] as JsonArray)?.Any(static c => $"{c!["type"]} {c["status"]}" == "Established True") == true),
            "the kinds are served");
        using var kinds = new KubernetesClient(server.Configuration, json: new KubernetesJson(ApiJsonContext.Default));
        using var stop = new CancellationTokenSource();
        var puppet = new ClusterPuppet(client, Key.Namespace).RunAsync(stop.Token);
        using var host = Build();
        await host.StartAsync();

        var created = (await kinds.CreateAsync<RagDeployment>(new JsonObject { ["metadata"] = new JsonObject { ["name"] = Key.Name }, ["spec"] = Spec("2.0") }, Key.Namespace)).EnsureSuccess();
        await PhaseAsync(kinds, "Healthy");
        var route = (await client.GetAsync<V1HTTPRoute>(Key)).EnsureSuccess();
        Assert.Contains(route.Metadata.ManagedFields!, static m => m.Manager == "rag-operator");

        // a new release gets its first weight, and the operator does not take its own writes for a hand's
        await kinds.MergePatchAsync<RagDeployment>(new JsonObject { ["spec"] = Spec("2.1") }, Key);
        await Wait.UntilAsync(async () => (await StatusAsync(kinds))?.Step is { State: "Holding" }, "the first step holds");
        Assert.Equal([10, 90], await WeightsAsync(client));
        Assert.Null((await StatusAsync(kinds))!.Paused);

        // a hand that lowers is obeyed and named
        var lowered = (await client.GetAsync<V1HTTPRoute>(Key)).EnsureSuccess();
        var rules = lowered.Spec!.Value.GetProperty("rules").GetRawText().Replace("\"weight\":10", "\"weight\":0", StringComparison.Ordinal).Replace("\"weight\":90", "\"weight\":100", StringComparison.Ordinal);
        await server.KubectlAsync("patch", "httproute", Key.Name, "--type=merge", "-p", $$$"""{"spec":{"rules":{{{rules}}}}}""");
        await Wait.UntilAsync(async () => (await StatusAsync(kinds))?.Paused is not null, "the hand is noticed");
        Assert.StartsWith("kubectl", (await StatusAsync(kinds))!.Paused!.By, StringComparison.Ordinal);
        await server.KubectlAsync("annotate", "ragdeployment", Key.Name, "ragoperator.dev/request=resume/current");
        await Wait.UntilAsync(async () => (await WeightsAsync(client)).SequenceEqual([10, 90]), "the step's weight is back");

        // abort: weight 0, held, and spec's own old content ends it
        await server.KubectlAsync("annotate", "--overwrite", "ragdeployment", Key.Name, "ragoperator.dev/request=abort/current");
        await PhaseAsync(kinds, "Degraded");
        Assert.Equal(100, (await WeightsAsync(client)).Max());
        // Its weight is 0 by then; its backend goes after that.
        await Wait.UntilAsync(async () => (await WeightsAsync(client)).SequenceEqual([100]), "stable alone is left in the route");
        await kinds.MergePatchAsync<RagDeployment>(new JsonObject { ["spec"] = Spec("2.0") }, Key);
        await PhaseAsync(kinds, "Healthy");

        // what the server refuses is named by field
        var broken = Spec("2.2");
        broken["components"]![0]!["template"]!["spec"]!["containers"]![0]!["name"] = "Not_A_Name";
        await kinds.MergePatchAsync<RagDeployment>(new JsonObject { ["spec"] = broken }, Key);
        await PhaseAsync(kinds, "Degraded");
        Assert.Contains("spec.template.spec.containers[0].name", (await StatusAsync(kinds))!.Message, StringComparison.Ordinal);
        Assert.Equal(created.Uid(), (await kinds.GetAsync<RagDeployment>(Key)).EnsureSuccess().Uid());

        await stop.CancelAsync();
        await puppet;
        await host.StopAsync();
    }

    private IHost Build()
    {
        var bed = new ControllerBed();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddSingleton<ISampleStore>(bed).AddSingleton<IRolloutMetrics>(bed).AddSingleton<IMetricCatalog>(bed);
        builder.Services.AddKubernetesOperator(o => o.ClientConfiguration = () => OperatorHost.Named(server.Configuration, "test_1")).AddRagDeploymentController();
        return builder.Build();
    }

    private static async Task InstallAsync(KubernetesClient client, JsonObject crd)
    {
        var answer = await client.SendAsync(
            HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body: System.Text.Encoding.UTF8.GetBytes(crd.ToJsonString()));
        Assert.True(answer.IsSuccess, answer.ToString());
    }

    private static async Task<RagDeploymentStatus?> StatusAsync(KubernetesClient kinds) => (await kinds.GetAsync<RagDeployment>(Key)).EnsureSuccess().Status;

    private static async Task PhaseAsync(KubernetesClient kinds, string phase)
    {
        RagDeployment? seen = null;
        try
        {
            await Wait.UntilAsync(
                async () =>
                {
                    seen = (await kinds.GetAsync<RagDeployment>(Key)).EnsureSuccess();
                    return seen.Status?.Phase == phase && seen.Status.ObservedGeneration == seen.Metadata.Generation;
                },
                $"the phase is {phase}");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} It is {seen?.Status?.Phase}: {seen?.Status?.Message}", e);
        }
    }

    private static async Task<IEnumerable<int>> WeightsAsync(KubernetesClient client) =>
        new GatewayApiRouter().Observe(Sample.Owner, (await client.GetAsync<V1HTTPRoute>(Key)).EnsureSuccess(), null, new Dictionary<string, int>())
            .Backends.Select(static b => b.Weight).Order();

    private static JsonObject Spec(string tag) => Sample.Object("""
        {"components":[{"name":"api","replicas":2,"ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"registry.example/api:TAG"}]}}}],
         "traffic":{"gatewayApi":{"parentRefs":[{"name":"public","namespace":"gateways"}]}},
         "featureFlags":{"flags":[{"name":"experience-replay","enabled":true}]},
         "rollout":{"steps":[{"name":"canary","weight":10,"hold":"1h"},{"name":"full","weight":100,"hold":"1h"}]}}
        """.Replace("TAG", tag, StringComparison.Ordinal));
}
