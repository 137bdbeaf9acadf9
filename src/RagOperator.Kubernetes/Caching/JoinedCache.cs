using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>The objects of one kind in some namespaces: a cache for each, since the API server lists and watches either one namespace or all, and
/// an operator with Roles in a few may not ask for all.</summary>
/// <typeparam name="T">The kind.</typeparam>
internal sealed class JoinedCache<T> : IObjectCache<T>, IHostedCache, IHealthSource
    where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    // From what lets nobody go on to what is well: the caches show together what the worst of them shows. A kind is missing everywhere or nowhere:
    // it counts only where none of them says anything else.
    private static readonly CacheState[] s_worstFirst =
        [CacheState.Forbidden, CacheState.BackingOff, CacheState.NotStarted, CacheState.Listing, CacheState.Stopped, CacheState.Watching, CacheState.KindMissing];

    private readonly Dictionary<string, ObjectCache<T>> _caches;
    private readonly Lock _telling = new();

    /// <summary>Joins caches.</summary>
    /// <param name="caches">One for each namespace.</param>
    public JoinedCache(IEnumerable<KeyValuePair<string, ObjectCache<T>>> caches) => _caches = new(caches, StringComparer.Ordinal);

    /// <inheritdoc/>
    public IReadOnlyCollection<T> Items => [.. _caches.Values.SelectMany(static c => c.Items)];

    /// <inheritdoc/>
    public bool HasSynced => _caches.Values.All(static c => c.HasSynced);

    /// <inheritdoc/>
    public CacheState State => _caches.Values.Select(static c => c.State).MinBy(static state => Array.IndexOf(s_worstFirst, state));

    /// <summary>Each namespace has a position of its own; none of them speaks for all.</summary>
    public string LastSyncResourceVersion => "";

    string IHostedCache.Kind => T.EntityMetadata.Kind;

    string IHealthSource.Name => $"cache-{T.EntityMetadata.PluralName}";

    /// <inheritdoc/>
    public T? Get(NamespacedName key) => _caches.GetValueOrDefault(key.Namespace)?.Get(key);

    /// <inheritdoc/>
    public IReadOnlyList<T> ByIndex(string indexName, string key) => [.. _caches.Values.SelectMany(c => c.ByIndex(indexName, key))];

    /// <inheritdoc/>
    public bool HasSeen(NamespacedName key, string resourceVersion) => _caches.GetValueOrDefault(key.Namespace)?.HasSeen(key, resourceVersion) ?? false;

    /// <inheritdoc/>
    public IDisposable Subscribe(Action<ObjectChange<T>> onChange)
    {
        // The caches have loops of their own, and a subscriber is promised one change at a time.
        void OneAtATime(ObjectChange<T> change)
        {
            lock (_telling) onChange(change);
        }

        return new Subscriptions([.. _caches.Values.Select(c => c.Subscribe(OneAtATime))]);
    }

    /// <inheritdoc cref="IObjectCache{T}.WaitForSyncAsync"/>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.WhenAll(_caches.Values.Select(c => c.WaitForSyncAsync(cancellationToken)));

    /// <inheritdoc/>
    public async Task<bool> WaitForKindAsync(CancellationToken cancellationToken) =>
        (await Task.WhenAll(_caches.Values.Select(c => c.WaitForKindAsync(cancellationToken)))).All(static served => served);

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var running = _caches.Values.Select(c => c.RunAsync(cancellationToken)).ToList();
        // As with caches of several kinds: the first to end takes the others with it, unless that is what was asked for.
        await await Task.WhenAny(running);
        if (cancellationToken.IsCancellationRequested) await Task.WhenAll(running);
    }

    /// <inheritdoc/>
    HealthReport IHealthSource.Check()
    {
        var (place, report) = _caches.Select(static c => (c.Key, Report: ((IHealthSource)c.Value).Check())).MaxBy(static c => c.Report.Status);
        return report with { Detail = $"{place}: {report.Detail}" };
    }

    private sealed class Subscriptions(IReadOnlyList<IDisposable> each) : IDisposable
    {
        public void Dispose()
        {
            foreach (var subscription in each) subscription.Dispose();
        }
    }
}
