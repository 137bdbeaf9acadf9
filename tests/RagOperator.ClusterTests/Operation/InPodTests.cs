using System.Globalization;
using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Operation;

/// <summary>The operator as it is deployed: config/operator.yaml, its least rights, its restricted security context, in-cluster configuration.</summary>
public sealed class InPodTests(ITestOutputHelper output)
{
    private const string System = "rag-operator-system";

    [SkippableFact]
    public async Task Operator_in_a_pod_installs_and_rolls_out()
    {
        Skip.IfNot(ClusterBed.HasPods, "needs a cluster with real pods: tests/run.sh cluster");
        var image = new FileInfo(Path.Combine(ClusterBed.Repository, "artifacts/images/rag-operator.tar"));
        Skip.IfNot(image.Exists, "needs the operator's image: tests/TestBed/images.sh");
        await using var space = await TestSpace.CreateAsync("in-pod");
        // This namespace belongs to the pod alone, and the pod to this namespace.
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        var manifest = await File.ReadAllTextAsync(Path.Combine(ClusterBed.Repository, "config/operator.yaml"));
        const string Source = "url: http://prometheus.monitoring:9090";
        Assert.Contains(Source, manifest, StringComparison.Ordinal);
        await space.Bed.ApplyAsync(manifest.Replace(Source, $"url: {space.Bed.PrometheusUrl.ToString().TrimEnd('/')}\n    watchNamespace: {space.Namespace}\n    leaderElection: {{name: rag-operator}}", StringComparison.Ordinal));
        try
        {
            var pod = await ReadyPodAsync(space);
            var started = pod.GetProperty("status").GetProperty("containerStatuses")[0].GetProperty("state").GetProperty("running").GetProperty("startedAt").GetDateTimeOffset();
            var ready = pod.GetProperty("status").GetProperty("conditions").EnumerateArray().Single(c => c.Text("type") == "Ready").GetProperty("lastTransitionTime").GetDateTimeOffset();

            await using var load = await InstallAsync(space);
            await space.ApplyAsync(space.Service() with { Api = "1.1", Metrics = [RagService.ErrorRate] });
            var done = await space.UntilAsync(s => s.Phase == "Healthy" && s.Release == 2, TestSpace.Patience, "release 2 is stable");
            Assert.Equal("Promoted", done.History![0].Outcome);
            Assert.Equal(0, (await load.StopAsync()).Lost);
            Assert.Contains("Promoted", await space.ReasonsAsync());

            var memory = await MemoryAsync(pod.GetProperty("status").Text("podIP"));
            output.WriteLine($"image {image.Length / 1048576.0:0.0} MiB, ready {(ready - started).TotalSeconds:0} s after its start, {memory / 1048576.0:0.0} MiB resident after a rollout");
            Assert.InRange(memory, 1, 192 << 20);
            var now = (await ReadyPodAsync(space)).GetProperty("status").GetProperty("containerStatuses")[0];
            Assert.Equal(0, now.GetProperty("restartCount").GetInt32());
        }
        catch (TimeoutException)
        {
            output.WriteLine((await space.Bed.KubectlAsync("logs", "-n", System, "deployment/rag-operator", "--tail=60")).Out);
            output.WriteLine((await space.Bed.KubectlAsync("describe", "pods", "-n", System)).Out);
            throw;
        }
        finally
        {
            await space.Bed.KubectlAsync("delete", "namespace", System, "--wait=false");
        }
    }

    private static async Task<LoadGenerator> InstallAsync(TestSpace space)
    {
        await space.InstallAsync(space.Service());
        return space.StartLoad(20);
    }

    private static async Task<JsonElement> ReadyPodAsync(TestSpace space)
    {
        JsonElement found = default;
        await space.UntilAsync(async () =>
        {
            var pods = (await space.Api.GetAsync($"/api/v1/namespaces/{System}/pods"))!.Value.GetProperty("items");
            found = pods.EnumerateArray().FirstOrDefault(p => p.GetProperty("status").TryGetProperty("conditions", out var conditions)
                && conditions.EnumerateArray().Any(c => c.Text("type") == "Ready" && c.Text("status") == "True"));
            return found.ValueKind == JsonValueKind.Object;
        }, TestSpace.Patience, "the operator's pod is ready");
        return found;
    }

    /// <summary>What the operator itself says of its memory, as Prometheus would scrape it.</summary>
    private static async Task<long> MemoryAsync(string address)
    {
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri($"http://{address}:8080/metrics"));
        var line = metrics.Split('\n').Single(l => l.StartsWith("process_resident_memory_bytes ", StringComparison.Ordinal));
        return (long)double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
