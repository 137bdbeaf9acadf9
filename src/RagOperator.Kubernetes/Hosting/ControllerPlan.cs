using Microsoft.Extensions.DependencyInjection;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Kubernetes;

/// <summary>What wakes a controller beside its own objects: filled in by the builder, read by the controller's host.</summary>
internal sealed class ControllerPlan<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <summary>Subscribe to further caches; given the services and what to do with a key.</summary>
    public List<Func<IServiceProvider, Action<NamespacedName>, IDisposable>> Sources { get; } = [];

    /// <summary>Caches that must have synced before the first reconcile.</summary>
    public List<Func<IServiceProvider, IHostedCache>> Required { get; } = [];

    /// <summary>What else must be so before the first reconcile.</summary>
    public List<Func<IServiceProvider, CancellationToken, Task>> Waits { get; } = [];

    /// <summary>Reconciles at once; null for the operator's setting.</summary>
    public int? Workers { get; set; }

    /// <summary>Waits until the controller's own cache and the required ones have synced.</summary>
    public Task WaitForCachesAsync(IServiceProvider services, CancellationToken cancellationToken) => Task.WhenAll(
        Required.Select(required => required(services)).Append((IHostedCache)services.GetRequiredService<IObjectCache<TEntity>>()).Select(c => c.WaitForSyncAsync(cancellationToken))
            .Concat(Waits.Select(wait => wait(services, cancellationToken))));
}

/// <summary>Who cannot see what its controller acts on must not lead: it would keep the Lease from others who can.</summary>
internal sealed class CachesOf<TEntity>(IServiceProvider services, ControllerPlan<TEntity> plan) : ILeaderPrerequisite
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    public Task WaitAsync(CancellationToken cancellationToken) => plan.WaitForCachesAsync(services, cancellationToken);
}

/// <summary>Owners of an object, as keys.</summary>
internal static class Owners
{
    /// <summary>The object's controller if it is of this kind. The version does not matter, the group does.</summary>
    public static NamespacedName? ControllerOf(IKubernetesObject<V1ObjectMeta>? child, EntityMetadata kind)
    {
        if (child?.GetController() is not { } owner || owner.Kind != kind.Kind) return null;
        var slash = owner.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        var group = slash < 0 ? "" : owner.ApiVersion[..slash];
        return group == kind.Group ? new NamespacedName(child.Namespace(), owner.Name) : null;
    }
}
