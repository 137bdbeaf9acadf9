using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>A cache as its host sees it, whatever its kind.</summary>
internal interface IHostedCache
{
    string Kind { get; }

    bool HasSynced { get; }

    Task RunAsync(CancellationToken cancellationToken);

    Task WaitForSyncAsync(CancellationToken cancellationToken);
}

/// <summary>The cache of one kind. Its host starts it; tests and tools may run it themselves.</summary>
/// <typeparam name="T">The kind.</typeparam>
public sealed partial class ObjectCache<T> : IObjectCache<T>, IHostedCache, IHealthSource
    where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    private readonly CacheOptions<T> _options;
    private readonly ObjectStore<T> _store;
    private readonly Reflector<T> _reflector;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Held while changes are applied and told, so that a new subscriber sees each object once and in order.
    private readonly Lock _telling = new();
    private readonly List<Action<ObjectChange<T>>> _subscribers = [];
    private NamespaceShare<T> _share;
    private volatile Condition _condition;
    private long _aliveAt;

    private sealed record Condition(CacheState State, string Detail, long Since);

    /// <summary>Makes a cache that is not running yet.</summary>
    /// <param name="client">The client to list and watch with.</param>
    /// <param name="options">What to hold.</param>
    /// <param name="timeProvider">Time; the system's by default.</param>
    /// <param name="loggerFactory">Logs; none by default.</param>
    /// <param name="jitterSeed">Seed of the pauses' jitter; a random one by default.</param>
    public ObjectCache(
        KubernetesClient client,
        CacheOptions<T>? options = null,
        TimeProvider? timeProvider = null,
        ILoggerFactory? loggerFactory = null,
        int? jitterSeed = null)
    {
        _options = options ?? new CacheOptions<T>();
        _time = timeProvider ?? TimeProvider.System;
        _logger = (ILogger?)loggerFactory?.CreateLogger<ObjectCache<T>>() ?? NullLogger.Instance;
        _store = new ObjectStore<T>(
            [.. _options.Indexes, .. _options.LabelIndexes.Select(static label => KeyValuePair.Create<string, Func<T, IEnumerable<string>>>(
                CacheIndex.Label(label), o => o.GetLabel(label) is { } value ? [value] : []))]);
        _share = new(_options);
        _aliveAt = _time.GetTimestamp();
        _condition = new(CacheState.NotStarted, "", _aliveAt);
        var jitter = new Jitter(jitterSeed ?? RandomNumberGenerator.GetInt32(int.MaxValue));
        _reflector = new Reflector<T>(client, this, _options, _time, jitter, _logger);
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<T> Items => _store.Snapshot();

    /// <inheritdoc/>
    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <inheritdoc/>
    public CacheState State => _condition.State;

    /// <inheritdoc/>
    public string LastSyncResourceVersion => _store.Version;

    string IHostedCache.Kind => T.EntityMetadata.Kind;

    string IHealthSource.Name => $"cache-{T.EntityMetadata.PluralName}";

    /// <inheritdoc/>
    public T? Get(NamespacedName key) => _store.Get(key);

    /// <inheritdoc/>
    public IReadOnlyList<T> ByIndex(string indexName, string key) => _store.ByIndex(indexName, key);

    /// <inheritdoc/>
    public bool HasSeen(NamespacedName key, string resourceVersion) => _store.HasSeen(key, resourceVersion);

    /// <inheritdoc/>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<bool> WaitForKindAsync(CancellationToken cancellationToken) => _known.Task.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public IDisposable Subscribe(Action<ObjectChange<T>> onChange)
    {
        lock (_telling)
        {
            foreach (var item in _store.Snapshot()) Tell(onChange, new(null, item));
            _subscribers.Add(onChange);
        }

        return new Subscription(this, onChange);
    }

    /// <summary>Lists and watches until cancelled. Once only.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task RunAsync(CancellationToken cancellationToken) => _reflector.RunAsync(cancellationToken);

    /// <inheritdoc/>
    HealthReport IHealthSource.Check()
    {
        var now = _condition;
        var silence = _time.GetElapsedTime(Volatile.Read(ref _aliveAt));
        // The longest that a working watch can go without anything: its own longest duration and slack, and a pause on top.
        var limit = (_options.MinWatchTimeout * 2) + _options.WatchDeadlineSlack + TimeSpan.FromMinutes(2);
        var seconds = $"{silence.TotalSeconds:0} s since the server last told something";
        return now.State switch
        {
            CacheState.NotStarted when _options.StartAfter is not null => new(HealthVerdict.Healthy, "not needed so far"),
            CacheState.KindMissing when _options.IsBuiltIn => new(HealthVerdict.Healthy, now.Detail),
            CacheState.KindMissing => new(HealthVerdict.Degraded, now.Detail),
            CacheState.Forbidden or CacheState.BackingOff => new(HealthVerdict.Degraded, $"{now.Detail}; {seconds}"),
            CacheState.Stopped => new(HealthVerdict.Healthy, "stopped"),
            _ when !HasSynced => new(HealthVerdict.Degraded, "no complete list yet"),
            _ when silence > limit => new(HealthVerdict.Unhealthy, seconds),
            _ => new(HealthVerdict.Healthy, seconds),
        };
    }

    internal void Enter(CacheState state, string detail)
    {
        _condition = new(state, detail, _time.GetTimestamp());
        if (state is CacheState.KindMissing or CacheState.Forbidden) _known.TrySetResult(false);
    }

    internal void Alive() => Volatile.Write(ref _aliveAt, _time.GetTimestamp());

    internal void Replace(ObjectList<T> list)
    {
        lock (_telling)
        {
            foreach (var change in _store.Replace(list.Items, list.ResourceVersion, list.Undecodable)) Tell(change);
        }

        Alive();
        // Only now: whoever waits for this finds all objects already in its queue.
        _synced.TrySetResult();
        _known.TrySetResult(true);
    }

    internal void Apply(T item, bool deleted)
    {
        if (deleted) _share.Remove(item.Key());
        else if (_share.Fit(item)) NoRoom(item);
        lock (_telling)
        {
            if (_store.Apply(item, deleted) is { } change) Tell(change);
        }
    }

    /// <summary>An object changed in a way that cannot be read: what is held of it stays, unless it is gone.</summary>
    internal void Pass(NamespacedName key, string version, bool deleted)
    {
        lock (_telling)
        {
            if (deleted) _share.Remove(key);
            if (_store.Pass(key, version, deleted) is { } change) Tell(change);
        }
    }

    internal void Bookmark(string version) => _store.Bookmark(version);

    /// <summary>What a list is fitted into while it is read: the objects of a large one are never all in memory as they came.</summary>
    internal Action<object> FitAnew()
    {
        var next = new NamespaceShare<T>(_options);
        return item =>
        {
            _share = next;
            if (next.Fit((T)item)) NoRoom((T)item);
        };
    }

    private void NoRoom(T item) => LogNoRoom(_logger, T.EntityMetadata.Kind, item.Key().ToString());

    private void Tell(ObjectChange<T> change)
    {
        // A copy: a callback may end its own subscription.
        foreach (var subscriber in _subscribers.ToArray()) Tell(subscriber, change);
    }

    private void Tell(Action<ObjectChange<T>> subscriber, ObjectChange<T> change)
    {
        try
        {
            subscriber(change);
        }
#pragma warning disable CA1031 // one subscriber's fault must not end the cache for all
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogSubscriberFailed(_logger, e, T.EntityMetadata.Kind, change.Object.Key().ToString());
        }
    }

    [LoggerMessage(30, LogLevel.Error, "A subscriber failed on a change of {Kind} {Key}")]
    private static partial void LogSubscriberFailed(ILogger logger, Exception e, string kind, string key);

    [LoggerMessage(31, LogLevel.Warning, "{Kind} {Key} is kept without what is large in it: the objects of its namespace take more memory than its share")]
    private static partial void LogNoRoom(ILogger logger, string kind, string key);

    private sealed class Subscription(ObjectCache<T> cache, Action<ObjectChange<T>> onChange) : IDisposable
    {
        public void Dispose()
        {
            lock (cache._telling) cache._subscribers.Remove(onChange);
        }
    }
}
