using System.Globalization;
using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;
using RagOperator.Tests.Shared;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Installation;

/// <summary>The operator as users have it: installed from the chart, two replicas in pods, the restricted profile, the chart's memory limit, its own
/// account and rights. Alone, because it watches all namespaces.</summary>
[Collection(AloneCollection.Name)]
public sealed class InstalledChartTests(ITestOutputHelper output)
{
    private const string System = ChartObjects.Namespace;
    private const long MemoryLimit = 192 << 20;

    [SkippableFact]
    public async Task Rolls_out_through_an_upgrade_and_a_lost_replica_and_leaves_everything_when_uninstalled()
    {
        Skip.IfNot(ClusterBed.HasPods, "needs a cluster with real pods: tests/run.sh cluster");
        var image = new FileInfo(Path.Combine(ClusterBed.Repository, "artifacts/images/rag-operator.tar"));
        Skip.IfNot(image.Exists, "needs the operator's image: tests/TestBed/images.sh");
        await using var space = await TestSpace.CreateAsync("in-pod");
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        var values = Values(space);
        try
        {
            await space.Bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {System}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}\n");
            await InstallAsync(space, values);
            var pods = await ReadyPodsAsync(space, []);
            await RefusedAtTheDoorAsync(space);
            await HelmTestAsync(space, values);

            var service = space.Service() with { Flags = new Dictionary<string, bool> { ["debate-mode"] = true }, Metrics = [RagService.ErrorRate] };
            await space.InstallAsync(service);
            await using var load = space.StartLoad(20);

            // In the middle of a hold the chart is upgraded: other pods of the operator, nothing else.
            await space.ApplyAsync(service with { Api = "1.1", Steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1s}"] });
            await space.UntilHoldingAsync("half", 50);
            var before = await RunningAsync(space);
            await InstallAsync(space, values + "podEnvironment: {REGION: eu-1}\n");
            pods = await ReadyPodsAsync(space, pods);
            await space.UntilHoldingAsync("half", 50);
            Assert.Equal(before, await RunningAsync(space));

            await AskAsync(space);

            // The one that acts is lost; the other goes on from there.
            var leader = await LeaderAsync(space);
            Assert.Contains(leader, pods.Select(p => p.GetProperty("metadata").Text("name")));
            (await space.Bed.KubectlAsync("delete", "pod", leader, "-n", System, "--force", "--grace-period=0")).OrThrow();
            await space.ApplyAsync(service with { Api = "1.1", Steps = ["{name: half, weight: 50, hold: 3s}", "{name: full, weight: 100, hold: 1s}"] });
            var done = await space.UntilAsync(s => s.Phase == "Healthy" && s.Release == 2, TestSpace.Patience, "release 2 is stable");
            Assert.Equal("Promoted", done.History![0].Outcome);
            Assert.NotEqual(leader, await LeaderAsync(space));
            await RefusedAtTheDoorAsync(space);
            Assert.Equal(0, (await load.StopAsync()).Lost);
            Assert.Contains("Promoted", await space.ReasonsAsync());

            pods = await ReadyPodsAsync(space, [.. pods.Where(p => p.GetProperty("metadata").Text("name") == leader)]);
            await CheckPodsAsync(space, pods, image);
            await UninstallAsync(space, values);
        }
        catch (TimeoutException)
        {
            output.WriteLine((await space.Bed.KubectlAsync("logs", "-n", System, "-l", "app.kubernetes.io/name=rag-operator", "--tail=60")).Out);
            output.WriteLine((await space.Bed.KubectlAsync("describe", "pods", "-n", System)).Out);
            throw;
        }
        finally
        {
            await space.Bed.KubectlAsync("delete", "namespace", System, "--wait=false");
            await space.Bed.KubectlAsync("delete", "clusterrole,clusterrolebinding,validatingwebhookconfiguration,mutatingwebhookconfiguration", "-l", "app.kubernetes.io/instance=rag-operator");
        }
    }

    private static string Values(TestSpace space)
    {
        const string Placeholder = "http://192.0.2.1:9090";
        var values = File.ReadAllText(HelmChart.Values("bed"));
        Assert.Contains(Placeholder, values, StringComparison.Ordinal);
        return values.Replace(Placeholder, space.Bed.PrometheusUrl.ToString().TrimEnd('/'), StringComparison.Ordinal);
    }

    /// <summary>As `helm install` and `helm upgrade` do: everything but the hooks.</summary>
    private static async Task InstallAsync(TestSpace space, string values) => (await space.Bed.KubectlWithInputAsync(
        ChartObjects.List(ChartObjects.Render(values).Where(o => !ChartObjects.IsHook(o))), "apply", "--validate=false", "-f", "-")).OrThrow();

    /// <summary>The API server reaches the webhook through its Service, and trusts the certificate that the operator made for it.</summary>
    private static Task RefusedAtTheDoorAsync(TestSpace space)
    {
        const string Needs = "[embedder, reranker]";
        var bad = (space.Service() with { Name = "bad" }).ToYaml();
        Assert.Contains(Needs, bad, StringComparison.Ordinal);
        bad = bad.Replace(Needs, "[nobody]", StringComparison.Ordinal);
        return space.Bed.WaitUntilAsync(async () =>
        {
            var answer = await space.Bed.KubectlWithInputAsync(bad, "apply", "--dry-run=server", "--validate=false", "-f", "-");
            return (!answer.Ok && answer.Error.Contains("spec.components[2].dependsOn[0]", StringComparison.Ordinal), answer.Out + answer.Error);
        }, TimeSpan.FromSeconds(90), "the webhook refuses a bad object and names its field");
    }

    /// <summary>Who asks is asked for: the operator may ask the API server about users, and tells who it was.</summary>
    private static async Task AskAsync(TestSpace space)
    {
        await space.Bed.ApplyAsync($$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: editor, namespace: {{space.Namespace}}}
            rules: [{apiGroups: [ragoperator.dev], resources: [ragdeployments], verbs: [get, patch]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: editor, namespace: {{space.Namespace}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: editor}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: jane}]
            """);
        string[] pause = ["annotate", "ragd", "assistant", "-n", space.Namespace, "ragoperator.dev/request=pause/current"];
        var refused = await space.Bed.KubectlAsync([.. pause, "--as=jane"]);
        Assert.False(refused.Ok);
        Assert.Contains("user \"jane\" may not pause it", refused.Error, StringComparison.Ordinal);
        (await space.Bed.KubectlAsync(pause)).OrThrow();
        var paused = await space.UntilAsync(static s => s is { Paused: not null, LastRequest.Removed: true }, TestSpace.Patience, "paused by request");
        Assert.NotEmpty(paused.LastRequest!.By!);
        (await space.Bed.KubectlAsync("annotate", "ragd", "assistant", "-n", space.Namespace, "ragoperator.dev/request=resume/current")).OrThrow();
        await space.UntilAsync(static s => s is { Paused: null, LastRequest.Removed: true }, TestSpace.Patience, "resumed by request");
    }

    /// <summary>What the pod of `helm test` does, under its account; the pod itself needs an image that is not here.</summary>
    private static async Task HelmTestAsync(TestSpace space, string values)
    {
        var hooks = ChartObjects.Render(values).Where(ChartObjects.IsHook).ToList();
        (await space.Bed.KubectlWithInputAsync(ChartObjects.List(hooks.Where(o => !ChartObjects.Is(o, "Pod"))), "apply", "-f", "-")).OrThrow();
        var sample = (string)hooks.Single(o => ChartObjects.Is(o, "ConfigMap"))["data"]!["sample.yaml"]!;
        var arguments = hooks.Single(o => ChartObjects.Is(o, "Pod"))["spec"]!["containers"]![0]!["args"]!.AsArray().Select(a => (string)a!).Where(a => !a.StartsWith("--cache-dir", StringComparison.Ordinal));
        var account = $"--as=system:serviceaccount:{System}:rag-operator-test";
        (await space.Bed.KubectlWithInputAsync(sample, [.. arguments.Select(a => a == "/sample/sample.yaml" ? "-" : a), account])).OrThrow();
        Assert.Null(await space.Bed.GetAsync("ragdeployment", "helm-test", System));
        // It may do that and no more.
        Assert.False((await space.Bed.KubectlAsync("get", "secrets", "-n", System, account)).Ok);
    }

    /// <summary>Two ready pods, none of them among the earlier ones, and nobody else.</summary>
    private static async Task<IReadOnlyList<JsonElement>> ReadyPodsAsync(TestSpace space, IReadOnlyList<JsonElement> gone)
    {
        var names = gone.Select(p => p.GetProperty("metadata").Text("name")).ToHashSet(StringComparer.Ordinal);
        List<JsonElement> pods = [];
        await space.UntilAsync(async () =>
        {
            var list = (await space.Api.GetAsync($"/api/v1/namespaces/{System}/pods?labelSelector=app.kubernetes.io/name=rag-operator"))!.Value;
            pods = [.. list.GetProperty("items").EnumerateArray()];
            return pods.Count == 2 && pods.TrueForAll(p => !names.Contains(p.GetProperty("metadata").Text("name")) && IsReady(p));
        }, TestSpace.Patience, "two pods of the operator are ready");
        return pods;
    }

    private static bool IsReady(JsonElement pod) => !pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _)
        && pod.GetProperty("status").TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");

    /// <summary>The pod that holds the Lease.</summary>
    private static async Task<string> LeaderAsync(TestSpace space)
    {
        var holder = "";
        await space.UntilAsync(async () =>
        {
            var lease = await space.Api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{System}/leases/rag-operator");
            holder = lease!.Value.Text("spec", "holderIdentity");
            return holder.Length > 0;
        }, TimeSpan.FromSeconds(30), "somebody leads");
        var pods = (await space.Api.GetAsync($"/api/v1/namespaces/{System}/pods"))!.Value.GetProperty("items").EnumerateArray().Select(p => p.GetProperty("metadata").Text("name"));
        return pods.FirstOrDefault(name => holder.StartsWith(name, StringComparison.Ordinal)) ?? holder;
    }

    /// <summary>What must not notice: the service's pods, and the weights of its route.</summary>
    private static async Task<string> RunningAsync(TestSpace space)
    {
        var pods = (await space.ListAsync("pods")).Select(p => $"{p.GetProperty("metadata").Text("uid")} {p.GetProperty("status").GetProperty("containerStatuses")[0].GetProperty("restartCount")}");
        var weights = (await space.WeightsAsync()).Select(w => $"{w.Key} {w.Value}");
        return string.Join('\n', pods.Concat(weights).Order(StringComparer.Ordinal));
    }

    /// <summary>Within the limit, never restarted, never refused anything.</summary>
    private async Task CheckPodsAsync(TestSpace space, IReadOnlyList<JsonElement> pods, FileInfo image)
    {
        using var http = new HttpClient();
        foreach (var pod in pods)
        {
            Assert.Equal(0, pod.GetProperty("status").GetProperty("containerStatuses")[0].GetProperty("restartCount").GetInt32());
            Assert.Equal("192Mi", pod.GetProperty("spec").GetProperty("containers")[0].GetProperty("resources").Text("limits", "memory"));
            var lines = (await http.GetStringAsync(new Uri($"http://{pod.GetProperty("status").Text("podIP")}:8080/metrics"))).Split('\n');
            var memory = (long)double.Parse(lines.Single(l => l.StartsWith("process_resident_memory_bytes ", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);
            Assert.InRange(memory, 1, MemoryLimit);
            Assert.DoesNotContain(lines, l => l.StartsWith("ragoperator_api_requests_total", StringComparison.Ordinal) && l.Contains("code=\"403\"", StringComparison.Ordinal));
            var started = pod.GetProperty("status").GetProperty("containerStatuses")[0].GetProperty("state").GetProperty("running").GetProperty("startedAt").GetDateTimeOffset();
            var ready = pod.GetProperty("status").GetProperty("conditions").EnumerateArray().Single(c => c.Text("type") == "Ready").GetProperty("lastTransitionTime").GetDateTimeOffset();
            output.WriteLine($"{pod.GetProperty("metadata").Text("name")}: image {image.Length / 1048576.0:0.0} MiB, ready {(ready - started).TotalSeconds:0} s after its start, {memory / 1048576.0:0.0} MiB resident");
        }
    }

    /// <summary>As `helm uninstall` does with crds.keep: all but the CRD goes, and the service serves on.</summary>
    private static async Task UninstallAsync(TestSpace space, string values)
    {
        // What the last rollout left behind is on its way out for a while.
        await space.UntilAsync(s => s.Phase == "Healthy" && s.Retiring is null, TestSpace.Patience, "the old release is retired");
        await space.UntilAsync(async () => (await space.ListAsync("pods")).Count == 3, TestSpace.Patience, "the old release's pods are gone");
        var before = await RunningAsync(space);
        var objects = ChartObjects.Render(values).Where(o => !ChartObjects.IsHook(o) && (string?)o["metadata"]!["annotations"]?["helm.sh/resource-policy"] != "keep").ToList();
        Assert.DoesNotContain(objects, o => ChartObjects.Is(o, "CustomResourceDefinition"));
        (await space.Bed.KubectlWithInputAsync(ChartObjects.List(objects), "delete", "--wait=true", "-f", "-")).OrThrow();
        await space.StaysAsync(async () => await RunningAsync(space) == before && (await space.AskAsync()).Status == 200, TimeSpan.FromSeconds(5));
        Assert.Equal(2, (await space.StatusAsync()).Release);
    }
}
