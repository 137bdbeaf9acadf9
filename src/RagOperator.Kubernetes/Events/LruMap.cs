using System.Diagnostics.CodeAnalysis;

namespace RagOperator.Kubernetes;

/// <summary>A map that forgets what was not used for longest once it is full. For one thread.</summary>
internal sealed class LruMap<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<KeyValuePair<TKey, TValue>>> _nodes = [];
    private readonly LinkedList<KeyValuePair<TKey, TValue>> _byUse = new();

    public IEnumerable<KeyValuePair<TKey, TValue>> Entries => _byUse;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (!_nodes.TryGetValue(key, out var node))
        {
            value = default;
            return false;
        }

        _byUse.Remove(node);
        _byUse.AddFirst(node);
        value = node.Value.Value;
        return true;
    }

    public TValue GetOrAdd(TKey key, Func<TValue> make)
    {
        if (TryGet(key, out var known)) return known;
        var value = make();
        Set(key, value);
        return value;
    }

    public void Set(TKey key, TValue value)
    {
        Remove(key);
        if (_nodes.Count >= capacity) Remove(_byUse.Last!.Value.Key);
        _nodes[key] = _byUse.AddFirst(KeyValuePair.Create(key, value));
    }

    public void Remove(TKey key)
    {
        if (_nodes.Remove(key, out var node)) _byUse.Remove(node);
    }
}
