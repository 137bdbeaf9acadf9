using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.Caching;

/// <summary>An operator with Roles in a few namespaces keeps a cache for each, and its controllers see one.</summary>
public sealed class JoinedCacheTests : IAsyncLifetime, IDisposable
{
    private readonly Dictionary<string, ObjectCache<V1ConfigMap>> _caches = new(StringComparer.Ordinal);
    private FakeApiServer _server = null!;
    private KubernetesClient _client = null!;
    private JoinedCache<V1ConfigMap> _joined = null!;

    public async Task InitializeAsync()
    {
        _server = await FakeApiServer.StartAsync();
        _client = new KubernetesClient(_server.Configuration, TimeProvider.System, jitterSeed: 1);
        foreach (var place in (string[])["a", "b"])
        {
            var options = new CacheOptions<V1ConfigMap> { Namespace = place };
            options.LabelIndexes.Add("app");
            _caches[place] = new ObjectCache<V1ConfigMap>(_client, options, TimeProvider.System, jitterSeed: 2);
        }

        _joined = new JoinedCache<V1ConfigMap>(_caches);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task It_has_synced_when_all_have()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        var wait = _joined.WaitForSyncAsync(patience.Token);
        List("a", "5");
        Assert.False(_joined.HasSynced);
        Assert.False(wait.IsCompleted);
        List("b", "9");
        Assert.True(_joined.HasSynced);
        await wait;
    }

    [Fact]
    public void Objects_of_the_same_name_are_kept_apart()
    {
        List("a", "5", Item("a", "x", "3"));
        List("b", "9", Item("b", "x", "7"), Item("b", "y", "8"));
        Assert.Equal("3", _joined.Get(new("a", "x"))!.ResourceVersion());
        Assert.Equal("7", _joined.Get(new("b", "x"))!.ResourceVersion());
        Assert.Null(_joined.Get(new("c", "x")));
        Assert.Equal(3, _joined.Items.Count);
        Assert.Equal(3, _joined.ByIndex(CacheIndex.Label("app"), "rag").Count);
        // Each namespace has its own position: what b has passed says nothing of a.
        Assert.True(_joined.HasSeen(new("b", "x"), "8"));
        Assert.False(_joined.HasSeen(new("a", "x"), "8"));
        Assert.False(_joined.HasSeen(new("c", "x"), "1"));
    }

    [Fact]
    public void A_subscriber_hears_of_all_until_it_leaves()
    {
        var told = new List<string>();
        List("a", "5", Item("a", "x", "3"));
        using (_joined.Subscribe(change => told.Add($"{change.Object.Namespace()}/{change.Object.Name()}")))
        {
            List("b", "9", Item("b", "y", "8"));
            _caches["a"].Apply(Item("a", "z", "6"), deleted: false);
        }

        _caches["b"].Apply(Item("b", "late", "10"), deleted: false);
        Assert.Equal(["a/x", "b/y", "a/z"], told);
    }

    [Theory]
    [InlineData(CacheState.Watching, CacheState.Watching, CacheState.Watching)]
    [InlineData(CacheState.Watching, CacheState.Listing, CacheState.Listing)]
    [InlineData(CacheState.Forbidden, CacheState.Watching, CacheState.Forbidden)]
    [InlineData(CacheState.KindMissing, CacheState.KindMissing, CacheState.KindMissing)]
    // A kind is missing everywhere or nowhere: one of the two was told what is not so.
    [InlineData(CacheState.KindMissing, CacheState.Forbidden, CacheState.Forbidden)]
    [InlineData(CacheState.KindMissing, CacheState.BackingOff, CacheState.BackingOff)]
    public void It_shows_the_worst(CacheState a, CacheState b, CacheState shown)
    {
        List("a", "5");
        List("b", "9");
        _caches["a"].Enter(a, "of a");
        _caches["b"].Enter(b, "of b");
        Assert.Equal(shown, _joined.State);
        var report = ((IHealthSource)_joined).Check();
        Assert.Equal(shown is CacheState.Watching or CacheState.Listing ? HealthVerdict.Healthy : HealthVerdict.Degraded, report.Status);
        if (a == CacheState.Forbidden) Assert.StartsWith("a: of a", report.Detail, StringComparison.Ordinal);
    }

    private void List(string place, string version, params V1ConfigMap[] items) => _caches[place].Replace(new ObjectList<V1ConfigMap>(items, version, []));

    private static V1ConfigMap Item(string place, string name, string version) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = place, Name = name, Uid = $"{place}-{name}", ResourceVersion = version, Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["app"] = "rag" } },
    };
}
