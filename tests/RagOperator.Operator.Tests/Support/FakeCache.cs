using System.Globalization;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Tests.Support;

/// <summary>A cache that shows the fake server as it is, or as it was when a test froze it.</summary>
internal sealed class FakeCache<T>(FakeApi api) : IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    private (List<T> Items, long Version)? _frozen;

    public CacheState State { get; set; } = CacheState.Watching;

    public bool HasSynced { get; set; } = true;

    public IReadOnlyCollection<T> Items => [.. (_frozen?.Items ?? api.All<T>()).Where(static o => typeof(T) == typeof(Api.V1Alpha1.RagDeployment) || o.GetLabel(ApiConstants.NameLabel) is not null)];

    public string LastSyncResourceVersion => Position.ToString(CultureInfo.InvariantCulture);

    private long Position => _frozen?.Version ?? api.Version;

    /// <summary>What the server has now.</summary>
    public (List<T> Items, long Version) Now => ([.. api.All<T>()], api.Version);

    public void Freeze() => Freeze(Now);

    public void Freeze((List<T> Items, long Version) then) => _frozen = then;

    public void Thaw() => _frozen = null;

    public T? Get(NamespacedName key) => Items.FirstOrDefault(o => o.Key() == key);

    public IReadOnlyList<T> ByIndex(string indexName, string key) =>
        indexName == CacheIndex.Label(ApiConstants.NameLabel) ? [.. Items.Where(o => o.GetLabel(ApiConstants.NameLabel) == key)] : throw new ArgumentException("no such index", nameof(indexName));

    public bool HasSeen(NamespacedName key, string resourceVersion) => long.Parse(resourceVersion, CultureInfo.InvariantCulture) <= Position;

    public IDisposable Subscribe(Action<ObjectChange<T>> onChange) => throw new NotSupportedException();

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<bool> WaitForKindAsync(CancellationToken cancellationToken) => Task.FromResult(State != CacheState.KindMissing);
}
