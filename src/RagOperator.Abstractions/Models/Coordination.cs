namespace RagOperator.Abstractions.Models;

/// <summary>A Lease, as far as others refer to it. Its spec is read and written as JSON: an update must keep the fields that a model lacks.</summary>
[KubernetesEntity(Group = "coordination.k8s.io", ApiVersion = "v1", Kind = "Lease", PluralName = "leases")]
public sealed record V1Lease : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("coordination.k8s.io", "v1", "Lease", "leases");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();
}
