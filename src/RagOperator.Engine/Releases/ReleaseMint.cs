using RagOperator.Api.Resolved;

namespace RagOperator.Engine.Releases;

/// <summary>Makes the record of a release that no known one equals. The same book and spec always give the same record, so that a crash
/// between its creation and its naming leaves nothing behind.</summary>
public static class ReleaseMint
{
    /// <summary>Mints a release.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="contents">Its contents.</param>
    /// <param name="book">The known releases: component revisions that are the same are taken over from them.</param>
    /// <param name="lastNumber">The highest number given so far.</param>
    public static ReleaseRecord Mint(ResolvedSpec spec, IReadOnlyDictionary<string, string> contents, ReleaseBook book, long lastNumber)
    {
        var components = new List<ComponentRecord>();
        var revisions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var component in spec.Components)
        {
            var record = new ComponentRecord
            {
                Name = component.Name,
                Hash = contents[component.Name],
                DependsOn = [.. component.DependsOn],
                HasService = HasPorts(component),
                Content = ContentHashes.ContentOf(component.Raw),
            };
            if (component.IsWorkload)
            {
                record.Revision = RevisionOf(record, spec, revisions, book);
                revisions[component.Name] = record.Revision;
            }

            components.Add(record);
        }

        var release = new ReleaseRecord
        {
            Algorithm = ContentHashes.Algorithm,
            Number = lastNumber + 1,
            Entry = spec.Entry,
            DeliverTo = [.. spec.DeliverTo],
            Flags = [.. spec.EnabledFlags],
            Components = components,
        };
        for (var collision = 0; ; collision++)
        {
            release.Hash = HashOf(release, collision);
            if (book.Find(release.Hash) is null)
            {
                return release;
            }
        }
    }

    private static bool HasPorts(ResolvedComponent component) =>
        component.Raw.TryGetProperty("ports", out var ports)
        && ports.ValueKind == System.Text.Json.JsonValueKind.Array && ports.GetArrayLength() > 0;

    private static string HashOf(ReleaseRecord release, int collision) => ShortHash.Short(
        [
            "release", release.Entry, string.Join(',', release.DeliverTo), string.Join(',', release.Flags), $"{collision}",
            .. release.Components.Select(static c => $"{c.Name}={c.Hash}:{c.Revision}"),
        ]);

    // A component revision is shared when content, dependencies' revisions and the flags that it was made for are the same, and none of those
    // flags was struck meanwhile: enabling a struck flag again must reach pods of its own, or it would be on without a step.
    private static string RevisionOf(ComponentRecord component, ResolvedSpec spec, Dictionary<string, string> revisions, ReleaseBook book)
    {
        var flags = spec.DeliverTo.Contains(component.Name) ? string.Join(',', spec.EnabledFlags) : null;
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var struck = new HashSet<string>(StringComparer.Ordinal);
        var same = new List<string>();
        foreach (var other in book.All.OrderBy(static v => v.Record.Number))
        {
            if (other.Record.Component(component.Name) is not { Revision: { } name } known)
            {
                continue;
            }

            taken.Add(name);
            var made = other.Record.Receives(component.Name) ? string.Join(',', other.Record.Flags) : null;
            if (made is not null && book.Struck(other.Record.Hash).Count > 0)
            {
                struck.Add(name);
            }

            if (string.Equals(known.Hash, component.Hash, StringComparison.Ordinal)
                && string.Equals(made, flags, StringComparison.Ordinal)
                && known.DependsOn.TrueForAll(d => string.Equals(
                    other.Record.Component(d)?.Revision, revisions.GetValueOrDefault(d), StringComparison.Ordinal)))
            {
                same.Add(name);
            }
        }

        if (same.Find(n => !struck.Contains(n)) is { } shared)
        {
            return shared;
        }

        for (var collision = 0; ; collision++)
        {
            var name = ShortHash.Short(
                [
                    "component", component.Name, component.Hash, flags ?? "-", $"{collision}",
                    .. component.DependsOn.Order(StringComparer.Ordinal).Select(d => $"{d}={revisions.GetValueOrDefault(d)}"),
                ]);
            if (!taken.Contains(name))
            {
                return name;
            }
        }
    }
}
