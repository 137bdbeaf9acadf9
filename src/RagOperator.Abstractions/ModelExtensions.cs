using RagOperator.Abstractions.Models;

namespace RagOperator.Abstractions;

/// <summary>Short forms for metadata that is asked for everywhere. Names as in the KubernetesClient package.</summary>
public static class ModelExtensions
{
    /// <summary>The object's name, or empty.</summary>
    public static string Name(this IKubernetesObject<V1ObjectMeta> entity) => entity.Metadata.Name ?? "";

    /// <summary>The object's namespace, or empty.</summary>
    public static string Namespace(this IKubernetesObject<V1ObjectMeta> entity) => entity.Metadata.NamespaceProperty ?? "";

    /// <summary>The object's uid, or empty.</summary>
    public static string Uid(this IKubernetesObject<V1ObjectMeta> entity) => entity.Metadata.Uid ?? "";

    /// <summary>The object's resource version, or empty.</summary>
    public static string ResourceVersion(this IKubernetesObject<V1ObjectMeta> entity) => entity.Metadata.ResourceVersion ?? "";

    /// <summary>The object's key.</summary>
    public static NamespacedName Key(this IKubernetesObject<V1ObjectMeta> entity) => new(entity.Namespace(), entity.Name());

    /// <summary>A label's value, or null.</summary>
    public static string? GetLabel(this IKubernetesObject<V1ObjectMeta> entity, string key) =>
        entity.Metadata.Labels is { } labels && labels.TryGetValue(key, out var value) ? value : null;

    /// <summary>An annotation's value, or null.</summary>
    public static string? GetAnnotation(this IKubernetesObject<V1ObjectMeta> entity, string key) =>
        entity.Metadata.Annotations is { } annotations && annotations.TryGetValue(key, out var value) ? value : null;

    /// <summary>The owner that manages the object, or null.</summary>
    public static V1OwnerReference? GetController(this IKubernetesObject<V1ObjectMeta> entity) =>
        entity.Metadata.OwnerReferences?.Find(static o => o.Controller == true);

    /// <summary>Whether the object with this uid is among the owners.</summary>
    public static bool IsOwnedBy(this IKubernetesObject<V1ObjectMeta> entity, string uid) =>
        entity.Metadata.OwnerReferences?.Exists(o => string.Equals(o.Uid, uid, StringComparison.Ordinal)) == true;
}
