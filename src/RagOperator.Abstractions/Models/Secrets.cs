namespace RagOperator.Abstractions.Models;

/// <summary>A Secret.</summary>
[KubernetesEntity(ApiVersion = "v1", Kind = "Secret", PluralName = "secrets")]
public sealed record V1Secret : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("", "v1", "Secret", "secrets");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Base64 of the bytes by key.</summary>
    public Dictionary<string, string>? Data { get; set; }

    /// <summary>Without what is in it: a record's text must not carry a secret into a log.</summary>
    public override string ToString() => $"Secret {Metadata.NamespaceProperty}/{Metadata.Name}";
}
