using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Controller;

/// <summary>Remembers the own writes of one object, so that nothing is decided from a cache that is older than they are.</summary>
/// <remarks>A cache that does not get there in time, for a watch that is mute or may not be opened, is waited for no longer: what it does not show is read
/// live before each decision (<see cref="LiveObjects"/>), until it shows that, too.</remarks>
internal sealed class WriteLedger(ChildOwner owner)
{
    private readonly LiveObjects _live = new(owner);
    private readonly Dictionary<(KindPort Port, NamespacedName Key), Expected> _expected = [];
    private readonly HashSet<(KindPort Port, NamespacedName Key)> _unsure = [];
    // With the newest version that was read or written.
    private readonly Dictionary<(KindPort Port, NamespacedName Key), string> _outOfSight = [];

    // Uid: of what was deleted; null where a version is waited for.
    private sealed record Expected(string ResourceVersion, string? DeletedUid);

    /// <summary>A cache does not see an object that is there: it is read live before each decision, and the cache is not waited for.</summary>
    public void IsOutOfSight(KindPort port, NamespacedName key, string resourceVersion)
    {
        _expected.Remove((port, key));
        _outOfSight[(port, key)] = resourceVersion;
    }

    /// <summary>The cache sees it again; it is waited for until it has the newest version, too.</summary>
    public void IsInSight(KindPort port, NamespacedName key)
    {
        if (_outOfSight.Remove((port, key), out var newest)) _expected[(port, key)] = new(newest, null);
    }

    /// <summary>An object was written, or read live, at this version.</summary>
    public void Saw(KindPort port, NamespacedName key, string? resourceVersion)
    {
        _unsure.Remove((port, key));
        if (string.IsNullOrEmpty(resourceVersion)) return;
        if (_outOfSight.ContainsKey((port, key))) _outOfSight[(port, key)] = resourceVersion;
        else _expected[(port, key)] = new(resourceVersion, null);
    }

    /// <summary>An incarnation of an object is gone, or its deletion was accepted.</summary>
    public void SawDeletion(KindPort port, NamespacedName key, string? uid)
    {
        _unsure.Remove((port, key));
        if (string.IsNullOrEmpty(uid)) _expected.Remove((port, key));
        else _expected[(port, key)] = new("", uid);
    }

    /// <summary>Only a live read can tell what an object is now: a conflict, or an answer that was lost.</summary>
    public void IsUnsure(KindPort port, NamespacedName key) => _unsure.Add((port, key));

    /// <summary>Takes note of an answer to a read or a write of a whole object.</summary>
    public void Note(KindPort port, NamespacedName key, Answer answer)
    {
        if (answer is { IsSuccess: true, Object: { } written }) Saw(port, key, written.ResourceVersion());
        else if (answer.IsSuccess || answer.NeedsRead) IsUnsure(port, key);
    }

    /// <summary>Caches do not get where they are waited for: what told so may have been wrong, such as a server that was restored or that did not
    /// serve the kind yet, or their watches are mute. It is read live, and no longer waited for.</summary>
    public void Doubt()
    {
        foreach (var (port, key) in _expected.Keys) _live.Want(port, key);
    }

    /// <summary>Whether anything is read live, so that no event tells when it changes.</summary>
    public bool ReadsLive => _live.Any;

    /// <summary>Takes note of what a live look found, where a cache has not told it yet.</summary>
    public void Look(KindPort port, NamespacedName key, Answer answer)
    {
        var cached = port.Cached(key);
        var isNews = answer.Object is { } found ? !_live.Shows(port, key, found) : answer.Reason == Kubernetes.ApiReason.NotFound && cached is not null;
        if (!isNews) return;
        _live.Want(port, key);
        Take(port, key, answer.Object, cached?.Uid());
    }

    /// <summary>Takes note of a live look at some objects of a kind together.</summary>
    /// <param name="port">Their kind.</param>
    /// <param name="found">All that there are.</param>
    /// <param name="cached">Those of them that the cache has.</param>
    public void LookThrough(KindPort port, IReadOnlyCollection<IKubernetesObject<V1ObjectMeta>> found, IEnumerable<IKubernetesObject<V1ObjectMeta>> cached)
    {
        foreach (var item in found.Where(i => !_live.Shows(port, i.Key(), i)))
        {
            _live.Want(port, item.Key());
            Take(port, item.Key(), item, port.Cached(item.Key())?.Uid());
        }

        var names = found.Select(static i => i.Key()).ToHashSet();
        foreach (var gone in cached.Where(c => !names.Contains(c.Key())))
        {
            _live.Want(port, gone.Key());
            Take(port, gone.Key(), null, gone.Uid());
        }
    }

    /// <summary>The children: from the cache, or as they were read live where that does not show them.</summary>
    public IEnumerable<IKubernetesObject<V1ObjectMeta>> Of(KindPort port) => _live.Over(port, port.CachedOf(owner.Key));

    /// <summary>One object: from the cache, or as it was read live where that does not show it.</summary>
    public IKubernetesObject<V1ObjectMeta>? Get(KindPort port, NamespacedName key) => _live.Over(port, key, port.Cached(key));

    /// <summary>Reads live what only a live read can tell. What may be missing without harm to a decision keeps nothing else from being read.</summary>
    /// <param name="isVital">Kinds without which nothing can be decided: they are read first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The first failure, and whether it is of such a kind, which ends it; or null.</returns>
    public async Task<(Answer Answer, bool IsVital)?> ReadUnsureAsync(Func<KindPort, bool> isVital, CancellationToken cancellationToken)
    {
        (Answer Answer, bool IsVital)? first = null;
        foreach (var (port, key) in _unsure.Union(_live.Unshown()).OrderByDescending(u => isVital(u.Port)).ToList())
        {
            if (await ReadAsync(port, key, cancellationToken) is not { } failed) continue;
            if (isVital(port)) return (failed, true);
            first ??= (failed, false);
        }

        return first;
    }

    /// <summary>Reads one object live; a missing one counts as gone for the cache, too. That its kind is not served says so only where the cache
    /// was told the same: a server that starts says it of each definition that it has not read yet.</summary>
    /// <returns>The failure that stopped it, or null.</returns>
    public async Task<Answer?> ReadAsync(KindPort port, NamespacedName key, CancellationToken cancellationToken)
    {
        // Before the question: what comes into the cache meanwhile is newer than the answer.
        var cached = port.Cached(key)?.Uid();
        var answer = await port.GetAsync(key, cancellationToken);
        if (answer.IsSuccess) Saw(port, key, answer.Object?.ResourceVersion());
        else if (answer.Reason == Kubernetes.ApiReason.NotFound || (answer.Reason == Kubernetes.ApiReason.KindMissing && port.KindMissing)) SawDeletion(port, key, cached);
        else return answer;
        if (_live.IsWanted(port, key)) Take(port, key, answer.Object, cached);
        return null;
    }

    private void Take(KindPort port, NamespacedName key, IKubernetesObject<V1ObjectMeta>? found, string? cached)
    {
        _expected.Remove((port, key));
        _live.Take(port, key, found, cached);
    }

    /// <summary>What a cache has not seen yet, for people; null when all caches are new enough.</summary>
    /// <param name="matters">The kinds that are asked about; all by default.</param>
    public string? Lagging(Func<KindPort, bool>? matters = null)
    {
        foreach (var (place, expected) in _expected.ToList())
        {
            var (port, key) = place;
            if (matters?.Invoke(port) == false) continue;
            // What was seen alive is waited for also where the kind is said to be missing.
            var seen = expected.DeletedUid is { } uid ? port.KindMissing || port.HasSeenDeletion(key, uid) : port.HasSeen(key, expected.ResourceVersion);
            if (!seen) return $"{port.Kind} {key}";
            _expected.Remove(place);
            _live.Drop(port, key);
        }

        return null;
    }
}
