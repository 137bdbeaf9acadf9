using System.Text.Json;
using RagOperator.Api.Resolved;

namespace RagOperator.Operator.Controller;

/// <summary>The catalog by which an accepted spec is read again. It was checked when it was accepted: a source or preset that the configuration
/// has lost since must not blind whoever watches a rollout. Such metrics then have no verdict, and the hold's clock stands.</summary>
/// <param name="catalog">The configuration's catalog.</param>
/// <param name="spec">The accepted spec.</param>
internal sealed class AcceptedCatalog(IMetricCatalog catalog, JsonElement spec) : IMetricCatalog
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Presets => catalog.Presets;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> SourcesFor(string namespaceName) =>
        [.. catalog.SourcesFor(namespaceName), Api.SpecDefaults.Source, .. Source() is { } source ? new[] { source } : []];

    /// <inheritdoc/>
    public bool SourceExists(string name) => true;

    /// <inheritdoc/>
    public string? PresetQuery(string name) => catalog.PresetQuery(name) ?? "absent_preset";

    private string? Source() =>
        spec.ValueKind == JsonValueKind.Object && spec.TryGetProperty("sla", out var sla) && sla.ValueKind == JsonValueKind.Object
        && sla.TryGetProperty("source", out var source) && source.ValueKind == JsonValueKind.String
            ? source.GetString()
            : null;
}
