using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>
/// Brings the world in line with one object. Names and shape as in KubeOps.
/// </summary>
/// <remarks>
/// Guarantees: one key is never reconciled twice at once; a change that arrives during a reconcile causes exactly one more; a failure is
/// retried for ever with growing delay; nothing runs outside a term of leadership or before the required caches have synced.
/// Assumptions: level-based, idempotent; objects from a cache are not modified.
/// Errors: an exception is a failure. A <see cref="KubernetesException"/> with <see cref="ApiReason.Conflict"/> is normal: it is retried at
/// once and not counted as an error. So is a Failure result whose Error is one.
/// </remarks>
/// <typeparam name="TEntity">The kind.</typeparam>
public interface IEntityController<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Called when the object, or something that it owns or depends on, may have changed.</summary>
    /// <param name="entity">The object from the cache; shared, not to be modified.</param>
    /// <param name="cancellationToken">Cancelled when the term of leadership ends, and some time after the process was asked to stop.</param>
    Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancellationToken);

    /// <summary>
    /// Called when the object is gone. Informational: it is missed when the process was down meanwhile; only finalizers guarantee anything.
    /// </summary>
    /// <param name="entity">The object as last known.</param>
    /// <param name="cancellationToken">As in <see cref="ReconcileAsync"/>.</param>
    Task<ReconciliationResult<TEntity>> DeletedAsync(TEntity entity, CancellationToken cancellationToken);
}

#pragma warning disable CA1000 // KubeOps' shape: static factories on the generic type
/// <summary>How a reconcile went.</summary>
/// <typeparam name="TEntity">The kind.</typeparam>
public sealed record ReconciliationResult<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private ReconciliationResult()
    {
    }

    /// <summary>Whether it succeeded.</summary>
    public bool IsSuccess { get; private init; }

    /// <summary>What went wrong, for people.</summary>
    public string? ErrorMessage { get; private init; }

    /// <summary>What was thrown, if anything was.</summary>
    public Exception? Error { get; private init; }

    /// <summary>After a success: when to look again at the latest. After a failure: the least delay before the retry.</summary>
    public TimeSpan? RequeueAfter { get; private init; }

    /// <summary>Done for now.</summary>
    /// <param name="requeueAfter">Look again after this time, even if nothing changes.</param>
    public static ReconciliationResult<TEntity> Success(TimeSpan? requeueAfter = null) => new() { IsSuccess = true, RequeueAfter = requeueAfter };

    /// <summary>Done for now; KubeOps' signature.</summary>
    /// <param name="entity">The object; not used.</param>
    /// <param name="requeueAfter">Look again after this time, even if nothing changes.</param>
    public static ReconciliationResult<TEntity> Success(TEntity entity, TimeSpan? requeueAfter = null) => Success(requeueAfter);

    /// <summary>Not done; retried with growing delay.</summary>
    /// <param name="message">What went wrong, for people; no secrets.</param>
    /// <param name="error">What was thrown, if anything was.</param>
    /// <param name="requeueAfter">The least delay before the retry.</param>
    public static ReconciliationResult<TEntity> Failure(string message, Exception? error = null, TimeSpan? requeueAfter = null) =>
        new() { ErrorMessage = message, Error = error, RequeueAfter = requeueAfter };

    /// <summary>Not done; KubeOps' signature.</summary>
    /// <param name="entity">The object; not used.</param>
    /// <param name="message">What went wrong, for people; no secrets.</param>
    /// <param name="error">What was thrown, if anything was.</param>
    /// <param name="requeueAfter">The least delay before the retry.</param>
    public static ReconciliationResult<TEntity> Failure(TEntity entity, string message, Exception? error = null, TimeSpan? requeueAfter = null) =>
        Failure(message, error, requeueAfter);
}
#pragma warning restore CA1000

/// <summary>Wakes a controller from outside, for instance when a metric source answered.</summary>
/// <typeparam name="TEntity">The controller's kind.</typeparam>
public interface IReconcileTrigger<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Reconciles the object as soon as a worker is free.</summary>
    /// <param name="key">The object.</param>
    void Enqueue(NamespacedName key);

    /// <summary>Reconciles the object after a delay; of several delays the earliest counts.</summary>
    /// <param name="key">The object.</param>
    /// <param name="delay">The delay; zero or less means at once.</param>
    void EnqueueAfter(NamespacedName key, TimeSpan delay);
}

/// <summary>The pass that the current code runs in.</summary>
/// <param name="TraceId">32 hex digits that tie logs, events and spans of one pass together.</param>
/// <param name="Key">The object.</param>
/// <param name="Attempt">How many passes of this object failed in a row before this one.</param>
public sealed record ReconcileContext(string TraceId, NamespacedName Key, int Attempt)
{
    private static readonly AsyncLocal<ReconcileContext?> Local = new();

    /// <summary>The current pass; null outside one.</summary>
    public static ReconcileContext? Current
    {
        get => Local.Value;
        internal set => Local.Value = value;
    }
}

/// <summary>Makes trace ids.</summary>
public interface ITraceIdSource
{
    /// <summary>32 lower-case hex digits, not all zero.</summary>
    string Next();
}
