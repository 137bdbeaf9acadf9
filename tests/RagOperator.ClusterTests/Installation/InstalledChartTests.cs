using System.Globalization;
using System.Text.Json;
using RagOperator.Api.V1Alpha1;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.Tests.Shared;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Installation;

/// <summary>The operator as users have it: installed from the chart, two replicas in pods, the restricted profile, the chart's memory limit, its own
/// account and rights. Alone, because it watches all namespaces.</summary>
[Collection(AloneCollection.Name)]
public sealed class InstalledChartTests(ITestOutputHelper output)
{
    private const string System = InstalledOperator.Namespace;
    private const long MemoryLimit = 192 << 20;

    [SkippableFact]
    public async Task Rolls_out_through_an_upgrade_and_a_lost_replica_takes_back_and_leaves_everything_when_uninstalled()
    {
        var image = InstalledOperator.Image();
        await using var space = await InstalledOperator.SpaceAsync("in-pod");
        using var given = new GivenCertificate();
        var values = Values(space);
        try
        {
            await space.Bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {System}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}\n");
            await InstallAsync(space, values);
            var pods = await InstalledOperator.ReadyPodsAsync(space, []);
            await InstalledOperator.RefusedAtTheDoorAsync(space);
            await HelmTestAsync(space, values);

            var service = space.Service() with { Flags = new Dictionary<string, bool> { ["debate-mode"] = true }, Metrics = [RagService.ErrorRate], KeepFailedPods = "1s" };
            await space.InstallAsync(service);
            await using var load = space.StartLoad(20);

            // In the middle of a hold the chart is upgraded: other pods of the operator, with a certificate of cert-manager's, and nothing else.
            await space.ApplyAsync(service with { Api = "1.1", Steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1s}"] });
            await space.UntilHoldingAsync("half", 50);
            var before = await RunningAsync(space);
            await given.IssueAsync(space);
            await InstallAsync(space, values + "podEnvironment: {REGION: eu-1}\nwebhook: {certManager: {enabled: true}}\n");
            pods = await InstalledOperator.ReadyPodsAsync(space, pods);
            await given.InjectAsync(space);
            await InstalledOperator.RefusedAtTheDoorAsync(space);
            await space.UntilHoldingAsync("half", 50);
            Assert.Equal(before, await RunningAsync(space));

            await RenewAsync(space, given, pods);
            await AskAsync(space);

            // The one that acts is lost; the other goes on from there.
            var leader = await InstalledOperator.LeaderAsync(space);
            Assert.Contains(leader, pods.Select(InstalledOperator.NameOf));
            (await space.Bed.KubectlAsync("delete", "pod", leader, "-n", System, "--force", "--grace-period=0")).OrThrow();
            var second = service with { Api = "1.1", Steps = ["{name: half, weight: 50, hold: 3s}", "{name: full, weight: 100, hold: 1s}"] };
            await space.ApplyAsync(second);
            var done = await space.UntilAsync(s => s.Phase == "Healthy" && s.Release == 2, TestSpace.Patience, "release 2 is stable");
            Assert.Equal("Promoted", done.History![0].Outcome);
            Assert.NotEqual(leader, await InstalledOperator.LeaderAsync(space));
            await InstalledOperator.RefusedAtTheDoorAsync(space);
            await TakenBackAsync(space, second, done);
            Assert.Equal(0, (await load.StopAsync()).Lost);
            Assert.Contains("Promoted", await space.ReasonsAsync());

            pods = await InstalledOperator.ReadyPodsAsync(space, [.. pods.Where(p => InstalledOperator.NameOf(p) == leader)]);
            await CheckPodsAsync(space, pods, image);
            await UninstallAsync(space, values);
        }
        catch
        {
            await InstalledOperator.TellAsync(space, output);
            throw;
        }
        finally
        {
            await InstalledOperator.RemoveAsync(space);
        }
    }

    private static string Values(TestSpace space)
    {
        const string Placeholder = "http://192.0.2.1:9090";
        var values = File.ReadAllText(HelmChart.Values("bed"));
        Assert.Contains(Placeholder, values, StringComparison.Ordinal);
        return values.Replace(Placeholder, space.Bed.PrometheusUrl.ToString().TrimEnd('/'), StringComparison.Ordinal);
    }

    /// <summary>As `helm install` and `helm upgrade` do: everything but the hooks, and what is for cert-manager, whose kinds are not here.</summary>
    private static async Task InstallAsync(TestSpace space, string values) => (await space.Bed.KubectlWithInputAsync(
        ChartObjects.List(ChartObjects.Render(values).Where(o => !ChartObjects.IsHook(o) && (string?)o["apiVersion"] != "cert-manager.io/v1")), "apply", "--validate=false", "-f", "-")).OrThrow();

    /// <summary>A renewed certificate is served without a restart.</summary>
    private static async Task RenewAsync(TestSpace space, GivenCertificate given, IReadOnlyList<JsonElement> pods)
    {
        var serial = await given.IssueAsync(space);
        foreach (var address in pods.Select(p => p.GetProperty("status").Text("podIP")))
            await space.UntilAsync(async () => await given.ServedAsync(address) == serial, TimeSpan.FromSeconds(90), "the renewed certificate is served");
        await InstalledOperator.RefusedAtTheDoorAsync(space);
        var now = await InstalledOperator.ReadyPodsAsync(space, []);
        Assert.Equal(pods.Select(InstalledOperator.NameOf).Order(StringComparer.Ordinal), now.Select(InstalledOperator.NameOf).Order(StringComparer.Ordinal));
        Assert.All(now, p => Assert.Equal(0, p.GetProperty("status").GetProperty("containerStatuses")[0].GetProperty("restartCount").GetInt32()));
    }

    /// <summary>A release that fails 5% of its requests: the installed operator asks Prometheus, where the chart's values say it is, and takes it back.</summary>
    private static async Task TakenBackAsync(TestSpace space, RagService good, RagDeploymentStatus stable)
    {
        var bad = good with { Api = "1.2-err5", Steps = ["{name: most, weight: 60, hold: 5m}", "{name: full, weight: 100, hold: 1s}"] };
        await space.ApplyAsync(bad);
        var failed = await space.UntilAsync(s => s.Phase == "Degraded" && s.Rollback is not null, TestSpace.Patience, "taken back");
        var mark = space.Bed.Gateway.Mark();
        Assert.Equal(("SlaBreach", "most"), (failed.Rollback!.Cause, failed.Rollback.Step));
        Assert.Equal((stable.StableRevision, null, 0), (failed.StableRevision, failed.CanaryRevision, failed.Weight));
        // All requests go to the good release again.
        var (failing, serving) = (await space.EntryOfAsync(failed.FailedRevision!), await space.EntryOfAsync(stable.StableRevision!));
        Assert.NotEqual(failing, serving);
        await space.UntilAsync(() => Task.FromResult(space.Counts(mark).Share(name => name == space.GatewayService(serving)) > 0), TimeSpan.FromSeconds(10), "requests after the rollback");
        Assert.Equal(0, space.Counts(mark).Share(name => name == space.GatewayService(failing)));

        await space.ApplyAsync(good);
        await space.UntilAsync(s => s.Phase == "Healthy" && s.Release == stable.Release, TestSpace.Patience, "the good release again");
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
