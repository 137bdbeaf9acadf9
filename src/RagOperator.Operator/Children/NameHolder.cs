using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Operator.Children;

/// <summary>Tells people who holds a name that a child needs.</summary>
internal static class NameHolder
{
    private const string HelmRelease = "meta.helm.sh/release-name";
    private const int MaxLength = 200;

    /// <summary>The controller, the Helm release, or the newest writer.</summary>
    /// <param name="taken">The object that has the name, read live.</param>
    public static string Of(IKubernetesObject<V1ObjectMeta> taken)
    {
        var holder =
            taken.GetController() is { } controller ? $"{controller.Kind} {controller.Name}"
            : taken.GetAnnotation(HelmRelease) is { } release ? $"Helm release {release}"
            : NewestWriter(taken) is { } manager ? $"manager {manager}"
            : "somebody else";
        return holder.Length <= MaxLength ? holder : holder[..MaxLength];
    }

    private static string? NewestWriter(IKubernetesObject<V1ObjectMeta> taken) =>
        taken.Metadata.ManagedFields?
            .Where(static e => string.IsNullOrEmpty(e.Subresource))
            .MaxBy(static e => e.Time ?? DateTimeOffset.MinValue)?.Manager;
}
