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

    [SkippableTheory]
    [InlineData("upgrade", false)]
    [InlineData("upgrade-in-hold", true)]
    public async Task Newer_operator_and_newer_CRD_change_nothing_that_runs(string name, bool inHold)
    {
        await using var space = await TestSpace.CreateAsync(name);
        var service = space.Service() with { Steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1s}"] };
        var installed = await space.InstallAsync(service);
        if (inHold)
        {
            await space.ApplyAsync(service with { Api = "1.2" });
            await space.UntilAsync(static s => s is { Weight: 50, Step.State: "Holding" }, TestSpace.Patience, "the hold at 50%");
        }

        var before = await SnapshotAsync(space);
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));

        await PatchSchemaAsync(space, "add", """, "value": {"type": "boolean"}""");
        try
        {
            await space.UntilAsync(async () => (await space.Bed.KubectlAsync("patch", "ragd", "assistant", "-n", space.Namespace, "--type=merge", "--dry-run=server", "-o", "json", "-p", "{\"spec\":{\"nextYear\":true}}")).Out
                .Contains("nextYear", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the API server keeps the new field");
            await using var newer = OperatorProcess.Start(space.Operator.Log,
            [
                "--kubeconfig", space.Bed.KubeConfig, "--namespace", space.Namespace, "--http.address", "127.0.0.1", "--http.port", $"{space.Port}",
                "--metricSources.default.url", space.Bed.PrometheusUrl.ToString().TrimEnd('/'), "--podEnvironment.REGION", "eu-1",
            ]);
            await space.UntilAsync(async () => (await ReadyAsync(space)), TimeSpan.FromSeconds(30), "the newer operator is ready");
            // What it would do wrong it would do with its first looks.
            await space.StaysAsync(async () => await SnapshotAsync(space) == before, TimeSpan.FromSeconds(10));

            // The same edit ends the hold, where there is one: the next release takes the place of the one that was held.
            await space.ApplyAsync(space.Service() with { Api = "1.1" });
            var next = await space.UntilAsync(s => s.Phase == "Healthy" && s.StableRevision != installed.StableRevision, TestSpace.Patience, "the next release is stable");
            var entry = (await space.ListAsync("deployments")).Single(d => d.GetProperty("metadata").Text("name") == space.EntryOfAsync(next.StableRevision!).Result);
            Assert.Contains(entry.GetProperty("spec").GetProperty("template").GetProperty("spec").GetProperty("containers")[0].GetProperty("env").EnumerateArray(),
                v => v.Text("name") == "REGION" && v.TryGetProperty("value", out var value) && value.GetString() == "eu-1");
            // What both releases share was not touched for it.
            Assert.Equal(before.Split('\n').Where(l => l.Contains("-embedder-", StringComparison.Ordinal)), (await SnapshotAsync(space)).Split('\n').Where(l => l.Contains("-embedder-", StringComparison.Ordinal)));
        }
        finally
        {
            await PatchSchemaAsync(space, "remove", "");
        }
    }

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
