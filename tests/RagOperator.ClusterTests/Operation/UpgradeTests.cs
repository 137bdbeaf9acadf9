using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Operation;

/// <summary>A newer operator, a newer CRD: neither starts a rollout or restarts a pod. Alone, because the CRD is everybody's.</summary>
[Collection(AloneCollection.Name)]
public sealed class UpgradeTests
{
    private const string Crd = "ragdeployments.ragoperator.dev";

    [SkippableFact]
    public async Task Newer_operator_and_newer_CRD_change_nothing_that_runs_healthy_or_in_a_hold()
    {
        await using var healthy = await TestSpace.CreateAsync("upgrade");
        await using var holding = await TestSpace.CreateAsync("upgrade-in-hold");
        var begun = await Task.WhenAll(BeginAsync(healthy, inHold: false), BeginAsync(holding, inHold: true));
        await PatchSchemaAsync(healthy, "add", """, "value": {"type": "boolean"}""");
        try
        {
            await healthy.UntilAsync(async () => (await healthy.Bed.KubectlAsync("patch", "ragd", "assistant", "-n", healthy.Namespace, "--type=merge", "--dry-run=server", "-o", "json", "-p", "{\"spec\":{\"nextYear\":true}}")).Out
                .Contains("nextYear", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the API server keeps the new field");
            await Task.WhenAll(GoOnAsync(healthy, begun[0].Stable, begun[0].Before), GoOnAsync(holding, begun[1].Stable, begun[1].Before));
        }
        finally
        {
            await PatchSchemaAsync(healthy, "remove", "");
        }
    }

    /// <summary>Installs release 1, brings release 2 into a hold where that is wanted, and ends the operator.</summary>
    private static async Task<(string Stable, string Before)> BeginAsync(TestSpace space, bool inHold)
    {
        var service = space.Service() with { Steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1s}"] };
        var installed = await space.InstallAsync(service);
        if (inHold)
        {
            await space.ApplyAsync(service with { Api = "1.2" });
            await space.UntilAsync(static s => s is { Weight: 50, Step.State: "Holding" }, TestSpace.Patience, "the hold at 50%");
        }

        var before = await SnapshotAsync(space);
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        return (installed.StableRevision!, before);
    }

    private static async Task GoOnAsync(TestSpace space, string stable, string before)
    {
        await using var newer = OperatorProcess.Start(space.Operator.Log,
        [
            "--kubeconfig", space.Bed.KubeConfig, "--namespace", space.Namespace, "--http.address", "127.0.0.1", "--http.port", $"{space.Port}",
            "--metricSources.default.url", space.Bed.PrometheusUrl.ToString().TrimEnd('/'), "--podEnvironment.REGION", "eu-1",
        ]);
        await space.UntilAsync(async () => await ReadyAsync(space), TimeSpan.FromSeconds(30), "the newer operator is ready");
        // What it would do wrong it would do with its first looks.
        await space.StaysAsync(async () => await SnapshotAsync(space) == before, TimeSpan.FromSeconds(10));

        // The same edit ends the hold, where there is one: the next release takes the place of the one that was held.
        await space.ApplyAsync(space.Service() with { Api = "1.1" });
        var next = await space.UntilAsync(s => s.Phase == "Healthy" && s.StableRevision != stable, TestSpace.Patience, "the next release is stable");
        var entry = await space.EntryOfAsync(next.StableRevision!);
        var deployment = (await space.ListAsync("deployments")).Single(d => d.GetProperty("metadata").Text("name") == entry);
        Assert.Contains(deployment.GetProperty("spec").GetProperty("template").GetProperty("spec").GetProperty("containers")[0].GetProperty("env").EnumerateArray(),
            v => v.Text("name") == "REGION" && v.TryGetProperty("value", out var value) && value.GetString() == "eu-1");
        // What both releases share was not touched for it.
        Assert.Equal(before.Split('\n').Where(IsEmbedder), (await SnapshotAsync(space)).Split('\n').Where(IsEmbedder));
    }

    private static bool IsEmbedder(string line) => line.Contains("-embedder-", StringComparison.Ordinal);

    /// <summary>A later version's field: of the spec, and of each component. Without a default: this project's schema has none.</summary>
    private static async Task PatchSchemaAsync(TestSpace space, string verb, string value)
    {
        const string Spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        string[] paths = [$"{Spec}/nextYear", $"{Spec}/components/items/properties/nextYear"];
        var patch = string.Join(", ", paths.Select(path => $$"""{"op": "{{verb}}", "path": "{{path}}"{{value}}}"""));
        (await space.Bed.KubectlAsync("patch", "crd", Crd, "--type=json", "-p", $"[{patch}]")).OrThrow();
    }

    private static async Task<bool> ReadyAsync(TestSpace space)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{space.Port}/readyz"));
        return answer.IsSuccessStatusCode;
    }

    private static async Task<string> SnapshotAsync(TestSpace space)
    {
        var lines = new List<string> { $"{(await space.StatusAsync()).Release} {(await space.StatusAsync()).Weight}" };
        foreach (var resource in (string[])["pods", "deployments", "services"])
            lines.AddRange((await space.ListAsync(resource, "ragoperator.dev/name=assistant")).Select(o =>
                $"{o.GetProperty("metadata").Text("name")} {o.GetProperty("metadata").Text("uid")} {Generation(o)}"));
        lines.Add($"{(await space.RouteAsync()).GetProperty("metadata").GetProperty("generation")}");
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static string Generation(JsonElement o) => o.GetProperty("metadata").TryGetProperty("generation", out var generation) ? generation.ToString() : "";
}
