using Microsoft.Extensions.DependencyInjection.Extensions;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Rollout;
using RagOperator.Kubernetes;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Adds the controller of RagDeployments to an operator.</summary>
public static class ControllerRegistration
{
    /// <summary>Adds the controller, its caches and what wakes it. Needs beside it: <see cref="Api.Resolved.IMetricCatalog"/>,
    /// <see cref="ISampleStore"/> and <see cref="IRolloutMetrics"/>.</summary>
    /// <param name="builder">The operator.</param>
    public static IOperatorBuilder AddRagDeploymentController(this IOperatorBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddJsonContext(ApiJsonContext.Default);
        builder.Services.TryAddSingleton<ITrafficRouter<V1HTTPRoute>, GatewayApiRouter>();
        builder.Services.TryAddSingleton<Decide>(static _ => RolloutEngine.Decide);
        builder.Services.TryAddSingleton<Cluster>();
        builder.Services.TryAddSingleton(PodEnvironment.None);
        builder.Services.TryAddSingleton<IRequesters, UnknownRequesters>();
        builder.Services.TryAddSingleton<IPortProbes, NoPortProbes>();
        builder.AddCache<RagDeployment>(KeptParts.OfObjects);
        AddChildCache<V1ControllerRevision>(builder);
        AddChildCache<V1Deployment>(builder);
        AddChildCache<V1Service>(builder);
        AddChildCache<V1ConfigMap>(builder);
        AddChildCache<V1EndpointSlice>(builder, static o => o.IsBuiltIn = true);
        AddChildCache<V1Endpoints>(builder);
        // Servers from 1.33 on warn about Endpoints: they are read only where the server has no slices, or does not show them.
        builder.Services.AddSingleton<Action<CacheOptions<V1Endpoints>>>(static sp => options => options.StartAfter = stopping => UntilMissingAsync<V1EndpointSlice>(sp, stopping));
        AddChildCache<V1Pod>(builder);
        // Who changed the weights is asked of managedFields.
        AddChildCache<V1HTTPRoute>(builder, static o => o.KeepManagedFields = true);
        var controller = builder.AddController<RagDeploymentController, RagDeployment>()
            .Watches<V1ControllerRevision>(OwnerOf)
            .Watches<V1Deployment>(OwnerOf)
            .Watches<V1Service>(OwnerOf)
            .Watches<V1ConfigMap>(OwnerOf)
            .Watches<V1EndpointSlice>(OwnerOf, optional: true)
            .Watches<V1Endpoints>(OwnerOf, optional: true)
            .Watches<V1Pod>(OwnerOf)
            .Watches<V1HTTPRoute>(OwnerOf, optional: true)
            .WaitsFor(static (sp, stopping) => Task.WhenAny(
                sp.GetRequiredService<IObjectCache<V1EndpointSlice>>().WaitForSyncAsync(stopping), sp.GetRequiredService<IObjectCache<V1Endpoints>>().WaitForSyncAsync(stopping)));
        // Each server has Endpoints: one that says otherwise is not believed.
        builder.AddCache<V1Endpoints>(static o => o.MayBeMissing = false);
        return controller;
    }

    private static async Task UntilMissingAsync<T>(IServiceProvider services, CancellationToken stopping)
        where T : class
    {
        if (await services.GetRequiredService<IObjectCache<T>>().WaitForKindAsync(stopping)) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
    }

    private static void AddChildCache<T>(IOperatorBuilder builder, Action<CacheOptions<T>>? more = null)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata => builder.AddCache<T>(options =>
        {
            options.LabelSelector = ApiConstants.NameLabel;
            options.LabelIndexes.Add(ApiConstants.NameLabel);
            KeptParts.OfChildren(options);
            more?.Invoke(options);
        });

    // By the label and not by the owner: orphans and children of an earlier object matter, too, and Endpoints and Pods have other owners.
    private static IEnumerable<NamespacedName> OwnerOf(IKubernetesObject<V1ObjectMeta> child) =>
        child.GetLabel(ApiConstants.NameLabel) is { Length: > 0 } name ? [new NamespacedName(child.Namespace(), name)] : [];
}
