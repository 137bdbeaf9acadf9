using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Cluster;

/// <summary>All objects of one kind, kept up to date by list and watch. Calls <paramref name="changed"/> after each change.</summary>
internal sealed class Mirror(ClusterClient client, string path, Action changed)
{
    private readonly MirroredItems _items = new();
    private volatile bool _synced;

    /// <summary>Whether a first list has come through.</summary>
    public bool Synced => _synced;

    public IReadOnlyList<JsonObject> Items => _items.All;

    public JsonObject? Find(string namespaceName, string name) => _items.Find(namespaceName, name);

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
        _items.Replace(list["items"]!.AsArray().Cast<JsonObject>());
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
                _items.Remove(item);
            else
                _items.Set(item);
            changed();
        }
    }
}
