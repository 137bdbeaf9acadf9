using System.Collections.Concurrent;
using System.Text.Json;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Soak;

/// <summary>Many small services, each in a namespace of its own, that get one release after another, some of them bad, with a flag that comes and goes.
/// One in five is two components that are released as one.</summary>
public sealed class Fleet(ApiAccess api, int size, int seed)
{
    private readonly ConcurrentDictionary<string, string> _badBeside = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _takenBack = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _wrong = new();
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    // Greater than the number of any release before it.
    private const int Last = 1_000_000;
    private int _releases;
    private int _judged;
    private int _rollbacks;

    public IReadOnlyList<string> Namespaces { get; } = [.. Enumerable.Range(1, size).Select(i => $"soak-{i}")];

    /// <summary>Releases applied so far.</summary>
    public int Releases => _releases;

    /// <summary>Releases that were seen to end and were judged. The last one of a service may still be under way when the time is over.</summary>
    public int Judged => _judged;

    /// <summary>Releases seen to be taken back.</summary>
    public int Rollbacks => _rollbacks;

    /// <summary>Releases that did not end as they should, a sentence each: a bad one that was not taken back, a good one that was.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    /// <summary>Told of each release that has ended: the namespace and its status.</summary>
    public Action<string, StatusView> Ended { get; set; } = static (_, _) => { };

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
        await ApplyAsync(ns, 0, flag: false);
    }));

    /// <summary>Gives a service release after release until it is asked to stop.</summary>
    public Task KeepReleasingAsync(CancellationToken stop) => Task.WhenAll(Namespaces.Select((ns, i) => ReleaseAsync(ns, new Random(seed + i), stop)));

    /// <summary>A last good release for each, and whether it is promoted everywhere.</summary>
    public async Task FinishAsync()
    {
        _badBeside.Clear();
        await Task.WhenAll(Namespaces.Select(ns => ApplyAsync(ns, Last, flag: false)));
    }

    /// <summary>Services that are not where they should be in the end.</summary>
    public async Task<IReadOnlyList<string>> UnfinishedAsync()
    {
        var found = await Task.WhenAll(Namespaces.Select(async ns => (Ns: ns, Status: await StatusAsync(ns), Route: await RouteAsync(api, ns))));
        return [.. found.Where(f => f.Status is not { IsCurrent: true, Phase: "Healthy", IsRetiring: false } || !IsWhole(f.Route)).Select(f => $"{f.Ns}: {f.Status}; {f.Route}")];
    }

    private async Task ReleaseAsync(string ns, Random random, CancellationToken stop)
    {
        bool? underWay = null;
        for (var i = 1; !stop.IsCancellationRequested; i++)
        {
            try
            {
                if (await StatusAsync(ns) is { IsCurrent: true } status && HasEnded(status))
                {
                    if (underWay is { } bad)
                        Judge(ns, bad, status);
                    _badBeside.TryRemove(ns, out _);
                    underWay = random.Next(5) == 0;
                    if (underWay == true)
                        _badBeside[ns] = await StableServiceAsync(ns);
                    await ApplyAsync(ns, i, flag: random.Next(2) == 0);
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

    private static bool HasEnded(StatusView status) =>
        status is { Phase: "Healthy", IsRetiring: false } || (status.Phase == "Degraded" && status.Condition("RolledBack") == "True");

    /// <summary>A bad release is taken back and a good one promoted, and what was taken back is never stable.</summary>
    private void Judge(string ns, bool bad, StatusView status)
    {
        var takenBack = status.Phase == "Degraded";
        if (takenBack)
        {
            Interlocked.Increment(ref _rollbacks);
            _takenBack[$"{ns} {status.RolledBack}"] = status.Message;
        }

        Interlocked.Increment(ref _judged);
        if (takenBack != bad)
            _wrong.Enqueue($"{ns}: a {(bad ? "bad" : "good")} release ended so: {status}");
        else if (_takenBack.ContainsKey($"{ns} {status.Stable}"))
            _wrong.Enqueue($"{ns}: stable is what was taken back: {status}");
        Ended(ns, status);
    }

    private async Task<StatusView> StatusAsync(string ns) => new(await AskAsync(() => api.GetAsync(Path(ns))));

    private static Task<JsonElement?> RouteAsync(ApiAccess api, string ns) => AskAsync(() => api.GetAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{ns}/httproutes/assistant"));

    private static Task<T> AskAsync<T>(Func<Task<T>> ask) => ApiAccess.PatientlyAsync(ask, s_patience);

    /// <summary>Whether one Service has all of each rule.</summary>
    private static bool IsWhole(JsonElement? route) => route is { } found && RuleWeights.Of(found).All(static rule => rule.Count == 1 && rule.Values.Single() == 100);

    private async Task<string> StableServiceAsync(string ns) =>
        (await RouteAsync(api, ns))!.Value
            .GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs")[0].GetProperty("name").GetString()!;

    private Task ApplyAsync(string ns, int number, bool flag) => AskAsync(async () =>
    {
        await api.ApplyAsync(Path(ns), Spec(number, flag, withEmbedder: ns.EndsWith('4') || ns.EndsWith('8')));
        return true;
    });

    private static string Spec(int number, bool flag, bool withEmbedder) => $$"""
        {
          "apiVersion": "ragoperator.dev/v1alpha1", "kind": "RagDeployment", "metadata": {"name": "assistant"},
          "spec": {
            "components": [
              {{(withEmbedder ? $"{Component("embedder", number / 3, "")}," : "")}}
              {{Component("api", number, withEmbedder ? "\"embedder\"" : "")}}
            ],
            "traffic": {"component": "api", "gatewayApi": {"parentRefs": [{"name": "public", "namespace": "gateways"}]} },
            "featureFlags": {"deliverTo": ["api"], "flags": [{"name": "replay", "enabled": {{(flag ? "true" : "false")}}}]},
            "rollout": {"progressDeadline": "30m", "retireDelay": "10s", "steps": [
              {"name": "half", "weight": 50, "hold": "30s"}, {"name": "full", "weight": 100, "hold": "20s", "flags": ["replay"]}]},
            "rollback": {"keepFailedPods": "5s", "undoWindow": "0s"},
            "sla": {"interval": "10s", "warmUp": "0s", "metrics": [
              {"name": "errors", "query": "errors{namespace=\"$(namespace)\",service=\"$(service)\"}", "window": "10s", "limit": {"max": "1%"}, "failAfter": 2}]}
          }
        }
        """;

    private static string Component(string name, int tag, string dependsOn) => $$"""
        {"name": "{{name}}", "dependsOn": [{{dependsOn}}], "ports": [{"name": "http", "port": 8000}], "template": {"spec": {"containers": [{"name": "main", "image": "{{name}}:{{tag}}"}]} } }
        """;

    private static string Path(string ns) => $"/apis/ragoperator.dev/v1alpha1/namespaces/{ns}/ragdeployments/assistant";
}
