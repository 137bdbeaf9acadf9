using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Leadership;

/// <summary>Two real operators of one namespace, of which one leads. Each start has an identity of its own, which is in the Lease, and with each of its writes in the audit log.</summary>
public sealed class OperatorPair : IAsyncDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);
    private static int s_ports = 19000;

    private readonly int _secondPort;
    private readonly OperatorProcess _second;

    private OperatorPair(TestSpace space, OperatorProcess second, int secondPort) => (Space, _second, _secondPort) = (space, second, secondPort);

    public TestSpace Space { get; }

    /// <summary>Both of them, and one that leads.</summary>
    /// <param name="name">The namespace.</param>
    /// <param name="lease">Lease duration, renew deadline and retry period, as the operator takes them.</param>
    public static async Task<OperatorPair> CreateAsync(string name, (string Duration, string Deadline, string Retry) lease)
    {
        string[] election =
        [
            "--leaderElection.enabled", "true", "--leaderElection.namespace", name, "--leaderElection.name", "operator", "--leaderElection.leaseDuration", lease.Duration,
            "--leaderElection.renewDeadline", lease.Deadline, "--leaderElection.retryPeriod", lease.Retry,
        ];
        var space = await TestSpace.CreateAsync(name, [.. election, "--leaderElection.identity", "first"]);
        var port = Interlocked.Increment(ref s_ports);
        var log = Path.ChangeExtension(space.Operator.Log, ".second.log");
        File.Delete(log);
        var second = OperatorProcess.Start(log,
        [
            "--kubeconfig", space.Bed.KubeConfig, "--namespace", name, "--http.address", "127.0.0.1", "--http.port", $"{port}",
            "--metricSources.default.url", space.Bed.PrometheusUrl.ToString().TrimEnd('/'), .. election, "--leaderElection.identity", "second",
        ]);
        var pair = new OperatorPair(space, second, port);
        await pair.ReadyAsync();
        return pair;
    }

    /// <summary>Starts whichever of them has ended, and waits until one leads and the other stands by, ready.</summary>
    public async Task ReadyAsync()
    {
        Space.Operator.Start();
        _second.Start();
        await Space.UntilAsync(async () =>
        {
            var (one, other) = (await ElectionAsync(Space.Port), await ElectionAsync(_secondPort));
            return (Leads(one) && StandsBy(other)) || (StandsBy(one) && Leads(other));
        }, TimeSpan.FromSeconds(40), "one leads, the other stands by");

        static bool Leads(string election) => election.StartsWith("leads as", StringComparison.Ordinal);
        static bool StandsBy(string election) => election.StartsWith("stands by", StringComparison.Ordinal);
    }

    /// <summary>Who leads now, by the Lease, and who does not.</summary>
    public async Task<(string Identity, OperatorProcess Leader, OperatorProcess Standby, int StandbyPort)> LeaderAsync()
    {
        var holder = await HolderAsync();
        return holder.StartsWith("first_", StringComparison.Ordinal) ? (holder, Space.Operator, _second, _secondPort) : (holder, _second, Space.Operator, Space.Port);
    }

    /// <summary>Waits until somebody else holds the Lease.</summary>
    /// <returns>Who, and when the API server had accepted it.</returns>
    public async Task<(string Identity, DateTimeOffset At)> SuccessorAsync(string of, TimeSpan deadline)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (await HolderAsync() is var holder)
        {
            if (holder.Length > 0 && holder != of && LeaseWrites(holder) is [var first, ..]) return (holder, first.At);
            if (TimeProvider.System.GetElapsedTime(start) > deadline) throw new TimeoutException($"nobody followed {of} within {deadline}\n{await Space.DescribeAsync()}");
            await Task.Delay(s_poll, TimeProvider.System);
        }

        throw new InvalidOperationException();
    }

    /// <summary>The accepted writes of one process, its Lease and events apart.</summary>
    public IReadOnlyList<AcceptedWrite> Writes(string identity) => [.. Space.Writes().Where(w => w.UserAgent.Contains($"({identity})", StringComparison.Ordinal) && w.Resource is not ("leases" or "events"))];

    public IReadOnlyList<AcceptedWrite> LeaseWrites(string identity) => [.. Space.Writes().Where(w => w.UserAgent.Contains($"({identity})", StringComparison.Ordinal) && w.Resource == "leases")];

    /// <summary>A probe or the metrics of one of them.</summary>
    public static async Task<string> GetAsync(int port, string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}{path}"));
    }

    /// <summary>What <c>/health/detailed</c> says about the election.</summary>
    public static async Task<string> ElectionAsync(int port)
    {
        var parts = JsonElement.Parse(await GetAsync(port, "/health/detailed")).GetProperty("parts");
        return parts.EnumerateArray().Single(p => p.Text("name") == "leader-election").Text("detail");
    }

    public async ValueTask DisposeAsync()
    {
        await _second.DisposeAsync();
        await Space.DisposeAsync();
    }

    private async Task<string> HolderAsync()
    {
        var lease = await Space.Api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{Space.Namespace}/leases/operator");
        return lease is { } found && found.GetProperty("spec").TryGetProperty("holderIdentity", out var holder) ? holder.GetString()! : "";
    }
}
