using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>
/// The API server, one request at a time. Every answer is a value: see <see cref="ApiResult"/>. Reads here are live; for cheap reads there is
/// <see cref="IObjectCache{T}"/>. There is no PUT: replacing an object with a typed model would erase fields that the model lacks.
/// </summary>
/// <remarks>
/// Retries: an answer 429 or 5xx with Retry-After is retried for any verb (the server says that it did not process the request), a lost
/// connection for GET only; at most 10 times and within the call's time limit. Writes outside a term of leadership are not sent
/// (<see cref="ApiReason.NotLeading"/>). A cancelled token throws <see cref="OperationCanceledException"/>.
/// </remarks>
public interface IKubernetesClient
{
    /// <summary>The server's address.</summary>
    Uri BaseUri { get; }

    /// <summary>The namespace of the current context, or the pod's own; <c>default</c> if neither is known.</summary>
    string Namespace { get; }

    /// <summary>Reads one object, live. A missing one is <see cref="ApiReason.NotFound"/>; see <see cref="ApiResult{T}.ValueOrNull"/>.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="key">The object.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<T>> GetAsync<T>(NamespacedName key, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>Reads all objects that the options select, page by page, at one consistent resourceVersion.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="options">Which objects; all of all namespaces by default.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<ObjectList<T>>> ListAsync<T>(ListOptions? options = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>Creates an object by POST. A name that is taken is <see cref="ApiReason.AlreadyExists"/>.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="body">The object; apiVersion and kind are filled in where absent.</param>
    /// <param name="namespace">The namespace; empty for cluster-scoped kinds.</param>
    /// <param name="dryRun">Only let the server say whether it would.</param>
    /// <param name="patience">As in <see cref="MergePatchAsync{T}"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<T>> CreateAsync<T>(JsonObject body, string @namespace, bool dryRun = false, TimeSpan? patience = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>
    /// Server-side apply. The body holds only the fields that the manager owns. A metadata.uid or metadata.resourceVersion in it is sent as it
    /// is and makes the write conditional: when it is not the object's, the answer is <see cref="ApiReason.Conflict"/>.
    /// </summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="body">The fields; apiVersion, kind and metadata.name are filled in where absent.</param>
    /// <param name="key">The object.</param>
    /// <param name="fieldManager">The manager's name, constant for ever.</param>
    /// <param name="force">Take over fields that others own.</param>
    /// <param name="subresource">For instance <c>status</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<T>> ApplyAsync<T>(
        JsonObject body, NamespacedName key, string fieldManager, bool force, string? subresource = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>JSON merge patch: null deletes, lists are replaced whole. uid and resourceVersion in metadata make it conditional.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="patch">The change.</param>
    /// <param name="key">The object.</param>
    /// <param name="subresource">For instance <c>status</c>.</param>
    /// <param name="patience">For a caller with something more urgent behind it: how long the answer may take, and whatever it is, it is not
    /// asked for again. Null: as the configuration says, and a server that asks to slow down is asked again.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<T>> MergePatchAsync<T>(
        JsonObject patch, NamespacedName key, string? subresource = null, TimeSpan? patience = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>
    /// Deletes an object. The value is the object as it was or is being deleted, where the server returns it, else null.
    /// A missing object is <see cref="ApiReason.NotFound"/>, a precondition that does not hold <see cref="ApiReason.Conflict"/>.
    /// </summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="key">The object.</param>
    /// <param name="uid">Delete only this incarnation.</param>
    /// <param name="resourceVersion">Delete only at this version.</param>
    /// <param name="propagationPolicy"><c>Background</c>, <c>Foreground</c> or <c>Orphan</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<T>> DeleteAsync<T>(
        NamespacedName key,
        string? uid = null,
        string? resourceVersion = null,
        string? propagationPolicy = "Background",
        CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>Sends any request. The value is the body as it came.</summary>
    /// <param name="method">GET, POST, PATCH or DELETE; PUT where a protocol of the server's demands it (Lease).</param>
    /// <param name="path">The path, beginning with a slash, each part escaped.</param>
    /// <param name="query">The query's parameters, unescaped.</param>
    /// <param name="body">The body, if any.</param>
    /// <param name="contentType">The body's type; <c>application/json</c> by default.</param>
    /// <param name="timeout">Time limit over all retries; 30 s by default.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApiResult<byte[]>> SendAsync(
        HttpMethod method,
        string path,
        IReadOnlyList<KeyValuePair<string, string>>? query = null,
        ReadOnlyMemory<byte> body = default,
        string? contentType = null,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default);
}

/// <summary>Which objects a list returns.</summary>
public sealed record ListOptions
{
    /// <summary>The namespace; null or empty for all.</summary>
    public string? Namespace { get; init; }

    /// <summary>A label selector, for instance <c>app=a,tier in (x,y)</c>.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>A field selector, for instance <c>metadata.name=a</c>.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Objects per page, 1 and more; 500 by default, as client-go.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>
    /// Empty (the default): the newest state, by a quorum read. Else a state that is not older than this version, from the server's cache,
    /// in one page.
    /// </summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>Takes from each object, as soon as it is read, what is not to be kept of it; null: nothing.</summary>
    internal Action<object>? Trim { get; init; }
}

/// <summary>Objects as they were together at one resourceVersion.</summary>
/// <typeparam name="T">The kind.</typeparam>
/// <param name="Items">The objects.</param>
/// <param name="ResourceVersion">The list's version: where a watch goes on from.</param>
/// <param name="Undecodable">Objects that are there but could not be read as <typeparamref name="T"/>.</param>
public sealed record ObjectList<T>(IReadOnlyList<T> Items, string ResourceVersion, IReadOnlyList<NamespacedName> Undecodable);
