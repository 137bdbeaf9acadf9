namespace RagOperator.Api.Resolved;

/// <summary>What the operator's configuration offers to specs: metric sources and presets, by name.</summary>
public interface IMetricCatalog
{
    /// <summary>Names of the sources that objects in this namespace may use.</summary>
    /// <param name="namespaceName">The object's namespace.</param>
    IReadOnlyCollection<string> SourcesFor(string namespaceName);

    /// <summary>Whether a source of this name exists at all.</summary>
    /// <param name="name">The source's name.</param>
    bool SourceExists(string name);

    /// <summary>The query of a preset, or null where there is none of this name.</summary>
    /// <param name="name">The preset's name.</param>
    string? PresetQuery(string name);

    /// <summary>Names of all presets.</summary>
    IReadOnlyCollection<string> Presets { get; }
}
