using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Controller;

/// <summary>One kind as the controller reads and writes it, whatever its type.</summary>
internal abstract class KindPort
{
    /// <summary>The kind's name: <c>Deployment</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>Whether the cache can tell nothing, because the server does not serve the kind.</summary>
    public abstract bool KindMissing { get; }

    /// <summary>Whether the cache shows a version of an object, or a later one.</summary>
    public abstract bool HasSeen(NamespacedName key, string resourceVersion);

    /// <summary>Whether the cache shows that an incarnation of an object is gone or going.</summary>
    public abstract bool HasSeenDeletion(NamespacedName key, string uid);

    /// <summary>The object as the cache has it.</summary>
    public abstract IKubernetesObject<V1ObjectMeta>? Cached(NamespacedName key);

    /// <summary>The children of an object that the cache has.</summary>
    public abstract IEnumerable<IKubernetesObject<V1ObjectMeta>> CachedOf(NamespacedName owner);

    public abstract Task<Answer> GetAsync(NamespacedName key, CancellationToken cancellationToken);

    // Patience: how long the answer may take where something more urgent waits behind it; it is not asked for again then.
    public abstract Task<Answer> CreateAsync(JsonObject body, string ns, bool dryRun, TimeSpan? patience, CancellationToken cancellationToken);

    public abstract Task<Answer> PatchAsync(JsonObject patch, NamespacedName key, string? subresource, TimeSpan? patience, CancellationToken cancellationToken);

    public abstract Task<Answer> DeleteAsync(NamespacedName key, string uid, string resourceVersion, CancellationToken cancellationToken);
}

/// <summary>The outcome of one request, with the object that it returned, if any.</summary>
internal readonly record struct Answer(ApiResult Result, IKubernetesObject<V1ObjectMeta>? Object)
{
    public bool IsSuccess => Result.IsSuccess;

    public ApiReason Reason => Result.Reason;

    /// <summary>Whether only a live read can tell what the object is now.</summary>
    public bool NeedsRead => Result.IsOutcomeUnknown || Reason is ApiReason.Malformed or ApiReason.Conflict or ApiReason.NotFound;
}

/// <inheritdoc cref="KindPort"/>
internal sealed class KindPort<T>(IKubernetesClient client, IObjectCache<T> cache) : KindPort
    where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    public override string Kind => T.EntityMetadata.Kind;

    public override bool KindMissing => cache.State == CacheState.KindMissing;

    public override bool HasSeen(NamespacedName key, string resourceVersion) => cache.HasSeen(key, resourceVersion);

    public override bool HasSeenDeletion(NamespacedName key, string uid) =>
        cache.Get(key) is not { } found || !string.Equals(found.Uid(), uid, StringComparison.Ordinal) || found.Metadata.DeletionTimestamp is not null;

    public override IKubernetesObject<V1ObjectMeta>? Cached(NamespacedName key) => cache.Get(key);

    public override IEnumerable<IKubernetesObject<V1ObjectMeta>> CachedOf(NamespacedName owner) => Cluster.Of(cache, owner);

    public override async Task<Answer> GetAsync(NamespacedName key, CancellationToken cancellationToken) =>
        Of(await client.GetAsync<T>(key, cancellationToken));

    public override async Task<Answer> CreateAsync(JsonObject body, string ns, bool dryRun, TimeSpan? patience, CancellationToken cancellationToken) =>
        Of(await client.CreateAsync<T>(body, ns, dryRun, patience, cancellationToken));

    public override async Task<Answer> PatchAsync(JsonObject patch, NamespacedName key, string? subresource, TimeSpan? patience, CancellationToken cancellationToken) =>
        Of(await client.MergePatchAsync<T>(patch, key, subresource, patience, cancellationToken));

    public override async Task<Answer> DeleteAsync(NamespacedName key, string uid, string resourceVersion, CancellationToken cancellationToken) =>
        Of(await client.DeleteAsync<T>(key, uid, resourceVersion, cancellationToken: cancellationToken));

    private static Answer Of(ApiResult<T> result) => new(result, result.Value);
}
