using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Lifecycle;

/// <summary>Deleting finishes in every phase, and leaves nothing.</summary>
public sealed class DeletionTests
{
    private static readonly string[] s_kinds = ["deployments", "services", "configmaps", "controllerrevisions", "pods"];

    [SkippableTheory]
    [InlineData("installing")]
    [InlineData("midway")]
    [InlineData("held")]
    [InlineData("gateway-silent")]
    public async Task Deleting_finishes_and_all_children_go(string phase)
    {
        await using var space = await TestSpace.CreateAsync($"deleting-{phase}");
        await BringToAsync(space, phase);
        Assert.NotEmpty(await space.ListAsync("deployments", "ragoperator.dev/name=assistant"));

        (await space.Bed.KubectlAsync("delete", "ragd", "assistant", "-n", space.Namespace, "--cascade=foreground", "--timeout=150s")).OrThrow();

        await space.UntilAsync(async () =>
        {
            foreach (var kind in s_kinds)
                if ((await space.ListAsync(kind, "ragoperator.dev/name=assistant")).Count > 0)
                    return false;
            return await space.Api.GetAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{space.Namespace}/httproutes/assistant") is null;
        }, TimeSpan.FromSeconds(60), "all children are gone");
        var writes = space.Writes();
        var asked = writes.First(w => w is { Resource: "ragdeployments", Verb: "delete" }).At;
        var late = writes.Where(w => w.At > asked.AddSeconds(1) && w.UserAgent.StartsWith("rag-operator", StringComparison.Ordinal) && w.Resource != "events").ToList();
        Assert.True(late.Count == 0, string.Join('\n', late.Select(w => $"{w.At:O} {w.Verb} {w.Resource} {w.Name}")));
        Assert.NotNull(space.Operator.Pid);
    }

    private static async Task BringToAsync(TestSpace space, string phase)
    {
        var service = space.Service();
        string[] steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1h}"];
        switch (phase)
        {
            case "installing":
                await space.ApplyAsync(service with { Api = "1.2-unready" });
                // Not earlier: a kubelet that still waits for the files of a pod waits two minutes for a ConfigMap that went before it.
                await space.UntilAsync(async () => (await space.ListAsync("pods", "ragoperator.dev/component=api")).Any(IsRunning), TestSpace.Patience, "its api is on its way");
                break;
            case "midway":
                await space.BringToAsync(service, service with { Api = "1.1", Steps = steps }, "half");
                break;
            case "held":
                await space.BringToAsync(service, service with { Api = "1.1", Steps = steps }, "half");
                await space.RequestAsync("abort/current");
                await space.UntilAsync(s => s.Phase == "Degraded" && s.FailedRevision is not null, TestSpace.Patience, "held after an abort");
                break;
            default:
                await space.Bed.ApplyAsync(service.ToYaml().Replace("{name: public, namespace: gateways}", "{name: nobody, namespace: gateways}", StringComparison.Ordinal));
                var status = await space.UntilAsync(s => s.ConditionOf("Ready").Reason == "RouteNotVerified", TestSpace.Patience, "waits for a gateway that never answers");
                Assert.Contains("waiting for the gateway", status.Message, StringComparison.Ordinal);
                break;
        }
    }

    private static bool IsRunning(JsonElement pod) =>
        pod.GetProperty("status").TryGetProperty("containerStatuses", out var containers) && containers.EnumerateArray().Any(static c => c.GetProperty("state").TryGetProperty("running", out _));
}
