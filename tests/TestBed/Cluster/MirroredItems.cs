using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Cluster;

/// <summary>The objects of a <see cref="Mirror"/>, in the order of their namespaces and names. One writes, any number read, each of them a whole state.</summary>
/// <remarks>No ConcurrentDictionary: what LINQ makes of one copies it in two steps, its length first, and throws when an object has come in between.</remarks>
internal sealed class MirroredItems
{
    private volatile ImmutableSortedDictionary<string, JsonObject> _items = ImmutableSortedDictionary.Create<string, JsonObject>(StringComparer.Ordinal);

    public IReadOnlyList<JsonObject> All => [.. _items.Values];

    public JsonObject? Find(string namespaceName, string name) => _items.GetValueOrDefault($"{namespaceName}/{name}");

    public void Replace(IEnumerable<JsonObject> items) => _items = items.ToImmutableSortedDictionary(KeyOf, static item => item, StringComparer.Ordinal);

    public void Set(JsonObject item) => _items = _items.SetItem(KeyOf(item), item);

    public void Remove(JsonObject item) => _items = _items.Remove(KeyOf(item));

    private static string KeyOf(JsonObject item) => $"{item["metadata"]!["namespace"]?.GetValue<string>()}/{item["metadata"]!["name"]!.GetValue<string>()}";
}
