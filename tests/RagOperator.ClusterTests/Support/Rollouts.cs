using System.Text.Json;
using RagOperator.Api.V1Alpha1;
using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests.Support;

/// <summary>What tests of a rollout's middle have in common.</summary>
internal static class Rollouts
{
    /// <summary>Long enough that nobody reaches a step's end by chance.</summary>
    public const string Long = "1h";

    /// <summary>Installs a service and brings its next release to the step named, held there.</summary>
    public static async Task<RagDeploymentStatus> BringToAsync(this TestSpace space, RagService first, RagService next, string step)
    {
        await space.InstallAsync(first);
        await space.ApplyAsync(next);
        return await space.UntilHoldingAsync(step);
    }

    public static Task<RagDeploymentStatus> UntilHoldingAsync(this TestSpace space, string step, int? weight = null) =>
        space.UntilAsync(s => s.Step?.Name == step && s.Step.State == "Holding" && (weight is null || s.Weight == weight), TestSpace.Patience, $"holding in step {step}");

    /// <summary>The weight on the route of the release's entry.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> WeightsAsync(this TestSpace space)
    {
        var route = await space.RouteAsync();
        return route.GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs").EnumerateArray()
            .ToDictionary(b => b.GetProperty("name").GetString()!, b => b.GetProperty("weight").GetInt32(), StringComparer.Ordinal);
    }

    /// <summary>Name of the entry's Service of a release: component api.</summary>
    public static async Task<string> EntryOfAsync(this TestSpace space, string hash)
    {
        var records = await space.ListAsync("controllerrevisions");
        var record = records.Single(r => r.GetProperty("metadata").GetProperty("name").GetString()!.EndsWith(hash, StringComparison.Ordinal));
        var api = record.GetProperty("data").Text("components").Split(", ").Single(c => c.StartsWith("api ", StringComparison.Ordinal));
        return $"assistant-{api.Replace(' ', '-')}";
    }

    /// <summary>Deployments by name with the number of pods that each asks for.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> SizesAsync(this TestSpace space) =>
        (await space.ListAsync("deployments")).ToDictionary(
            d => d.GetProperty("metadata").GetProperty("name").GetString()!, d => d.GetProperty("spec").GetProperty("replicas").GetInt32(), StringComparer.Ordinal);

    /// <summary>Uids of the pods of a Deployment that are not about to end.</summary>
    public static async Task<IReadOnlyList<string>> PodsOfAsync(this TestSpace space, string deployment) =>
        await space.PodsAsync(deployment.Split('-')[^2], deployment.Split('-')[^1]);

    public static async Task<IReadOnlyList<string>> ReasonsAsync(this TestSpace space) => [.. (await space.EventsAsync()).Select(e => e.Reason)];

    /// <summary>Empties the status by hand, as a restore from a backup does.</summary>
    public static async Task WipeStatusAsync(this TestSpace space, string name = "assistant")
    {
        var path = $"/apis/ragoperator.dev/v1alpha1/namespaces/{space.Namespace}/ragdeployments/{name}";
        await space.UntilAsync(async () =>
        {
            var node = System.Text.Json.Nodes.JsonNode.Parse((await space.Api.GetAsync(path))!.Value.GetRawText())!;
            node["status"] = new System.Text.Json.Nodes.JsonObject();
            return (await space.Bed.KubectlWithInputAsync(node.ToJsonString(), "replace", "--raw", $"{path}/status", "-f", "-")).Ok;
        }, TimeSpan.FromSeconds(10), "status wiped");
    }

    /// <summary>The condition of a type.</summary>
    public static (string Status, string Reason, string Message) ConditionOf(this RagDeploymentStatus status, string type) =>
        status.Conditions?.Find(c => c.Type == type) is { } found ? (found.Status, found.Reason, found.Message) : ("absent", "", "");

    public static string Text(this JsonElement element, params string[] path) => path.Aggregate(element, (e, name) => e.GetProperty(name)).GetString()!;
}
