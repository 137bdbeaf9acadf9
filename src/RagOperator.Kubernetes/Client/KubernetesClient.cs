using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>The API server over HTTP. One instance serves a whole process; it is safe for many threads.</summary>
public sealed class KubernetesClient : IKubernetesClient, IDisposable
{
    private const string MergePatch = "application/merge-patch+json";
    private const string ApplyPatch = "application/apply-patch+yaml"; // JSON is YAML

    private readonly KubernetesClientConfiguration _config;
    private readonly ICredentialSource _credentials;
    private readonly bool _ownsCredentials;
    private readonly Transport _transport;
    private readonly Transport _watchTransport;
    private readonly SemaphoreSlim? _concurrency;
    private readonly RequestSender _sender;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Jitter _jitter;

    /// <summary>Connects lazily, with the first request.</summary>
    /// <param name="config">Where the server is and who we are.</param>
    /// <param name="timeProvider">Time; the system's by default.</param>
    /// <param name="loggerFactory">Logs; none by default.</param>
    /// <param name="json">The kinds that can be read; the built-in ones by default.</param>
    /// <param name="metrics">Where requests are counted; nowhere by default.</param>
    /// <param name="jitterSeed">Seed of the pauses' jitter; a random one by default.</param>
    /// <param name="leadership">Outside its terms nothing but reads is sent: <see cref="ApiReason.NotLeading"/>. Null: everything, always.</param>
    public KubernetesClient(
        KubernetesClientConfiguration config,
        TimeProvider? timeProvider = null,
        ILoggerFactory? loggerFactory = null,
        KubernetesJson? json = null,
        KubernetesMetrics? metrics = null,
        int? jitterSeed = null,
        ILeadership? leadership = null)
    {
        _config = config;
        _time = timeProvider ?? TimeProvider.System;
        _logger = (ILogger?)loggerFactory?.CreateLogger<KubernetesClient>() ?? NullLogger.Instance;
        _jitter = new Jitter(jitterSeed ?? RandomNumberGenerator.GetInt32(int.MaxValue));
        Json = json ?? new KubernetesJson();
        Metrics = new ClientMetrics(metrics);
        _credentials = CredentialSource.From(config, _time, _logger);
        _ownsCredentials = true;
        _concurrency = new SemaphoreSlim(config.MaxConcurrentRequests);
        _transport = new Transport(config, TransportPurpose.Api, _time, _logger);
        _watchTransport = new Transport(config, TransportPurpose.Watch, _time, _logger);
        _sender = new RequestSender(config, _transport, _credentials, _time, Metrics, _jitter, _logger, _concurrency, leadership);
        Watches = new RequestSender(config, _watchTransport, _credentials, _time, Metrics, _jitter, _logger);
    }

    private KubernetesClient(KubernetesClient parent)
    {
        _config = parent._config;
        _time = parent._time;
        _logger = parent._logger;
        _jitter = parent._jitter;
        Json = parent.Json;
        Metrics = parent.Metrics;
        _credentials = parent._credentials;
        _transport = new Transport(_config, TransportPurpose.Lease, _time, _logger);
        _watchTransport = _transport;
        _sender = new RequestSender(_config, _transport, _credentials, _time, Metrics, _jitter, _logger);
        Watches = _sender;
    }

    /// <inheritdoc/>
    public Uri BaseUri => _config.Host;

    /// <inheritdoc/>
    public string Namespace => _config.Namespace ?? "default";

    internal KubernetesJson Json { get; }

    internal ClientMetrics Metrics { get; }

    internal RequestSender Watches { get; }

    /// <summary>Time since the server last answered a request or opened a watch.</summary>
    internal TimeSpan Silence => _sender.Contact.Silence < Watches.Contact.Silence ? _sender.Contact.Silence : Watches.Contact.Silence;

    internal bool EverAnswered => _sender.Contact.Ever || Watches.Contact.Ever;

    /// <summary>
    /// The same server with connections of its own and no limit on requests at once, so that neither watches nor a burst of requests can delay
    /// it: for renewing a lease, and so without a look at who leads. Dispose it before this client.
    /// </summary>
    public KubernetesClient WithOwnConnections() => new(this);

    /// <inheritdoc/>
    public async Task<ApiResult<T>> GetAsync<T>(NamespacedName key, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var kind = T.EntityMetadata;
        var request = new ApiRequest(new("get", kind.PluralName, key), HttpMethod.Get, ResourcePath.Object(kind, key));
        return Typed<T>(await _sender.SendAsync(request, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ApiResult<ObjectList<T>>> ListAsync<T>(ListOptions? options = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        options ??= new ListOptions();
        var kind = T.EntityMetadata;
        var call = new ApiCall("list", kind.PluralName, new(options.Namespace ?? "", ""));
        var items = new List<T>();
        var undecodable = new List<NamespacedName>();
        var token = "";
        var version = "";
        // With a version the server answers from its cache, which a limit would bypass.
        var paged = options.ResourceVersion.Length == 0;
        for (var page = 1; ; page++)
        {
            var query = ResourcePath.WithQuery(
                ResourcePath.Collection(kind, options.Namespace),
                ("labelSelector", options.LabelSelector),
                ("fieldSelector", options.FieldSelector),
                ("limit", paged ? $"{options.PageSize}" : null),
                ("continue", token.Length > 0 ? token : null),
                // The server refuses a version beside a continue token, which holds one already.
                ("resourceVersion", token.Length == 0 && options.ResourceVersion.Length > 0 ? options.ResourceVersion : null));
            ListReader<T>? reader = null;
            V1ListMeta? metadata = null;
            var request = new ApiRequest(call, HttpMethod.Get, query)
            {
                Timeout = _config.RequestTimeout * 2,
                Reader = async (stream, ending) =>
                {
                    reader = new(Json.TypeInfo<T>(), _config.MaxWatchEventBytes, options.Trim);
                    metadata = await reader.ReadAsync(stream, ending);
                },
            };
            var answer = await _sender.SendAsync(request, cancellationToken);
            if (!answer.IsSuccess)
            {
                if (page == 1 || answer.Reason is not (ApiReason.Expired or ApiReason.Gone) || !paged) return answer.Failed<ObjectList<T>>();
                // The pages' version was compacted away meanwhile: all in one page, as client-go.
                paged = false;
                token = "";
                items.Clear();
                undecodable.Clear();
                continue;
            }

            items.AddRange(reader!.Items);
            undecodable.AddRange(reader.Undecodable);
            if (token.Length == 0) version = metadata!.ResourceVersion ?? "";
            token = metadata!.ContinueProperty ?? "";
            if (token.Length > 0) continue;
            return new ApiResult<ObjectList<T>>
            {
                Call = call,
                StatusCode = answer.StatusCode,
                AuditId = answer.AuditId,
                Value = new(items, version, undecodable),
            };
        }
    }

    /// <inheritdoc/>
    public async Task<ApiResult<T>> CreateAsync<T>(JsonObject body, string @namespace, bool dryRun = false, TimeSpan? patience = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var kind = T.EntityMetadata;
        var name = body["metadata"] is JsonObject metadata && metadata["name"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
        var path = ResourcePath.WithQuery(ResourcePath.Collection(kind, @namespace),
            ("dryRun", dryRun ? "All" : null),
            // Servers from 1.25 on then name an unknown field instead of dropping it without a word; older ones do not read this.
            ("fieldValidation", dryRun ? "Strict" : null));
        var request = new ApiRequest(new("create", kind.PluralName, new(@namespace, name)), HttpMethod.Post, path)
        {
            Body = Bytes(body, kind, null),
            Timeout = patience,
            Once = patience is not null,
        };
        return Typed<T>(await _sender.SendAsync(request, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ApiResult<T>> ApplyAsync<T>(
        JsonObject body, NamespacedName key, string fieldManager, bool force, string? subresource = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var kind = T.EntityMetadata;
        var path = ResourcePath.WithQuery(
            ResourcePath.Object(kind, key, subresource), ("fieldManager", fieldManager), ("force", force ? "true" : null));
        var request = new ApiRequest(Call("patch", kind, key, subresource), HttpMethod.Patch, path)
        {
            Body = Bytes(body, kind, key.Name),
            ContentType = ApplyPatch,
        };
        return Typed<T>(await _sender.SendAsync(request, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ApiResult<T>> MergePatchAsync<T>(
        JsonObject patch, NamespacedName key, string? subresource = null, TimeSpan? patience = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var kind = T.EntityMetadata;
        var request = new ApiRequest(Call("patch", kind, key, subresource), HttpMethod.Patch, ResourcePath.Object(kind, key, subresource))
        {
            Body = Bytes(patch),
            ContentType = MergePatch,
            Timeout = patience,
            Once = patience is not null,
        };
        return Typed<T>(await _sender.SendAsync(request, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ApiResult<T>> DeleteAsync<T>(
        NamespacedName key,
        string? uid = null,
        string? resourceVersion = null,
        string? propagationPolicy = "Background",
        CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var kind = T.EntityMetadata;
        var options = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions" };
        if (propagationPolicy is not null) options["propagationPolicy"] = propagationPolicy;
        if (uid is not null || resourceVersion is not null)
        {
            var preconditions = new JsonObject();
            if (uid is not null) preconditions["uid"] = uid;
            if (resourceVersion is not null) preconditions["resourceVersion"] = resourceVersion;
            options["preconditions"] = preconditions;
        }

        var request = new ApiRequest(new("delete", kind.PluralName, key), HttpMethod.Delete, ResourcePath.Object(kind, key)) { Body = Bytes(options) };
        var answer = await _sender.SendAsync(request, cancellationToken);
        // A deletion answers with the object or with a Status, as the server likes.
        return answer.IsSuccess && RequestSender.StatusOf(answer.Value) is { } status
            ? new ApiResult<T> { Call = answer.Call, StatusCode = answer.StatusCode, AuditId = answer.AuditId, Status = status }
            : Typed<T>(answer);
    }

    /// <inheritdoc/>
    public Task<ApiResult<byte[]>> SendAsync(
        HttpMethod method,
        string path,
        IReadOnlyList<KeyValuePair<string, string>>? query = null,
        ReadOnlyMemory<byte> body = default,
        string? contentType = null,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        var pairs = (query ?? []).Select(static p => (p.Key, (string?)p.Value)).ToArray();
        var request = new ApiRequest(new(VerbOf(method), "raw", default), method, ResourcePath.WithQuery(path, pairs))
        {
            Body = body,
            ContentType = contentType ?? "application/json",
            Timeout = timeout,
        };
        return _sender.SendAsync(request, cancellationToken);
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose()
    {
        _transport.Dispose();
        _watchTransport.Dispose();
        _concurrency?.Dispose();
        if (_ownsCredentials) _credentials.Dispose();
    }

    private ApiResult<T> Typed<T>(ApiResult<byte[]> answer)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        if (!answer.IsSuccess) return answer.Failed<T>();
        try
        {
            var value = JsonSerializer.Deserialize(answer.Value, Json.TypeInfo<T>()) ?? throw new JsonException("null");
            return new ApiResult<T>
            {
                Call = answer.Call,
                StatusCode = answer.StatusCode,
                AuditId = answer.AuditId,
                Value = value.Complete(),
            };
        }
        catch (JsonException e)
        {
            return Malformed<T>(answer, e);
        }
    }

    private static ApiResult<T> Malformed<T>(ApiResult<byte[]> answer, JsonException e)
        where T : class => new()
        {
            Call = answer.Call,
            StatusCode = answer.StatusCode,
            AuditId = answer.AuditId,
            Reason = ApiReason.Malformed,
            Message = $"the answer could not be read: {e.Message}",
            Error = e,
        };

    private static ApiCall Call(string verb, EntityMetadata kind, NamespacedName key, string? subresource) =>
        new(verb, subresource is null ? kind.PluralName : $"{kind.PluralName}/{subresource}", key);

    private static string VerbOf(HttpMethod method) => method.Method switch
    {
        "GET" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "other",
    };

    private static ReadOnlyMemory<byte> Bytes(JsonObject body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) body.WriteTo(writer);
        return buffer.WrittenMemory;
    }

    /// <summary>Writes the body with apiVersion, kind and name filled in, without touching the caller's object.</summary>
    private static ReadOnlyMemory<byte> Bytes(JsonObject body, EntityMetadata kind, string? name)
    {
        var complete = body["apiVersion"] is not null && body["kind"] is not null
            && (name is null || body["metadata"] is JsonObject given && given["name"] is not null);
        if (complete) return Bytes(body);
        var copy = body.DeepClone().AsObject();
        copy["apiVersion"] ??= kind.ApiVersion;
        copy["kind"] ??= kind.Kind;
        if (name is not null)
        {
            if (copy["metadata"] is not JsonObject metadata) copy["metadata"] = metadata = [];
            metadata["name"] ??= name;
        }

        return Bytes(copy);
    }
}
