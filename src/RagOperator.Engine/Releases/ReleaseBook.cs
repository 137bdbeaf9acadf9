using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Releases;

/// <summary>The known releases of one object, with the flags struck from each.</summary>
public sealed class ReleaseBook
{
    private readonly Dictionary<string, ReleaseView> _byHash;
    private readonly Dictionary<string, SortedSet<string>> _struck = new(StringComparer.Ordinal);

    /// <summary>Opens the book.</summary>
    /// <param name="views">Releases as their ControllerRevisions tell.</param>
    /// <param name="struck">Strikes that status tells: release hash and flag.</param>
    public ReleaseBook(IEnumerable<ReleaseView> views, IEnumerable<(string Release, string Flag)> struck)
    {
        _byHash = views.GroupBy(static v => v.Record.Hash, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.First(), StringComparer.Ordinal);
        foreach (var view in _byHash.Values)
        {
            _struck[view.Record.Hash] = new SortedSet<string>(view.Struck, StringComparer.Ordinal);
        }

        foreach (var (release, flag) in struck)
        {
            if (_struck.TryGetValue(release, out var flags))
            {
                flags.Add(flag);
            }
        }
    }

    /// <summary>All releases.</summary>
    public IEnumerable<ReleaseView> All => _byHash.Values;

    /// <summary>The highest number given so far, 0 without any.</summary>
    public long LastNumber => _byHash.Values.Select(static v => v.Record.Number).DefaultIfEmpty().Max();

    /// <summary>The release of this hash, or null.</summary>
    /// <param name="hash">The hash, or null.</param>
    public ReleaseView? Find(string? hash) => hash is not null && _byHash.TryGetValue(hash, out var view) ? view : null;

    /// <summary>Adds a release that is about to be created.</summary>
    /// <param name="view">The release.</param>
    public void Add(ReleaseView view)
    {
        _byHash[view.Record.Hash] = view;
        _struck[view.Record.Hash] = new SortedSet<string>(view.Struck, StringComparer.Ordinal);
    }

    /// <summary>Flags struck from a release, sorted.</summary>
    /// <param name="hash">The release's hash.</param>
    public IReadOnlyCollection<string> Struck(string hash) => _struck.TryGetValue(hash, out var flags) ? flags : [];

    /// <summary>Strikes a flag from each release that was minted with it. Returns those releases from which it was not struck before.</summary>
    /// <param name="flag">The flag's name.</param>
    public IReadOnlyList<ReleaseView> Strike(string flag) =>
        [.. _byHash.Values.Where(v => v.Record.Flags.Contains(flag) && _struck[v.Record.Hash].Add(flag))];

    /// <summary>The flags of a release that still count.</summary>
    /// <param name="record">The release.</param>
    public IEnumerable<string> Serving(ReleaseRecord record)
    {
        var struck = Struck(record.Hash);
        return record.Flags.Where(f => !struck.Contains(f));
    }

    /// <summary>The release that a spec names, or null where it must be minted: entry, contents, receivers and unstruck flags are equal.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="contents">Its contents.</param>
    /// <param name="first">Hashes to try first, in order.</param>
    public ReleaseView? Match(ResolvedSpec spec, IReadOnlyDictionary<string, string> contents, params IEnumerable<string?> first) =>
        first.Select(Find).OfType<ReleaseView>()
            .Concat(_byHash.Values.OrderByDescending(static v => v.Record.Number))
            .FirstOrDefault(v => IsNamedBy(v.Record, spec, contents));

    private bool IsNamedBy(ReleaseRecord record, ResolvedSpec spec, IReadOnlyDictionary<string, string> contents) =>
        string.Equals(record.Entry, spec.Entry, StringComparison.Ordinal)
        && record.Components.Count == contents.Count
        && record.Components.TrueForAll(c => contents.TryGetValue(c.Name, out var hash) && string.Equals(hash, c.Hash, StringComparison.Ordinal))
        && record.DeliverTo.SequenceEqual(spec.DeliverTo, StringComparer.Ordinal)
        && Serving(record).SequenceEqual(spec.EnabledFlags, StringComparer.Ordinal);
}
