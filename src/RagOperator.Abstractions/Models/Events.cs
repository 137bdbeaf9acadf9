using System.Text.Json.Serialization;

namespace RagOperator.Abstractions.Models;

/// <summary>An event, as <c>events.k8s.io/v1</c> has it.</summary>
[KubernetesEntity(Group = "events.k8s.io", ApiVersion = "v1", Kind = "Event", PluralName = "events")]
public sealed record Eventsv1Event : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("events.k8s.io", "v1", "Event", "events");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>When it happened.</summary>
    public DateTimeOffset? EventTime { get; set; }

    /// <summary>What was done.</summary>
    public string? Action { get; set; }

    /// <summary>Why, one word for machines.</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Note { get; set; }

    /// <summary><c>Normal</c> or <c>Warning</c>.</summary>
    public string? Type { get; set; }

    /// <summary>Who says so.</summary>
    public string? ReportingController { get; set; }

    /// <summary>Which process of that controller.</summary>
    public string? ReportingInstance { get; set; }

    /// <summary>The object that it is about.</summary>
    public V1ObjectReference? Regarding { get; set; }

    /// <summary>Set when it happened more than once.</summary>
    public V1EventSeries? Series { get; set; }
}

/// <summary>How often an event happened.</summary>
public sealed record V1EventSeries
{
    /// <summary>Times, the first included.</summary>
    public int Count { get; set; }

    /// <summary>When it last happened.</summary>
    public DateTimeOffset? LastObservedTime { get; set; }
}

/// <summary>Which object is meant (<c>core/v1 ObjectReference</c>).</summary>
public sealed record V1ObjectReference
{
    /// <summary>Group and version.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>The kind.</summary>
    public string? Kind { get; set; }

    /// <summary>The name.</summary>
    public string? Name { get; set; }

    /// <summary>The namespace.</summary>
    [JsonPropertyName("namespace")]
    public string? NamespaceProperty { get; set; }

    /// <summary>The uid.</summary>
    public string? Uid { get; set; }
}
