using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>
/// Objects by key, with indexes. Changes are applied by one writer (the reflector); reads come from anywhere. Each change returns what
/// subscribers are to be told, and they are told outside the lock.
/// </summary>
internal sealed class ObjectStore<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Func<T, IEnumerable<string>>> _functions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, HashSet<NamespacedName>>> _indexes = new(StringComparer.Ordinal);
    private Dictionary<NamespacedName, T> _objects = [];
    private string _version = "";

    public ObjectStore(IEnumerable<KeyValuePair<string, Func<T, IEnumerable<string>>>> indexes)
    {
        _functions[CacheIndex.OwnerUid] = static o => o.Metadata.OwnerReferences?.Select(static r => r.Uid) ?? [];
        foreach (var (name, function) in indexes) _functions[name] = function;
        foreach (var name in _functions.Keys) _indexes[name] = new(StringComparer.Ordinal);
    }

    /// <summary>Up to here everything was seen.</summary>
    public string Version
    {
        get
        {
            lock (_lock) return _version;
        }
    }

    public T? Get(NamespacedName key)
    {
        lock (_lock) return _objects.GetValueOrDefault(key);
    }

    public T[] Snapshot()
    {
        lock (_lock) return [.. _objects.Values];
    }

    public T[] ByIndex(string index, string key)
    {
        lock (_lock)
        {
            if (!_indexes.TryGetValue(index, out var entries))
                throw new ArgumentException($"The cache of {typeof(T).Name} has no index {index}; it has {string.Join(", ", _indexes.Keys)}.", nameof(index));
            return entries.TryGetValue(key, out var keys) ? [.. keys.Select(k => _objects[k])] : [];
        }
    }

    public bool HasSeen(NamespacedName key, string version)
    {
        lock (_lock)
        {
            if (_objects.TryGetValue(key, out var held) && AtLeast(held.ResourceVersion(), version)) return true;
            return AtLeast(_version, version);
        }
    }

    /// <summary>Takes over a complete list at once: what is missing from it is gone.</summary>
    /// <param name="items">The list.</param>
    /// <param name="version">The list's version.</param>
    /// <param name="keep">Keys that are on the server but could not be read: what is held of them stays.</param>
    public List<ObjectChange<T>> Replace(IReadOnlyList<T> items, string version, IReadOnlyList<NamespacedName> keep)
    {
        lock (_lock)
        {
            var next = new Dictionary<NamespacedName, T>(items.Count);
            foreach (var item in items) next[item.Key()] = item;
            foreach (var key in keep)
                if (_objects.TryGetValue(key, out var held)) next.TryAdd(key, held);

            var changes = new List<ObjectChange<T>>(next.Count);
            foreach (var (key, old) in _objects)
                if (!next.ContainsKey(key)) changes.Add(new(old, null));
            foreach (var (key, item) in next) changes.Add(new(_objects.GetValueOrDefault(key), item));

            _objects = next;
            foreach (var index in _indexes.Values) index.Clear();
            foreach (var (key, item) in next) File(key, item);
            _version = version;
            return changes;
        }
    }

    /// <summary>Takes over one event of a watch. Null when it tells of a state older than the one held: a cache never goes back in time.</summary>
    public ObjectChange<T>? Apply(T item, bool deleted)
    {
        lock (_lock)
        {
            var key = item.Key();
            var old = _objects.GetValueOrDefault(key);
            // An object that is not held and older than our position was deleted meanwhile: a repeated event must not bring it back.
            var stale = old is not null
                ? IsOlder(item.ResourceVersion(), old.ResourceVersion())
                : !deleted && !IsOlder(_version, item.ResourceVersion()) && ulong.TryParse(_version, out _) && ulong.TryParse(item.ResourceVersion(), out _);
            if (!stale) Advance(item.ResourceVersion());
            if (stale || (deleted && old is null)) return null;
            if (old is not null) Unfile(key, old);
            if (deleted)
            {
                _objects.Remove(key);
                return new(old, null);
            }

            _objects[key] = item;
            File(key, item);
            return new(old, item);
        }
    }

    /// <summary>Takes over an event whose object cannot be read. What is held of it stays, unless it is gone.</summary>
    public ObjectChange<T>? Pass(NamespacedName key, string version, bool deleted)
    {
        lock (_lock)
        {
            var held = _objects.GetValueOrDefault(key);
            if (held is null || !IsOlder(version, held.ResourceVersion())) Advance(version);
            if (!deleted || held is null || IsOlder(version, held.ResourceVersion())) return null;
            Unfile(key, held);
            _objects.Remove(key);
            return new(held, null);
        }
    }

    /// <summary>A bookmark: nothing changed up to here.</summary>
    public void Bookmark(string version)
    {
        lock (_lock) Advance(version);
    }

    private void Advance(string version)
    {
        if (version.Length > 0 && !IsOlder(version, _version)) _version = version;
    }

    private static bool IsOlder(string version, string than) =>
        ulong.TryParse(version, out var a) && ulong.TryParse(than, out var b) && a < b;

    private static bool AtLeast(string held, string asked) =>
        ulong.TryParse(held, out var a) && ulong.TryParse(asked, out var b) ? a >= b : held.Length > 0 && held == asked;

    private void File(NamespacedName key, T item)
    {
        foreach (var (name, function) in _functions)
        {
            foreach (var value in function(item))
            {
                if (!_indexes[name].TryGetValue(value, out var keys)) _indexes[name][value] = keys = [];
                keys.Add(key);
            }
        }
    }

    private void Unfile(NamespacedName key, T item)
    {
        foreach (var (name, function) in _functions)
        {
            foreach (var value in function(item))
            {
                if (!_indexes[name].TryGetValue(value, out var keys)) continue;
                keys.Remove(key);
                if (keys.Count == 0) _indexes[name].Remove(value);
            }
        }
    }
}
