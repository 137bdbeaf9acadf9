using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Controller;

/// <summary>Objects that a cache does not show as they are, as they were read live: a watch that is mute or may not be opened must not keep a release in
/// trouble from being taken back, nor a healthy one be taken back for what it lacked a while ago.</summary>
/// <param name="owner">Whose children they are.</param>
internal sealed class LiveObjects(ChildOwner owner)
{
    // Null: wanted, and not read yet.
    private readonly Dictionary<(KindPort Port, NamespacedName Key), Found?> _found = [];

    // Uid: of what the cache still has and is gone; null where there is an object.
    private sealed record Found(IKubernetesObject<V1ObjectMeta>? Object, string? GoneUid);

    /// <summary>Whether anything is read live.</summary>
    public bool Any => _found.Count > 0;

    /// <summary>This object is to be read live before each decision, until its cache shows what was read.</summary>
    public void Want(KindPort port, NamespacedName key) => _found.TryAdd((port, key), null);

    /// <summary>Whether this object is read live.</summary>
    public bool IsWanted(KindPort port, NamespacedName key) => _found.ContainsKey((port, key));

    /// <summary>Its cache shows what was waited for before it could be read.</summary>
    public void Drop(KindPort port, NamespacedName key)
    {
        if (_found.GetValueOrDefault((port, key)) is null) _found.Remove((port, key));
    }

    /// <summary>It was read live. What somebody else made by that name is nothing to this object.</summary>
    /// <param name="port">Its kind.</param>
    /// <param name="key">Its key.</param>
    /// <param name="found">What was found; null where it is gone.</param>
    /// <param name="cached">The uid of what its cache has.</param>
    public void Take(KindPort port, NamespacedName key, IKubernetesObject<V1ObjectMeta>? found, string? cached)
    {
        var counts = found is RagDeployment or V1Endpoints or V1EndpointSlice || (found is not null && (IsLabelled(found) || owner.OwnershipOf(found) == Ownership.Ours));
        _found[(port, key)] = new(counts ? found : null, counts ? null : cached);
    }

    /// <summary>Those that no cache shows yet, to be read again. The others are the caches' from now on.</summary>
    public IReadOnlyList<(KindPort Port, NamespacedName Key)> Unshown()
    {
        foreach (var (place, found) in _found.ToList())
            if (found is not null && IsShown(place.Port, place.Key, found)) _found.Remove(place);
        return [.. _found.Keys];
    }

    /// <summary>Whether a cache shows an object as it was read, among the children of this owner.</summary>
    public bool Shows(KindPort port, NamespacedName key, IKubernetesObject<V1ObjectMeta> found) =>
        port.HasSeen(key, found.ResourceVersion() ?? "") && port.Cached(key) is { } cached && (cached is RagDeployment || IsLabelled(cached));

    /// <summary>The children that a cache has, as they are. One whose label was taken away is known by its name.</summary>
    public IEnumerable<IKubernetesObject<V1ObjectMeta>> Over(KindPort port, IEnumerable<IKubernetesObject<V1ObjectMeta>> cached)
    {
        var news = _found.Where(f => ReferenceEquals(f.Key.Port, port) && f.Value is not null).Select(static f => f.Key.Key).ToHashSet();
        return news.Count == 0 ? cached : [.. cached.Where(c => !news.Contains(c.Key())), .. news.Select(key => Over(port, key, port.Cached(key))).OfType<IKubernetesObject<V1ObjectMeta>>()];
    }

    /// <summary>An object that a cache has, as it is.</summary>
    public IKubernetesObject<V1ObjectMeta>? Over(KindPort port, NamespacedName key, IKubernetesObject<V1ObjectMeta>? cached)
    {
        if (_found.GetValueOrDefault((port, key)) is not { } found || IsShown(port, key, found)) return cached;
        if (found.Object is { } live) return live;
        return cached is not null && string.Equals(cached.Uid(), found.GoneUid, StringComparison.Ordinal) ? null : cached;
    }

    private bool IsShown(KindPort port, NamespacedName key, Found found) =>
        found.Object is { } live ? Shows(port, key, live) : found.GoneUid is not { } uid || port.HasSeenDeletion(key, uid);

    private bool IsLabelled(IKubernetesObject<V1ObjectMeta> found) => string.Equals(found.GetLabel(ApiConstants.NameLabel), owner.Name, StringComparison.Ordinal);
}
