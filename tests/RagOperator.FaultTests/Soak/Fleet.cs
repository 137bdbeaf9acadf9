using System.Collections.Concurrent;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Soak;

/// <summary>Many small services, each in a namespace of its own, that get one release after another, some of them bad.</summary>
public sealed class Fleet(ApiAccess api, int size, int seed)
{
    private readonly ConcurrentDictionary<string, string> _badBeside = new(StringComparer.Ordinal);
    private int _releases;
    private int _rollbacks;

    public IReadOnlyList<string> Namespaces { get; } = [.. Enumerable.Range(1, size).Select(i => $"soak-{i}")];

    /// <summary>Releases applied so far.</summary>
    public int Releases => _releases;

    /// <summary>Releases seen to be taken back.</summary>
    public int Rollbacks => _rollbacks;

    /// <summary>What the metric source says: errors of a canary that is meant to be bad.</summary>
    public double? Value(string query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var ns = query.Split('"')[1];
        return _badBeside.TryGetValue(ns, out var stable) && !query.Contains(stable, StringComparison.Ordinal) ? 0.5 : 0;
    }

    /// <summary>Installs all of them.</summary>
    public Task InstallAsync() => Task.WhenAll(Namespaces.Select(async ns =>
    {
        await api.CreateAsync("/api/v1/namespaces", $$"""{"metadata":{"name":"{{ns}}"} }""");
        await ApplyAsync(ns, "0");
    }));

    /// <summary>Gives a service release after release until it is asked to stop.</summary>
    public Task KeepReleasingAsync(CancellationToken stop) => Task.WhenAll(Namespaces.Select((ns, i) => ReleaseAsync(ns, new Random(seed + i), stop)));

    /// <summary>A last good release for each, and whether it is promoted everywhere.</summary>
    public async Task FinishAsync()
    {
        _badBeside.Clear();
        await Task.WhenAll(Namespaces.Select(ns => ApplyAsync(ns, "last")));
    }

    /// <summary>Services that are not where they should be in the end.</summary>
    public async Task<IReadOnlyList<string>> UnfinishedAsync()
    {
        var found = await Task.WhenAll(Namespaces.Select(async ns => (Ns: ns, Status: await StatusAsync(ns))));
        return [.. found.Where(f => f.Status is not { IsCurrent: true, Phase: "Healthy", IsRetiring: false }).Select(f => $"{f.Ns}: {f.Status}")];
    }

    private async Task ReleaseAsync(string ns, Random random, CancellationToken stop)
    {
        for (var i = 1; !stop.IsCancellationRequested; i++)
        {
            try
            {
                var status = await StatusAsync(ns);
                if (status is { IsCurrent: true, Phase: "Healthy", IsRetiring: false } || (status.Phase == "Degraded" && status.Condition("RolledBack") == "True"))
                {
                    if (status.Phase == "Degraded")
                        Interlocked.Increment(ref _rollbacks);
                    _badBeside.TryRemove(ns, out _);
                    if (random.Next(5) == 0)
                        _badBeside[ns] = await StableServiceAsync(ns);
                    await ApplyAsync(ns, $"{i}");
                    Interlocked.Increment(ref _releases);
                }

                await Task.Delay(TimeSpan.FromSeconds(5 + (random.NextDouble() * 10)), TimeProvider.System, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<StatusView> StatusAsync(string ns) => new(await api.GetAsync(Path(ns)));

    private async Task<string> StableServiceAsync(string ns) =>
        (await api.GetAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{ns}/httproutes/assistant"))!.Value
            .GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs")[0].GetProperty("name").GetString()!;

    private Task ApplyAsync(string ns, string tag) => api.ApplyAsync(Path(ns), $$"""
        {
          "apiVersion": "ragoperator.dev/v1alpha1", "kind": "RagDeployment", "metadata": {"name": "assistant"},
          "spec": {
            "components": [{"name": "api", "ports": [{"name": "http", "port": 8000}], "template": {"spec": {"containers": [{"name": "main", "image": "api:{{tag}}"}]} } }],
            "traffic": {"gatewayApi": {"parentRefs": [{"name": "public", "namespace": "gateways"}]} },
            "rollout": {"progressDeadline": "30m", "retireDelay": "10s", "steps": [{"name": "half", "weight": 50, "hold": "30s"}, {"name": "full", "weight": 100, "hold": "20s"}]},
            "rollback": {"keepFailedPods": "5s", "undoWindow": "0s"},
            "sla": {"interval": "10s", "warmUp": "0s", "metrics": [
              {"name": "errors", "query": "errors{namespace=\"$(namespace)\",service=\"$(service)\"}", "window": "10s", "limit": {"max": "1%"}, "failAfter": 2}]}
          }
        }
        """);

    private static string Path(string ns) => $"/apis/ragoperator.dev/v1alpha1/namespaces/{ns}/ragdeployments/assistant";
}
