using RagOperator.Abstractions.Models;

namespace RagOperator.Abstractions;

/// <summary>Anything that the Kubernetes API calls an object: it names its group, version and kind.</summary>
public interface IKubernetesObject
{
    /// <summary>Group and version, for instance <c>apps/v1</c>; the core group is just <c>v1</c>.</summary>
    string? ApiVersion { get; set; }

    /// <summary>The kind, for instance <c>Deployment</c>.</summary>
    string? Kind { get; set; }
}

/// <summary>An object with metadata.</summary>
/// <typeparam name="TMetadata">The metadata's type: <see cref="V1ObjectMeta"/> for single objects, <see cref="V1ListMeta"/> for lists.</typeparam>
public interface IKubernetesObject<TMetadata> : IKubernetesObject
{
    /// <summary>The object's metadata.</summary>
    TMetadata Metadata { get; set; }
}

/// <summary>What a kind tells about itself without reflection, beside <see cref="KubernetesEntityAttribute"/>.</summary>
public interface IKubernetesStaticMetadata
{
    /// <summary>Group, version, kind and plural of the type.</summary>
    static abstract EntityMetadata EntityMetadata { get; }
}

/// <summary>Where a kind lives in the API server's paths.</summary>
/// <param name="Group">The API group; empty for the core group.</param>
/// <param name="Version">The bare version, for instance <c>v1</c>.</param>
/// <param name="Kind">The kind.</param>
/// <param name="PluralName">The plural that paths use.</param>
public sealed record EntityMetadata(string Group, string Version, string Kind, string PluralName)
{
    /// <summary><c>group/version</c>, or the bare version in the core group.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The path's beginning: <c>/api/v1</c> or <c>/apis/group/version</c>.</summary>
    public string Root => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
}

/// <summary>Marks a type as a Kubernetes entity. Same shape as in the KubernetesClient package.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class KubernetesEntityAttribute : Attribute
{
    /// <summary>The API group; empty for the core group.</summary>
    public string Group { get; set; } = "";

    /// <summary>The bare version, for instance <c>v1alpha1</c>.</summary>
    public string ApiVersion { get; set; } = "";

    /// <summary>The kind.</summary>
    public string Kind { get; set; } = "";

    /// <summary>The plural that paths use.</summary>
    public string PluralName { get; set; } = "";
}
