using System.Text.Json;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Soak;

/// <summary>Two operators as in production: one leads, the other stands by.</summary>
public sealed class SoakPair : IAsyncDisposable
{
    private const string Namespace = "soak-leader";
    private const int FirstPort = 18998;
    private readonly ApiAccess _api;
    private readonly IReadOnlyList<(string Name, OperatorProcess Process, Uri Metrics)> _members;

    private SoakPair(ApiAccess api, IReadOnlyList<(string Name, OperatorProcess Process, Uri Metrics)> members) => (_api, _members) = (api, members);

    /// <summary>Leaders that were killed.</summary>
    public int Killed { get; private set; }

    /// <summary>Starts both.</summary>
    public static async Task<SoakPair> StartAsync(ApiAccess api, string folder, string kubeConfig, string metricSource)
    {
        ArgumentNullException.ThrowIfNull(api);
        await api.CreateAsync("/api/v1/namespaces", $$"""{"metadata":{"name":"{{Namespace}}"} }""");
        return new SoakPair(api, [.. ((string[])["first", "second"]).Select((name, i) =>
        {
            var log = Path.Combine(folder, $"{name}.log");
            File.Delete(log);
            var process = OperatorProcess.Start(log,
            [
                "--kubeconfig", kubeConfig, "--http.address", "127.0.0.1", "--http.port", $"{FirstPort + i}", "--metricSources.default.url", metricSource, "--metricSources.default.namespaces", "*",
                "--metricSources.default.timeout", "5s", "--leaderElection.enabled", "true", "--leaderElection.namespace", Namespace, "--leaderElection.name", "operator", "--leaderElection.identity", name,
            ]);
            return (name, process, new Uri($"http://127.0.0.1:{FirstPort + i}/metrics"));
        })]);
    }

    /// <summary>SIGKILL for whoever leads, and another one in its place, as a cluster does.</summary>
    public async Task KillLeaderAsync()
    {
        if (await LeaderAsync() is not { } leader)
            return;
        CheckRunning();
        await leader.RestartAsync();
        Killed++;
    }

    /// <summary>What each of them holds now; not of one that has just begun and does not answer yet.</summary>
    public async Task<IReadOnlyList<ProcessGauge>> GaugesAsync(HttpClient http, TimeSpan since)
    {
        CheckRunning();
        var gauges = new List<ProcessGauge>();
        foreach (var (name, process, metrics) in _members)
        {
            try
            {
                gauges.Add(await ProcessGauge.ReadAsync(name, process.Pid!.Value, http, metrics, since));
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Its next gauge will be there; that too few are there in the end is a failure by itself.
            }
        }

        return gauges;
    }

    /// <summary>Fails if one of them ended by itself, or threw what nobody handled.</summary>
    public void CheckRunning()
    {
        foreach (var (name, process, _) in _members)
        {
            Assert.True(process.ExitCode is null, $"{name} ended by itself with {process.ExitCode}:\n{string.Join('\n', process.LogLines().TakeLast(20))}");
            Assert.Empty(process.UnforeseenExceptions());
        }
    }

    /// <summary>The ends of both logs.</summary>
    public string Logs() => string.Join('\n', _members.SelectMany(static m => m.Process.LogLines().TakeLast(15).Prepend($"--- {m.Name}")));

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, process, _) in _members)
            await process.DisposeAsync();
    }

    private async Task<OperatorProcess?> LeaderAsync()
    {
        var lease = await _api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{Namespace}/leases/operator");
        var holder = lease is { } found && found.GetProperty("spec").TryGetProperty("holderIdentity", out var identity) && identity.ValueKind == JsonValueKind.String ? identity.GetString()! : "";
        return _members.FirstOrDefault(m => holder.StartsWith($"{m.Name}_", StringComparison.Ordinal)).Process;
    }
}
