using System.Text.Json;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Oracles;

/// <summary>The world right before a write to a route, or a deletion of what a route may need, got to the server: what S3 to S5 speak of.</summary>
/// <param name="Services">Services by name, with their number of ready addresses; empty before a deletion.</param>
/// <param name="Deployments">Deployments by name: available and wanted pods; empty before a deletion.</param>
/// <param name="Weights">What the rules of the route sent where; before a deletion those of all routes there are.</param>
public sealed record Witness(
    IReadOnlyDictionary<string, int> Services, IReadOnlyDictionary<string, (int Available, int Wanted)> Deployments, IReadOnlyList<IReadOnlyDictionary<string, int>> Weights)
{
    private static readonly Dictionary<string, int> s_none = new(StringComparer.Ordinal);
    private static readonly Dictionary<string, (int Available, int Wanted)> s_nobody = new(StringComparer.Ordinal);

    public static async Task<object?> OfAsync(ApiAccess api, Deed deed)
    {
        ArgumentNullException.ThrowIfNull(api);
        ArgumentNullException.ThrowIfNull(deed);
        var ns = deed.Call.Namespace;
        var routes = $"/apis/gateway.networking.k8s.io/v1/namespaces/{ns}/httproutes";
        if (deed.Call is { Verb: "delete", Resource: "services" or "deployments" or "configmaps" })
            return new Witness(s_none, s_nobody, [.. (await api.ListAsync(routes)).SelectMany(RuleWeights.Of)]);
        if (deed.Call.Resource != "httproutes")
            return null;
        var endpoints = (await api.ListAsync($"/api/v1/namespaces/{ns}/endpoints")).ToDictionary(NameOf, Addresses, StringComparer.Ordinal);
        var services = (await api.ListAsync($"/api/v1/namespaces/{ns}/services")).ToDictionary(NameOf, s => endpoints.GetValueOrDefault(NameOf(s)), StringComparer.Ordinal);
        var deployments = (await api.ListAsync($"/apis/apps/v1/namespaces/{ns}/deployments")).ToDictionary(
            NameOf, d => (Count(d, "status", "availableReplicas"), Count(d, "spec", "replicas")), StringComparer.Ordinal);
        var route = await api.GetAsync($"{routes}/{deed.Call.Name}");
        return new Witness(services, deployments, route is { } found ? RuleWeights.Of(found) : []);
    }

    private static string NameOf(JsonElement item) => item.GetProperty("metadata").GetProperty("name").GetString()!;

    private static int Addresses(JsonElement endpoints) => endpoints.TryGetProperty("subsets", out var subsets)
        ? subsets.EnumerateArray().Sum(s => s.TryGetProperty("addresses", out var addresses) ? addresses.GetArrayLength() : 0)
        : 0;

    private static int Count(JsonElement deployment, string part, string name) =>
        deployment.GetProperty(part).TryGetProperty(name, out var value) ? value.GetInt32() : 0;
}
