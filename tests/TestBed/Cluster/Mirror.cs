using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Cluster;

/// <summary>All objects of one kind, kept up to date by list and watch. Calls <paramref name="changed"/> after each change.</summary>
internal sealed class Mirror(ClusterClient client, string path, Action changed)
{
    private readonly ConcurrentDictionary<string, JsonObject> _items = new(StringComparer.Ordinal);
    private volatile bool _synced;

    /// <summary>Whether a first list has come through.</summary>
    public bool Synced => _synced;

    public IReadOnlyList<JsonObject> Items => [.. _items.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)];

    public JsonObject? Find(string namespaceName, string name) => _items.GetValueOrDefault($"{namespaceName}/{name}");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await client.GetAsync(path, cancellationToken) is { } list)
                    await FollowAsync(list, cancellationToken);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // The API server went away (tests do that), or did not take a connection in time: begin again with a list.
            }

            await TimeProvider.System.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    private async Task FollowAsync(JsonObject list, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in list["items"]!.AsArray())
        {
            var item = (JsonObject)node!;
            found.Add(KeyOf(item));
            _items[KeyOf(item)] = item;
        }

        foreach (var key in _items.Keys.Where(key => !found.Contains(key)).ToList())
            _items.TryRemove(key, out _);
        _synced = true;
        changed();

        await foreach (var change in client.WatchAsync(path, list["metadata"]!["resourceVersion"]!.GetValue<string>(), cancellationToken))
        {
            var type = change["type"]!.GetValue<string>();
            if (type == "ERROR")
                return;
            if (type == "BOOKMARK")
                continue;
            var item = (JsonObject)change["object"]!.DeepClone();
            if (type == "DELETED")
                _items.TryRemove(KeyOf(item), out _);
            else
                _items[KeyOf(item)] = item;
            changed();
        }
    }

    private static string KeyOf(JsonObject item) => $"{item["metadata"]!["namespace"]?.GetValue<string>()}/{item["metadata"]!["name"]!.GetValue<string>()}";
}
