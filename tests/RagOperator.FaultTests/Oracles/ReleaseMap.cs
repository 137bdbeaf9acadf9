using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Oracles;

/// <summary>Releases by hash and the children that they need, read from the ControllerRevisions that were created.</summary>
public sealed class ReleaseMap
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _components = new(StringComparer.Ordinal);

    public ReleaseMap(IEnumerable<Deed> deeds)
    {
        foreach (var deed in deeds.Where(d => d.Call is { Verb: "create", Resource: "controllerrevisions" }))
        {
            var data = deed.Answer.GetProperty("data");
            if (!data.TryGetProperty("hash", out var hash))
                continue;
            // "api 4f5h6s8d9f, embedder g6h7j8k9l0": for people, and for us.
            _components[hash.GetString()!] = data.GetProperty("components").GetString()!.Split(", ").Select(c => c.Split(' '))
                .Where(c => c[1] != "external").ToDictionary(c => c[0], c => c[1], StringComparer.Ordinal);
        }
    }

    /// <summary>The entry's Service of a release, or null.</summary>
    public string? EntryService(string hash) => _components.TryGetValue(hash, out var parts) ? $"assistant-api-{parts["api"]}" : null;

    /// <summary>Names of the children of the releases that have this Service as their entry.</summary>
    public IReadOnlySet<string> NeededBy(string entryService) => _components.Keys.Where(h => EntryService(h) == entryService).SelectMany(Children).ToHashSet(StringComparer.Ordinal);

    /// <summary>Names of the Deployments that a release needs, those that it shares with another too.</summary>
    public IReadOnlyList<string> Deployments(string hash) => _components.TryGetValue(hash, out var parts) ? [.. parts.Select(static p => $"assistant-{p.Key}-{p.Value}")] : [];

    /// <summary>Names of Deployments, Services and ConfigMaps that a release needs.</summary>
    public IReadOnlySet<string> Children(string hash)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (_components.TryGetValue(hash, out var parts))
            foreach (var (component, revision) in parts)
                names.UnionWith([$"assistant-{component}-{revision}", $"assistant-{component}-{revision}-flags"]);
        return names;
    }
}
