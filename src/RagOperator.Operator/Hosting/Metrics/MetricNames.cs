using System.Diagnostics.Metrics;

namespace RagOperator.Operator.Hosting.Metrics;

/// <summary>Names of instruments as Prometheus shows them. A contract with everybody's dashboards and alerts: docs/metrics.md lists them.</summary>
internal static class MetricNames
{
    // The runtime below names its instruments for any operator; here they get this one's names.
    private static readonly Dictionary<string, string> Renamed = new(StringComparer.Ordinal)
    {
        ["kubernetes.client.requests"] = "ragoperator_api_requests_total",
        ["kubernetes.client.request.duration"] = "ragoperator_api_request_duration_seconds",
        ["kubernetes.cache.watch.restarts"] = "ragoperator_watch_restarts_total",
        ["kubernetes.cache.relists"] = "ragoperator_cache_lists_total",
        ["kubernetes.cache.undecodable"] = "ragoperator_cache_undecodable_total",
        ["kubernetes.controller.reconciles"] = "ragoperator_reconciles_total",
        ["kubernetes.controller.reconcile.duration"] = "ragoperator_reconcile_duration_seconds",
        ["kubernetes.controller.errors"] = "ragoperator_reconcile_errors_total",
        ["kubernetes.queue.depth"] = "ragoperator_queue_depth",
        ["kubernetes.queue.oldest.age"] = "ragoperator_queue_oldest_age_seconds",
        ["kubernetes.events"] = "ragoperator_events_total",
    };

    /// <summary>The family's name: one from the list, else by the rules that OpenTelemetry has for Prometheus.</summary>
    public static string Of(Instrument instrument, FamilyType type)
    {
        if (Renamed.TryGetValue(instrument.Name, out var name)) return name;
        name = Label(instrument.Name);
        // Written in Prometheus' form already.
        if (!instrument.Name.Contains('.', StringComparison.Ordinal)) return name;
        name = $"ragoperator_{name}";
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
        return type == FamilyType.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? $"{name}_total" : name;
    }

    /// <summary>A name with nothing in it but letters, digits and underscores.</summary>
    public static string Label(string name)
    {
        if (name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(IsNameCharacter)) return name;
        var clean = string.Concat(name.Select(static c => IsNameCharacter(c) ? c : '_'));
        return clean.Length == 0 || char.IsAsciiDigit(clean[0]) ? $"_{clean}" : clean;
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}
