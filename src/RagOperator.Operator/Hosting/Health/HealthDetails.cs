using System.Text.Json.Serialization;

namespace RagOperator.Operator.Hosting.Health;

/// <summary>What <c>/health/detailed</c> answers.</summary>
internal sealed record HealthDetails
{
    /// <summary>Healthy, Degraded or Unhealthy: the worst of the parts. A metric source that fails makes it Degraded.</summary>
    public required string Status { get; set; }

    /// <summary>Whether <c>/readyz</c> says yes.</summary>
    public required bool Ready { get; set; }

    /// <summary>What it still waits for.</summary>
    public required IReadOnlyList<string> NotReady { get; set; }

    /// <summary>Whether this process may act.</summary>
    public required bool Leader { get; set; }

    /// <summary>What runs.</summary>
    public required string Version { get; set; }

    /// <summary>For how long it has run.</summary>
    public required double UptimeSeconds { get; set; }

    /// <summary>API server, caches, queues.</summary>
    public required IReadOnlyList<PartDetails> Parts { get; set; }

    /// <summary>The metric sources.</summary>
    public required IReadOnlyList<MetricSourceDetails> MetricSources { get; set; }
}

/// <summary>One part.</summary>
internal sealed record PartDetails
{
    /// <summary>Its name.</summary>
    public required string Name { get; set; }

    /// <summary>Healthy, Degraded or Unhealthy.</summary>
    public required string Status { get; set; }

    /// <summary>Why.</summary>
    public required string Detail { get; set; }
}

/// <summary>One metric source.</summary>
internal sealed record MetricSourceDetails
{
    /// <summary>Its name.</summary>
    public required string Name { get; set; }

    /// <summary>Number, NoData, Invalid or Error; null before the first question.</summary>
    public string? LastResult { get; set; }

    /// <summary>What it said, where it was not a number.</summary>
    public string? LastMessage { get; set; }

    /// <summary>How long the last answer took.</summary>
    public double? LastLatencySeconds { get; set; }

    /// <summary>When it came.</summary>
    public DateTimeOffset? LastAt { get; set; }
}

/// <summary>Source-generated JSON of this folder.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(HealthDetails))]
internal sealed partial class HealthJsonContext : JsonSerializerContext;
