using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Kubernetes;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Tests.Support;

/// <summary>A request that reached the server.</summary>
internal sealed record FakeRequest(string Verb, string Resource, NamespacedName Key, JsonObject? Body, bool DryRun)
{
    /// <summary>Whether it changed something.</summary>
    public bool Accepted { get; set; }

    /// <summary>How long the answer may take; null: as any other.</summary>
    public TimeSpan? Patience { get; set; }

    public bool IsWrite => !DryRun && Verb is "create" or "patch" or "delete";

    public override string ToString() => $"{Verb} {Resource} {Key.Name}{(DryRun ? " (dry run)" : "")}";
}

/// <summary>A refusal that a test asks for.</summary>
internal sealed record Fault(ApiReason Reason, int Code, string Message = "asked for by the test", V1Status? Status = null);

/// <summary>An API server in memory: creation, merge patches with preconditions, deletion, generations. No validation, no controllers.</summary>
internal sealed class FakeApi : IKubernetesClient
{
    private static readonly KubernetesJson Json = new(ApiJsonContext.Default);
    private readonly Dictionary<(string Plural, NamespacedName Key), JsonObject> _objects = [];
    private long _version = 1000;
    private int _uids;

    /// <summary>Asked before each request: what it shall fail with, or null. May change objects, as others would in between.</summary>
    public Func<FakeRequest, Fault?> Fault { get; set; } = static _ => null;

    /// <summary>Awaited before an object is read.</summary>
    public Func<FakeRequest, CancellationToken, Task> Reading { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>Awaited before each dry run: a server that takes its time.</summary>
    public Func<Task> DryRun { get; set; } = static () => Task.CompletedTask;

    /// <summary>What the server drops from an object before it stores it: fields that its definition of the kind does not have.</summary>
    public Action<string, JsonObject> Prune { get; set; } = static (_, _) => { };

    public List<FakeRequest> Requests { get; } = [];

    public IEnumerable<FakeRequest> Writes => Requests.Where(static r => r.IsWrite);

    public IEnumerable<string> Accepted => Requests.Where(static r => r is { IsWrite: true, Accepted: true }).Select(static r => r.ToString());

    public long Version => _version;

    public Uri BaseUri { get; } = new("http://fake.invalid");

    public string Namespace => "default";

    public IEnumerable<T> All<T>()
        where T : class, IKubernetesStaticMetadata =>
        _objects.Where(static o => o.Key.Plural == T.EntityMetadata.PluralName).Select(static o => Typed<T>(o.Value));

    public JsonObject? Raw<T>(string name)
        where T : IKubernetesStaticMetadata => _objects.GetValueOrDefault((T.EntityMetadata.PluralName, new("rag", name)));

    /// <summary>Somebody else creates or replaces an object.</summary>
    public JsonObject Put<T>(JsonObject body)
        where T : IKubernetesStaticMetadata => Put(T.EntityMetadata.PluralName, body);

    /// <summary>Somebody else creates an object that is in no namespace.</summary>
    public void PutCluster(string plural, JsonObject body)
    {
        body["metadata"]!["uid"] ??= $"u-{++_uids}";
        Store((plural, new("", body["metadata"]!["name"]!.GetValue<string>())), null, body);
    }

    /// <summary>An object that is in no namespace.</summary>
    public JsonObject? RawCluster(string plural, string name) => _objects.GetValueOrDefault((plural, new("", name)));

    /// <summary>Somebody else changes an object.</summary>
    public void Change<T>(string name, string mergePatch)
        where T : IKubernetesStaticMetadata
    {
        var key = (T.EntityMetadata.PluralName, new NamespacedName("rag", name));
        var before = _objects[key];
        Store(key, before, MergePatch.Apply(Sample.Object(mergePatch), before));
    }

    public void Remove<T>(string name)
        where T : IKubernetesStaticMetadata => _objects.Remove((T.EntityMetadata.PluralName, new("rag", name)));

    public async Task<ApiResult<T>> GetAsync<T>(NamespacedName key, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var (call, refused) = Begin<T>("get", key, null, null, false);
        await Reading(Requests[^1], cancellationToken);
        if (refused is not null) return await Failed<T>(call, refused);
        return await (_objects.TryGetValue((T.EntityMetadata.PluralName, key), out var found) ? Done(call, Typed<T>(found)) : Failed<T>(call, NotFound(key)));
    }

    public Task<ApiResult<ObjectList<T>>> ListAsync<T>(ListOptions? options = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var (call, refused) = Begin<T>("list", new(options?.Namespace ?? "", ""), null, null, false);
        if (refused is not null) return Failed<ObjectList<T>>(call, refused);
        var selector = options?.LabelSelector?.Split('=');
        var items = All<T>().Where(o => selector is null || o.GetLabel(selector[0]) == selector[1]).ToList();
        return Done(call, new ObjectList<T>(items, Text(_version), []));
    }

    public async Task<ApiResult<T>> CreateAsync<T>(JsonObject body, string @namespace, bool dryRun = false, TimeSpan? patience = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        if (dryRun) await DryRun();
        // A name that the server makes up is nobody's.
        var key = new NamespacedName(@namespace, body["metadata"]!["name"]?.GetValue<string>() ?? $"{body["metadata"]!["generateName"]}{_version}");
        var (call, refused) = Begin<T>("create", key, null, body, dryRun);
        Requests[^1].Patience = patience;
        if (refused is not null) return await Failed<T>(call, refused);
        if (_objects.ContainsKey((T.EntityMetadata.PluralName, key)))
            return await Failed<T>(call, new(ApiReason.AlreadyExists, 409, $"{T.EntityMetadata.PluralName} \"{key.Name}\" already exists"));
        var made = body.DeepClone().AsObject();
        Prune(T.EntityMetadata.PluralName, made);
        if (dryRun) return await Done(call, Typed<T>(made));
        Requests[^1].Accepted = true;
        return await Done(call, Typed<T>(Put(T.EntityMetadata.PluralName, made)));
    }

    public Task<ApiResult<T>> ApplyAsync<T>(
        JsonObject body, NamespacedName key, string fieldManager, bool force, string? subresource = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata => throw new NotSupportedException();

    public Task<ApiResult<T>> MergePatchAsync<T>(
        JsonObject patch, NamespacedName key, string? subresource = null, TimeSpan? patience = null, CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var (call, refused) = Begin<T>("patch", key, subresource, patch, false);
        Requests[^1].Patience = patience;
        if (refused is not null) return Failed<T>(call, refused);
        var place = (T.EntityMetadata.PluralName, key);
        if (!_objects.TryGetValue(place, out var before)) return Failed<T>(call, NotFound(key));
        if (Stale(patch["metadata"]?["uid"], before["metadata"]!["uid"]) || Stale(patch["metadata"]?["resourceVersion"], before["metadata"]!["resourceVersion"]))
            return Failed<T>(call, new(ApiReason.Conflict, 409, "the object has been modified"));
        var change = patch.DeepClone().AsObject();
        if (subresource == "status") change = new JsonObject { ["status"] = change["status"]?.DeepClone() };
        else change.Remove("status");
        Requests[^1].Accepted = true;
        var changed = MergePatch.Apply(change, before);
        Prune(T.EntityMetadata.PluralName, changed);
        return Done(call, Typed<T>(Store(place, before, changed)));
    }

    public Task<ApiResult<T>> DeleteAsync<T>(
        NamespacedName key,
        string? uid = null,
        string? resourceVersion = null,
        string? propagationPolicy = "Background",
        CancellationToken cancellationToken = default)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var (call, refused) = Begin<T>("delete", key, null, null, false);
        if (refused is not null) return Failed<T>(call, refused);
        var place = (T.EntityMetadata.PluralName, key);
        if (!_objects.TryGetValue(place, out var before)) return Failed<T>(call, NotFound(key));
        if (Stale(uid, before["metadata"]!["uid"]) || Stale(resourceVersion, before["metadata"]!["resourceVersion"]))
            return Failed<T>(call, new(ApiReason.Conflict, 409, "precondition failed"));
        Requests[^1].Accepted = true;
        _objects.Remove(place);
        _version++;
        return Done(call, Typed<T>(before));
    }

    public Task<ApiResult<byte[]>> SendAsync(
        HttpMethod method,
        string path,
        IReadOnlyList<KeyValuePair<string, string>>? query = null,
        ReadOnlyMemory<byte> body = default,
        string? contentType = null,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        var parts = path.Split('/');
        var key = new NamespacedName(parts[^3], parts[^1]);
        var call = new ApiCall("get", parts[^2], key);
        return _objects.TryGetValue((parts[^2], key), out var found)
            ? Done(call, System.Text.Encoding.UTF8.GetBytes(found.ToJsonString()))
            : Failed<byte[]>(call, NotFound(key));
    }

    private JsonObject Put(string plural, JsonObject body)
    {
        body["metadata"] ??= new JsonObject();
        var key = new NamespacedName("rag", body["metadata"]!["name"]!.GetValue<string>());
        body["metadata"]!["namespace"] = "rag";
        body["metadata"]!["uid"] ??= $"u-{++_uids}";
        body["metadata"]!["generation"] = 1L;
        return Store((plural, key), null, body);
    }

    private JsonObject Store((string Plural, NamespacedName Key) place, JsonObject? before, JsonObject after)
    {
        after["metadata"]!["resourceVersion"] = Text(++_version);
        if (before is not null && !JsonNode.DeepEquals(before["spec"], after["spec"]))
            after["metadata"]!["generation"] = before["metadata"]!["generation"]!.GetValue<long>() + 1;
        return _objects[place] = after;
    }

    private (ApiCall Call, Fault? Fault) Begin<T>(string verb, NamespacedName key, string? subresource, JsonObject? body, bool dryRun)
        where T : IKubernetesStaticMetadata
    {
        var resource = subresource is null ? T.EntityMetadata.PluralName : $"{T.EntityMetadata.PluralName}/{subresource}";
        var request = new FakeRequest(verb, resource, key, body?.DeepClone().AsObject(), dryRun);
        Requests.Add(request);
        return (new ApiCall(verb, resource, key), Fault(request));
    }

    private static bool Stale(JsonNode? wanted, JsonNode? found) => wanted is not null && !JsonNode.DeepEquals(wanted, found);

    private static bool Stale(string? wanted, JsonNode? found) => wanted is not null && wanted != found!.GetValue<string>();

    private static Fault NotFound(NamespacedName key) => new(ApiReason.NotFound, 404, $"\"{key.Name}\" not found");

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static T Typed<T>(JsonObject json) => json.Deserialize(Json.TypeInfo<T>())!;

    private static Task<ApiResult<T>> Done<T>(ApiCall call, T value)
        where T : class => Task.FromResult(new ApiResult<T> { Call = call, StatusCode = 200, Value = value });

    private static Task<ApiResult<T>> Failed<T>(ApiCall call, Fault fault)
        where T : class => Task.FromResult(new ApiResult<T> { Call = call, StatusCode = fault.Code, Reason = fault.Reason, Message = fault.Message, Status = fault.Status });
}
