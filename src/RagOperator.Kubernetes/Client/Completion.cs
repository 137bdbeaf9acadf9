using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Fills in what objects of a list leave out.</summary>
internal static class Completion
{
    /// <summary>Items of a list do not say what they are.</summary>
    public static T Complete<T>(this T item)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        item.ApiVersion ??= T.EntityMetadata.ApiVersion;
        item.Kind ??= T.EntityMetadata.Kind;
        return item;
    }
}
