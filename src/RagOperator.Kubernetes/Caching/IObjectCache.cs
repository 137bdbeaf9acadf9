using RagOperator.Abstractions;

namespace RagOperator.Kubernetes;

/// <summary>
/// The objects of one kind as the API server last told of them, kept by list and watch. Lags behind the server; never goes back in time.
/// Objects that leave it are shared: treat them as immutable.
/// </summary>
/// <typeparam name="T">The kind.</typeparam>
public interface IObjectCache<T>
    where T : class
{
    /// <summary>The object, or null.</summary>
    /// <param name="key">The object's key.</param>
    T? Get(NamespacedName key);

    /// <summary>All objects at this moment, in no order.</summary>
    IReadOnlyCollection<T> Items { get; }

    /// <summary>The objects that an index files under a key, in no order.</summary>
    /// <param name="indexName">A name from <see cref="CacheIndex"/>, or that of an index of the options.</param>
    /// <param name="key">For instance the owner's uid.</param>
    /// <exception cref="ArgumentException">There is no such index.</exception>
    IReadOnlyList<T> ByIndex(string indexName, string key);

    /// <summary>Whether a first complete list is in. Once true it stays true.</summary>
    bool HasSynced { get; }

    /// <summary>What the cache is doing.</summary>
    CacheState State { get; }

    /// <summary>The version up to which everything was seen; empty before the first list.</summary>
    string LastSyncResourceVersion { get; }

    /// <summary>
    /// Whether a write of one's own, which returned <paramref name="resourceVersion"/>, is in this cache: it holds that version of the object
    /// or a later one, or its position has passed it. Versions are compared as numbers when both are, else for equality.
    /// </summary>
    /// <param name="key">The object that was written.</param>
    /// <param name="resourceVersion">What the write returned.</param>
    bool HasSeen(NamespacedName key, string resourceVersion);

    /// <summary>
    /// Calls back on each change, in order, one at a time, starting with an addition for each object that is there already.
    /// The callback runs on the cache's own loop: it must be quick (put a key into a queue). What it throws is logged.
    /// </summary>
    /// <param name="onChange">The callback.</param>
    /// <returns>Ends the subscription when disposed.</returns>
    IDisposable Subscribe(Action<ObjectChange<T>> onChange);

    /// <summary>Waits until <see cref="HasSynced"/>.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Waits until it is known whether the server serves the kind to this operator.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>True once a first list is in; false where the kind is missing, or the server refuses to list it.</returns>
    Task<bool> WaitForKindAsync(CancellationToken cancellationToken);
}

/// <summary>One change of one object. An addition has no old object, a deletion no new one; both may hold the same version after a relist.</summary>
/// <typeparam name="T">The kind.</typeparam>
/// <param name="Old">The object before; null on addition.</param>
/// <param name="New">The object now; null on deletion.</param>
public readonly record struct ObjectChange<T>(T? Old, T? New)
    where T : class
{
    /// <summary>The object that the change is about, as last known.</summary>
    public T Object => New ?? Old!;
}

/// <summary>What a cache is doing.</summary>
public enum CacheState
{
    /// <summary>It has not been started.</summary>
    NotStarted,

    /// <summary>A list is under way.</summary>
    Listing,

    /// <summary>A watch is open.</summary>
    Watching,

    /// <summary>Something failed; it waits before the next try. What it holds stays readable.</summary>
    BackingOff,

    /// <summary>The server does not serve the kind. It keeps asking, and syncs when the CRD appears. What it held before stays readable.</summary>
    KindMissing,

    /// <summary>The server refuses to list or watch: RBAC. It keeps asking.</summary>
    Forbidden,

    /// <summary>The process is ending.</summary>
    Stopped,
}

/// <summary>Names of the indexes that need no function.</summary>
public static class CacheIndex
{
    /// <summary>By the uid of each owner. Every cache has it.</summary>
    public const string OwnerUid = "ownerUid";

    /// <summary>By the value of a label; asked for with <see cref="CacheOptions{T}.LabelIndexes"/>.</summary>
    /// <param name="label">The label's key.</param>
    public static string Label(string label) => $"label:{label}";
}
