using System.Text.Json;
using System.Text.Json.Serialization;

namespace RagOperator.Abstractions.Models;

/// <summary>Metadata of an object (<c>metav1.ObjectMeta</c>), as far as an operator reads or writes it.</summary>
public sealed record V1ObjectMeta
{
    /// <summary>The name, unique within kind and namespace.</summary>
    public string? Name { get; set; }

    /// <summary>The namespace; absent on cluster-scoped objects.</summary>
    [JsonPropertyName("namespace")]
    public string? NamespaceProperty { get; set; }

    /// <summary>The server's identity for this very incarnation of the object.</summary>
    public string? Uid { get; set; }

    /// <summary>Opaque version, compared for equality only.</summary>
    public string? ResourceVersion { get; set; }

    /// <summary>Counts changes of the desired state.</summary>
    public long? Generation { get; set; }

    /// <summary>When the server made the object.</summary>
    public DateTimeOffset? CreationTimestamp { get; set; }

    /// <summary>Set once deletion was asked for.</summary>
    public DateTimeOffset? DeletionTimestamp { get; set; }

    /// <summary>Labels.</summary>
    public Dictionary<string, string>? Labels { get; set; }

    /// <summary>Annotations.</summary>
    public Dictionary<string, string>? Annotations { get; set; }

    /// <summary>Owners; at most one of them is the controller.</summary>
    public List<V1OwnerReference>? OwnerReferences { get; set; }

    /// <summary>Finalizers.</summary>
    public List<string>? Finalizers { get; set; }

    /// <summary>Who set which field. Caches drop it but for kinds where somebody asks who wrote.</summary>
    public List<V1ManagedFieldsEntry>? ManagedFields { get; set; }
}

/// <summary>One owner of an object (<c>metav1.OwnerReference</c>).</summary>
public sealed record V1OwnerReference
{
    /// <summary>The owner's group and version.</summary>
    public string ApiVersion { get; set; } = "";

    /// <summary>The owner's kind.</summary>
    public string Kind { get; set; } = "";

    /// <summary>The owner's name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The owner's uid.</summary>
    public string Uid { get; set; } = "";

    /// <summary>Whether this owner manages the object.</summary>
    public bool? Controller { get; set; }

    /// <summary>Whether foreground deletion of the owner waits for this object.</summary>
    public bool? BlockOwnerDeletion { get; set; }
}

/// <summary>One writer of an object and the fields that it set (<c>metav1.ManagedFieldsEntry</c>).</summary>
public sealed record V1ManagedFieldsEntry
{
    /// <summary>The writer's name, for instance <c>kubectl-edit</c>.</summary>
    public string? Manager { get; set; }

    /// <summary><c>Apply</c> or <c>Update</c>.</summary>
    public string? Operation { get; set; }

    /// <summary>When it last wrote.</summary>
    public DateTimeOffset? Time { get; set; }

    /// <summary>The subresource that it wrote through, for instance <c>status</c>.</summary>
    public string? Subresource { get; set; }

    /// <summary>The set of fields, in the structured-merge-diff notation.</summary>
    public JsonElement? FieldsV1 { get; set; }
}

/// <summary>Metadata of a list (<c>metav1.ListMeta</c>).</summary>
public sealed record V1ListMeta
{
    /// <summary>The list's resource version: where a watch goes on from.</summary>
    public string? ResourceVersion { get; set; }

    /// <summary>Token of the next page; absent or empty on the last one.</summary>
    [JsonPropertyName("continue")]
    public string? ContinueProperty { get; set; }

    /// <summary>How many items follow, where the server knows.</summary>
    public long? RemainingItemCount { get; set; }
}
