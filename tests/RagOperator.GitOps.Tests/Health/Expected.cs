using System.Text.Json;

namespace RagOperator.GitOps.Tests.Health;

/// <summary>A moment in the life of a RagDeployment, and what each tool has to say of it.</summary>
/// <param name="Name">The capture's name.</param>
/// <param name="Argo">Argo CD's health.</param>
/// <param name="Holding">The same with health-holding.lua.</param>
/// <param name="KStatus">What kstatus computes.</param>
/// <param name="Actions">The actions that make sense.</param>
public sealed record Expected(string Name, string Argo, string Holding, string KStatus, params string[] Actions)
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Every moment that is captured.</summary>
    public static IReadOnlyList<Expected> All { get; } =
    [
        new("applied-first", "Progressing", "Progressing", "InProgress"),
        new("installing", "Progressing", "Progressing", "InProgress", "pause"),
        new("healthy", "Healthy", "Healthy", "Current"),
        // Everything in status still says Healthy here, of the generation before.
        new("applied-again", "Progressing", "Progressing", "InProgress"),
        new("scaling", "Progressing", "Progressing", "InProgress", "abort", "pause", "promote"),
        new("shifting", "Progressing", "Progressing", "InProgress", "abort", "pause", "promote"),
        new("holding", "Progressing", "Healthy", "InProgress", "abort", "pause", "promote"),
        // Its clock stands: not long enough to be called Suspended, but nothing that a later wave may build on.
        new("clock-stands", "Progressing", "Progressing", "InProgress", "abort", "pause", "promote"),
        new("no-data", "Suspended", "Suspended", "InProgress", "abort", "pause", "promote"),
        new("waiting-for-approval", "Suspended", "Suspended", "InProgress", "abort", "approve", "pause", "promote"),
        new("paused", "Suspended", "Suspended", "InProgress", "abort", "approve", "promote", "resume"),
        new("promoted", "Healthy", "Healthy", "Current"),
        new("capacity", "Suspended", "Suspended", "InProgress", "abort", "pause", "promote"),
        new("rolling-back", "Progressing", "Progressing", "InProgress"),
        new("rolled-back", "Degraded", "Degraded", "Failed", "retry"),
        new("invalid-spec", "Degraded", "Degraded", "Failed"),
        // A deletion is a new generation, which nobody observes any more. Argo CD itself says Progressing then, before it asks any script.
        new("deleting", "Progressing", "Progressing", "Terminating"),
    ];

    /// <summary>The moment of a name.</summary>
    public static Expected Of(string name) => All.Single(e => e.Name == name);

    /// <summary>Holds an object against what is expected of it.</summary>
    public async Task CheckAsync(JsonElement item, string repository)
    {
        var (argo, holding) = (await HealthAsync(item, repository, "health"), await HealthAsync(item, repository, "health-holding"));
        var offered = await ActionsAsync(item, repository);
        Assert.True(
            (argo, holding, Health.KStatus.Of(item)) == (Argo, Holding, KStatus) && offered.SequenceEqual(Actions),
            $"{Name}: Argo CD {argo}, holding {holding}, kstatus {Health.KStatus.Of(item)}, actions {string.Join(' ', offered)}\nexpected {Argo}, {Holding}, {KStatus}, {string.Join(' ', Actions)}\n{item}");
    }

    /// <summary>The file that holds the captured object.</summary>
    public static string FileOf(string repository, string name) => Path.Combine(repository, "tests/RagOperator.GitOps.Tests/Statuses", $"{name}.json");

    /// <summary>An object as it is kept: without managedFields, which kubectl hides too.</summary>
    public static string Kept(JsonElement item)
    {
        var node = System.Text.Json.Nodes.JsonNode.Parse(item.GetRawText())!;
        node["metadata"]!.AsObject().Remove("managedFields");
        return node.ToJsonString(s_indented) + "\n";
    }

    /// <summary>A script of the chart.</summary>
    public static string Script(string repository, string name) => File.ReadAllText(Path.Combine(repository, "charts/rag-operator/files/argocd", $"{name}.lua"));

    private static async Task<string> HealthAsync(JsonElement item, string repository, string script)
    {
        var answer = await LuaHost.RunInAllAsync(Script(repository, script), item);
        Assert.False(string.IsNullOrEmpty(answer.GetProperty("message").GetString()), $"{script} says nothing about {item}");
        return answer.GetProperty("status").GetString()!;
    }

    private static async Task<IReadOnlyList<string>> ActionsAsync(JsonElement item, string repository) =>
        [.. (await LuaHost.RunInAllAsync(Script(repository, "actions/discovery"), item)).EnumerateObject()
            .Where(static a => !a.Value.GetProperty("disabled").GetBoolean()).Select(static a => a.Name).Order(StringComparer.Ordinal)];
}
