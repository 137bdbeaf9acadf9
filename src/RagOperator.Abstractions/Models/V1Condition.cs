using RagOperator.Abstractions.Attributes;

namespace RagOperator.Abstractions.Models;

/// <summary>One aspect of an object's state (<c>metav1.Condition</c>).</summary>
public sealed record V1Condition
{
    /// <summary>The aspect, for instance <c>Ready</c>.</summary>
    [Required]
    public string Type { get; set; } = "";

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    [Required]
    [EnumValues("True", "False", "Unknown")]
    public string Status { get; set; } = "Unknown";

    /// <summary>The generation that this was computed from.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>When <see cref="Status"/> last changed; nothing else moves it.</summary>
    public DateTimeOffset? LastTransitionTime { get; set; }

    /// <summary>One CamelCase word for machines.</summary>
    public string Reason { get; set; } = "";

    /// <summary>For people.</summary>
    public string Message { get; set; } = "";
}
