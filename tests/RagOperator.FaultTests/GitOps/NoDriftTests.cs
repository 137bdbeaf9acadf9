using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.GitOps.Tests.Health;
using RagOperator.TestBed;

namespace RagOperator.FaultTests.GitOps;

/// <summary>A GitOps tool applies the same manifest again and again, at every phase: it finds nothing to change and changes nothing.</summary>
public sealed class NoDriftTests
{
    private static readonly string[] s_argo = ["--server-side", "--force-conflicts", "--field-manager=argocd-controller"];
    private static readonly ServiceSpec s_first = new() { Flag = false };
    private static readonly ServiceSpec s_next = s_first with { Flag = true, Api = "2", HoldOf = static step => step == 0 ? "1h" : "1s", ApprovalAt = "half" };

    [SkippableFact]
    public Task Apply_of_the_same_manifest_changes_nothing_in_any_phase() => Lab.InSlotAsync(PlayAsync);

    private static async Task PlayAsync()
    {
        var bed = await FaultBed.SharedAsync();
        using var cluster = ClusterBed.FromEnvironment();
        await using var world = await FaultWorld.CreateAsync(bed, "drift", []);
        ServiceSpec? applied = null;
        await ApplyAsync(s_first, "created");
        await world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false }, "installed");
        await CheckAsync(s_first, "installed");

        await ApplyAsync(s_next, "configured");
        await world.UntilAsync(static s => s is { StepName: "few", StepState: "Holding", Verdict: "Pass" }, "a step holds");
        await CheckAsync(s_next, "holding");

        var waiting = s_next with { HoldOf = null };
        await ApplyAsync(waiting, "configured");
        await world.UntilAsync(static s => s is { StepName: "half", StepState: "Waiting" }, "an approval is waited for");
        await CheckAsync(waiting, "waiting for approval");
        await ActAsync("approve");
        await world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false }, "approved and promoted");
        await CheckAsync(waiting, "promoted");

        var bad = waiting with { Api = "3", HoldOf = s_next.HoldOf };
        await ApplyAsync(bad, "configured");
        await world.UntilAsync(static s => s is { StepName: "few", StepState: "Holding" }, "another release has weight");
        await ActAsync("abort");
        await world.UntilAsync(static s => s is { Phase: "Degraded", IsRetiring: false }, "taken back");
        await CheckAsync(bad, "rolled back");

        // What an Argo CD action does: the script's answer, sent as a patch.
        async Task ActAsync(string action)
        {
            var item = (await world.ObjectAsync())!.Value;
            var changed = await LuaHost.RunInAllAsync(Expected.Script(ClusterBed.Repository, $"actions/{action}"), item);
            // A request that is still to be handled is no drift either.
            world.Operator.Pause();
            await world.QuietAsync(TimeSpan.FromSeconds(1));
            await world.RequestAsync(changed.GetProperty("metadata").GetProperty("annotations").GetProperty("ragoperator.dev/request").GetString()!);
            await DiffersNotAsync(applied!, $"asked to {action}");
            await DiffersNotAsync(applied!, $"asked to {action}", s_argo);
            world.Operator.Resume();
            await world.UntilAsync(s => s.LastRequestOutcome == "Accepted" && s.Object!.Value.GetProperty("status").GetProperty("lastRequest").GetProperty("request").GetString()!.StartsWith(action, StringComparison.Ordinal), $"{action} is accepted");
        }

        async Task ApplyAsync(ServiceSpec spec, string outcome)
        {
            applied = spec;
            var result = await cluster.KubectlWithInputAsync(spec.ToJson(), "apply", "-n", world.Namespace, "-f", "-");
            Assert.EndsWith(outcome, result.OrThrow().Out.TrimEnd(), StringComparison.Ordinal);
        }

        async Task CheckAsync(ServiceSpec spec, string when)
        {
            // kubectl reads the object and asks for a dry run after that: a status written in between would be shown as a difference.
            world.Operator.Pause();
            await world.QuietAsync(TimeSpan.FromSeconds(1));
            await DiffersNotAsync(spec, when);
            // Its first apply makes Argo CD a manager of the fields; from then on there is nothing left to do. By the API itself: newer kubectls
            // take their own annotation off an object when they apply it server-side.
            await ArgoAsync(spec);
            await DiffersNotAsync(spec, when, s_argo);
            world.Operator.Resume();
            var before = (await world.ObjectAsync())!.Value;
            await ApplyAsync(spec, "unchanged");
            await ArgoAsync(spec);
            await ApplyAsync(spec, "unchanged");
            var after = (await world.ObjectAsync())!.Value;
            Assert.True(JsonNode.DeepEquals(Wanted(before), Wanted(after)), $"{when}: {Wanted(before)}\nbecame\n{Wanted(after)}");
            // Written again only if the operator itself had something to say meanwhile.
            if (JsonElement.DeepEquals(before.GetProperty("status"), after.GetProperty("status")))
                Assert.Equal(before.GetProperty("metadata").GetProperty("resourceVersion").GetString(), after.GetProperty("metadata").GetProperty("resourceVersion").GetString());
        }

        Task ArgoAsync(ServiceSpec spec) =>
            world.Api.ApplyAsync($"/apis/ragoperator.dev/v1alpha1/namespaces/{world.Namespace}/ragdeployments/assistant", spec.ToJson(), "argocd-controller");

        async Task DiffersNotAsync(ServiceSpec spec, string when, params string[] more)
        {
            var diff = await cluster.KubectlWithInputAsync(spec.ToJson(), ["diff", "-n", world.Namespace, "-f", "-", .. more]);
            Assert.True(diff.Ok && diff.Out.Length == 0, $"{when}: kubectl diff {string.Join(' ', more)} says {diff.Out}{diff.Error}");
        }
    }

    [SkippableFact]
    public async Task Argo_CDs_own_ConfigMap_keeps_its_other_keys_when_ours_are_patched_in()
    {
        await FaultBed.SharedAsync();
        using var cluster = ClusterBed.FromEnvironment();
        await cluster.ApplyAsync("""
            {"apiVersion": "v1", "kind": "List", "items": [
              {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}},
              {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}}, "data": {"url": "https://argocd.example.com"}}]}
            """);
        // As docs/argocd.md says it.
        var command = File.ReadLines(Path.Combine(ClusterBed.Repository, "docs/argocd.md")).Single(static l => l.StartsWith("kubectl patch ", StringComparison.Ordinal));
        (await cluster.KubectlAsync(command.Replace(" config/", $" {ClusterBed.Repository}/config/", StringComparison.Ordinal).Split(' ')[1..])).OrThrow();
        var map = (await cluster.GetAsync("configmap", "argocd-cm", "argocd"))!.Value;
        Assert.Equal("argocd", map.GetProperty("metadata").GetProperty("labels").GetProperty("app.kubernetes.io/part-of").GetString());
        Assert.Equal("https://argocd.example.com", map.GetProperty("data").GetProperty("url").GetString());
        Assert.Equal(
            Expected.Script(ClusterBed.Repository, "health"), map.GetProperty("data").GetProperty("resource.customizations.health.ragoperator.dev_RagDeployment").GetString());
    }

    /// <summary>All but what the operator writes: status, and the managed fields that are status' own.</summary>
    private static JsonNode Wanted(JsonElement item)
    {
        var node = JsonNode.Parse(item.GetRawText())!.AsObject();
        node.Remove("status");
        var metadata = node["metadata"]!.AsObject();
        metadata.Remove("resourceVersion");
        var managers = metadata["managedFields"]!.AsArray();
        // Who has a say in spec is whoever applied it, and never the operator.
        Assert.All(managers.Where(static m => m!["fieldsV1"]!["f:spec"] is not null), static m => Assert.Contains(m!["manager"]!.GetValue<string>(), (string[])["argocd-controller", "kubectl-client-side-apply"]));
        metadata["managedFields"] = new JsonArray([.. managers.Where(static m => m!["fieldsV1"]!["f:status"] is null).Select(static m => m!.DeepClone())]);
        return node;
    }
}
