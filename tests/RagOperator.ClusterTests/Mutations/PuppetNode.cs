using System.Collections.Concurrent;
using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests.Mutations;

/// <summary>A node whose pods are ready without running, and a gateway that takes every route: the controllers, the scheduler and the API server are
/// real, only what would cost time is not.</summary>
internal sealed class PuppetNode(TestSpace space) : IAsyncDisposable
{
    /// <summary>The gateway that the puppet plays.</summary>
    public const string Gateway = "puppet";

    private const int AtOnce = 8;

    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _node = $"puppet-{space.Namespace}";
    private readonly ConcurrentDictionary<string, bool> _ready = new(StringComparer.Ordinal);
    private Task _run = Task.CompletedTask;
    private int _addresses;

    /// <summary>What a pod template needs in order to come here.</summary>
    public string NodeName => _node;

    /// <summary>What last went wrong here.</summary>
    public string Trouble { get; private set; } = "";

    public async Task StartAsync()
    {
        // Other tests' pods must not come here, where nothing runs.
        await RequireAsync(HttpMethod.Post, "/api/v1/nodes", $$$"""
            {"apiVersion":"v1","kind":"Node","metadata":{"name":"{{{_node}}}","labels":{"puppet":"{{{_node}}}"}},"spec":{"taints":[{"key":"puppet","effect":"NoSchedule"}]}}
            """);
        await BeatAsync();
        // Each for itself: a gateway does not wait for pods.
        _run = Task.WhenAll(RunAsync(PodsAsync), RunAsync(RoutesAsync));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ContinueWith(static _ => { }, TaskScheduler.Default);
        await space.Api.SendAsync(HttpMethod.Delete, $"/api/v1/nodes/{_node}");
        _stop.Dispose();
    }

    private static string Now => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);

    private async Task RunAsync(Func<Task> play)
    {
        var beat = TimeProvider.System.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (TimeProvider.System.GetElapsedTime(beat) > TimeSpan.FromSeconds(5))
                {
                    await BeatAsync();
                    beat = TimeProvider.System.GetTimestamp();
                }

                await play();
            }
            catch (Exception e) when (e is HttpRequestException or InvalidOperationException or JsonException or TaskCanceledException or KeyNotFoundException)
            {
                // Once more in a moment; a test that needed it fails by its own deadline, and tells of this.
                Trouble = e.Message;
            }

            await Task.Delay(s_poll, TimeProvider.System, CancellationToken.None);
        }
    }

    private Task BeatAsync() => RequireAsync(HttpMethod.Patch, $"/api/v1/nodes/{_node}/status", $$$"""
        {"status":{"capacity":{"cpu":"10k","memory":"10Ti","pods":"10k"},"allocatable":{"cpu":"10k","memory":"10Ti","pods":"10k"},
        "conditions":[{"type":"Ready","status":"True","reason":"Puppet","message":"","lastHeartbeatTime":"{{{Now}}}","lastTransitionTime":"{{{Now}}}"}]}}
        """, "application/strategic-merge-patch+json");

    private async Task PodsAsync() => await Parallel.ForEachAsync(await space.ListAsync("pods"), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (pod, cancelled) =>
    {
        var name = pod.GetProperty("metadata").GetProperty("name").GetString()!;
        if (pod.GetProperty("spec").TryGetProperty("nodeName", out var node) is false || node.GetString() != _node) return;
        var path = $"/api/v1/namespaces/{space.Namespace}/pods/{name}";
        if (pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _))
        {
            await space.Api.SendAsync(HttpMethod.Delete, path, """{"gracePeriodSeconds":0}""");
        }
        else if (pod.GetProperty("metadata").GetProperty("uid").GetString()! is var uid && !_ready.ContainsKey(uid))
        {
            var number = Interlocked.Increment(ref _addresses);
            var ip = $"10.99.{number / 250 % 250}.{(number % 250) + 1}";
            var conditions = string.Join(",", ((string[])["Initialized", "ContainersReady", "Ready", "PodScheduled"]).Select(type => $$"""{"type":"{{type}}","status":"True","lastTransitionTime":"{{Now}}"}"""));
            await RequireAsync(HttpMethod.Patch, $"{path}/status", $$$"""{"status":{"phase":"Running","podIP":"{{{ip}}}","podIPs":[{"ip":"{{{ip}}}"}],"startTime":"{{{Now}}}","conditions":[{{{conditions}}}]}}""", "application/strategic-merge-patch+json");
            // Only now: what was not heard is said again.
            _ready[uid] = true;
        }
    });

    private async Task RoutesAsync()
    {
        var list = await space.Api.GetAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{space.Namespace}/httproutes");
        foreach (var route in list!.Value.GetProperty("items").EnumerateArray())
        {
            var generation = route.GetProperty("metadata").GetProperty("generation").GetInt64();
            if (route.TryGetProperty("status", out var status) && status.TryGetProperty("parents", out var known) && known.GetArrayLength() > 0
                && known[0].GetProperty("conditions")[0].GetProperty("observedGeneration").GetInt64() == generation) continue;
            var conditions = string.Join(",", ((string[])["Accepted", "ResolvedRefs"]).Select(type =>
                $$"""{"type":"{{type}}","status":"True","reason":"{{type}}","message":"taken","observedGeneration":{{generation}},"lastTransitionTime":"{{Now}}"}"""));
            // Each parent that the route names takes it.
            var parents = string.Join(",", route.GetProperty("spec").GetProperty("parentRefs").EnumerateArray().Select(parent =>
                $$"""{"parentRef":{{parent.GetRawText()}},"controllerName":"test.example/puppet","conditions":[{{conditions}}]}"""));
            await RequireAsync(HttpMethod.Patch, $"/apis/gateway.networking.k8s.io/v1/namespaces/{space.Namespace}/httproutes/{route.GetProperty("metadata").GetProperty("name").GetString()}/status",
                $$$"""{"status":{"parents":[{{{parents}}}]}}""", "application/merge-patch+json");
        }
    }

    private async Task RequireAsync(HttpMethod method, string path, string json, string contentType = "application/json")
    {
        var (code, body) = await space.Api.SendAsync(method, path, json, contentType);
        // What is gone, or changed meanwhile, is looked at again.
        if (code is >= 300 and not 404 and not 409) throw new InvalidOperationException($"{method} {path}: {code} {body}");
    }
}
