using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.RealServer;

/// <summary>Does what controllers, kubelets and gateways do, on an API server that has none of them.</summary>
internal sealed class ClusterPuppet(KubernetesClient client, string ns)
{
    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var deployment in await ItemsAsync<V1Deployment>()) await AvailableAsync(deployment);
            foreach (var service in await ItemsAsync<V1Service>()) await AddressedAsync(service);
            foreach (var route in await ItemsAsync<V1HTTPRoute>()) await AcceptedAsync(route);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<T>> ItemsAsync<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata =>
        (await client.ListAsync<T>(new ListOptions { Namespace = ns })).Value?.Items ?? [];

    private async Task AvailableAsync(V1Deployment deployment)
    {
        if (deployment.Status?.ObservedGeneration == deployment.Metadata.Generation && deployment.Status?.AvailableReplicas == deployment.Spec!.Replicas) return;
        var replicas = deployment.Spec!.Replicas;
        var status = new JsonObject
        {
            ["observedGeneration"] = deployment.Metadata.Generation,
            ["replicas"] = replicas,
            ["readyReplicas"] = replicas,
            ["availableReplicas"] = replicas,
        };
        await client.MergePatchAsync<V1Deployment>(new JsonObject { ["status"] = status }, deployment.Key(), "status");
    }

    private async Task AddressedAsync(V1Service service)
    {
        if (service.Spec?.Selector is not { } selector || selector.Count == 0) return;
        var pods = (await ItemsAsync<V1Deployment>()).Where(d => selector.All(s => d.GetLabel(s.Key) == s.Value)).Sum(static d => d.Status?.AvailableReplicas ?? 0);
        var found = (await client.GetAsync<V1Endpoints>(service.Key())).Value;
        if (found is not null && (found.Subsets ?? []).Sum(static s => s.Addresses?.Count ?? 0) == pods) return;
        var addresses = new JsonArray([.. Enumerable.Range(1, pods).Select(static i => (JsonNode)new JsonObject { ["ip"] = $"10.9.0.{i}" })]);
        var body = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = service.Name(), ["labels"] = Operator.Children.ChildOwner.Texts(service.Metadata.Labels ?? []) },
            ["subsets"] = pods == 0 ? [] : new JsonArray(new JsonObject { ["addresses"] = addresses, ["ports"] = new JsonArray(new JsonObject { ["port"] = 1 }) }),
        };
        if (found is null) await client.CreateAsync<V1Endpoints>(body, ns);
        else await client.MergePatchAsync<V1Endpoints>(body, service.Key());
    }

    private async Task AcceptedAsync(V1HTTPRoute route)
    {
        if (route.Status?.Parents?[0].Conditions?[0].ObservedGeneration == route.Metadata.Generation) return;
        var status = Sample.Object("""
            {"status":{"parents":[{"parentRef":{"name":"public","namespace":"gateways"},"controllerName":"x/y","conditions":[
             {"type":"Accepted","status":"True","observedGeneration":0},{"type":"ResolvedRefs","status":"True","observedGeneration":0}]}]}}
            """);
        foreach (var condition in status["status"]!["parents"]![0]!["conditions"]!.AsArray()) condition!["observedGeneration"] = route.Metadata.Generation;
        await client.MergePatchAsync<V1HTTPRoute>(status, route.Key(), "status");
    }
}
