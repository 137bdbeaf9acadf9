using RagOperator.Api.Resolved;

namespace RagOperator.Operator.Sla;

/// <summary>The metric sources and presets of the operator's configuration.</summary>
/// <param name="sources">The sources by name.</param>
/// <param name="presets">The queries by name, built-in ones included.</param>
public sealed class MetricCatalog(IReadOnlyDictionary<string, MetricSourceOptions> sources, IReadOnlyDictionary<string, string> presets) : IMetricCatalog
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Presets { get; } = [.. presets.Keys.Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public IReadOnlyCollection<string> SourcesFor(string namespaceName) =>
        [.. sources.Where(s => s.Value.Allows(namespaceName)).Select(s => s.Key).Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public bool SourceExists(string name) => sources.ContainsKey(name);

    /// <inheritdoc/>
    public string? PresetQuery(string name) => presets.GetValueOrDefault(name);
}
