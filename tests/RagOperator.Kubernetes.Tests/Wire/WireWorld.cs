using System.Collections.Concurrent;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>A cache on a clock of its own, against a server that tells the truth but for the answers that a test takes over.</summary>
internal sealed class WireWorld : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<(bool Watch, Func<WireStream, Task> Answer)> _taken = new();
    private readonly ConcurrentDictionary<string, string> _folded = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly Lock _lock = new();
    private Task _run = Task.CompletedTask;

    public WireWorld(int pageSize = 500, Func<KubernetesClientConfiguration, KubernetesClientConfiguration>? configure = null)
    {
        Server = new WireServer(AnswerAsync);
        var configuration = Server.Configuration;
        Client = new KubernetesClient(configure?.Invoke(configuration) ?? configuration, Time, jitterSeed: 1);
        Cache = new ObjectCache<V1ConfigMap>(Client, new CacheOptions<V1ConfigMap> { PageSize = pageSize }, Time, jitterSeed: 2);
        Cache.Subscribe(Fold);
    }

    public WireServer Server { get; }

    public ServerTruth Truth { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public KubernetesClient Client { get; }

    public ObjectCache<V1ConfigMap> Cache { get; }

    public IReadOnlyList<WireStream> Watches => [.. Server.Requests.Where(static r => r.IsWatch)];

    public IReadOnlyList<WireStream> Lists => [.. Server.Requests.Where(static r => !r.IsWatch)];

    private bool IsEqual => Cache.HasSynced && Cache.State == CacheState.Watching && Same(Truth.Objects)
        && Cache.Items.All(static i => i.Data?["value"] == ServerTruth.ValueOf(i.ResourceVersion()));

    /// <summary>Takes over the next list that nothing else was said of.</summary>
    public WireWorld NextList(Func<WireStream, Task> answer)
    {
        _taken.Enqueue((false, answer));
        return this;
    }

    /// <summary>Takes over the next watch that nothing else was said of.</summary>
    public WireWorld NextWatch(Func<WireStream, Task> answer)
    {
        _taken.Enqueue((true, answer));
        return this;
    }

    /// <summary>Answers what was not taken over, in place of the truth.</summary>
    public Func<WireStream, Task>? Otherwise { get; set; }

    public void Start() => _run = Cache.RunAsync(_stop.Token);

    /// <summary>Waits without moving the clock.</summary>
    public Task UntilAsync(Func<bool> condition, string what) => Wait.UntilAsync(() => _run.IsFaulted || condition(), what);

    /// <summary>The cache, and who only listened, get to hold what the server holds, by the time the clock has moved so far; and then changes arrive again.</summary>
    /// <remarks>The clock jumps from timer to timer, and only while nothing moves on the wire: how fast the machine is does not count.</remarks>
    public async Task RecoversWithinAsync(TimeSpan bound)
    {
        await ReachesTruthAsync(bound);
        Truth.Set("after-it-all");
        await ReachesTruthAsync(bound);
        Assert.Empty(_wrong);
        Assert.Equal(Truth.Objects.OrderBy(static o => o.Key, StringComparer.Ordinal), _folded.OrderBy(static o => o.Key, StringComparer.Ordinal));
    }

    public async Task ReachesTruthAsync(TimeSpan bound, TimeSpan? patience = null)
    {
        var from = Time.GetUtcNow();
        long? overdue = null;
        await Wait.UntilAsync(
            () =>
            {
                if (_run.IsFaulted || IsEqual) return true;
                if (!Server.IsQuiet) return false;
                var next = Time.NextTimer ?? DateTimeOffset.MaxValue;
                if (next - from > bound)
                {
                    // Nothing more may pass on the clock; what is only slow on this machine gets its time.
                    overdue ??= TimeProvider.System.GetTimestamp();
                    if (TimeProvider.System.GetElapsedTime(overdue.Value) < (patience ?? TimeSpan.FromSeconds(30))) return false;
                    throw new TimeoutException($"Not within {bound}: the next timer is at {(Time.NextTimer is null ? "no time" : next - from)}. {Told()}");
                }

                Time.Advance(next - Time.GetUtcNow());
                Server.Touch();
                return false;
            },
            "the cache holds what the server holds");
        if (_run.IsFaulted) await _run;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        Client.Dispose();
        await Server.DisposeAsync();
        _stop.Dispose();
    }

    private string Told() =>
        $"Cache {Cache.State} at {Cache.LastSyncResourceVersion}: {string.Join(" ", Cache.Items.Select(static i => $"{i.Name()}@{i.ResourceVersion()}"))}; "
        + $"server at {Truth.Version}: {string.Join(" ", Truth.Objects.Select(static o => $"{o.Key}@{o.Value}"))}; asked:\n{string.Join("\n", Server.Requests.Select(static r => r.Path))}";

    private bool Same(IReadOnlyDictionary<string, string> truth)
    {
        var held = Cache.Items;
        return held.Count == truth.Count && held.All(i => truth.TryGetValue(i.Name(), out var version) && version == i.ResourceVersion());
    }

    private async Task AnswerAsync(WireStream stream)
    {
        Func<WireStream, Task>? taken = null;
        lock (_lock)
        {
            if (_taken.TryPeek(out var first) && first.Watch == stream.IsWatch && _taken.TryDequeue(out first)) taken = first.Answer;
        }

        await (taken ?? Otherwise ?? Truth.AnswerAsync)(stream);
    }

    private void Fold(ObjectChange<V1ConfigMap> change)
    {
        var name = change.Object.Name();
        if (change.Old?.ResourceVersion() != _folded.GetValueOrDefault(name)) _wrong.Enqueue($"{name}: told from {change.Old?.ResourceVersion()}, was {_folded.GetValueOrDefault(name)}");
        if (change.New is { } now) _folded[name] = now.ResourceVersion();
        else _folded.TryRemove(name, out _);
    }
}
