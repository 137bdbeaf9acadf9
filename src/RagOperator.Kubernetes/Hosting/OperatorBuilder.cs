using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Kubernetes;

/// <summary>Puts an operator together. Names as in KubeOps.</summary>
public interface IOperatorBuilder
{
    /// <summary>The services that everything is added to.</summary>
    IServiceCollection Services { get; }

    /// <summary>Makes kinds readable: the source-generated context that knows them.</summary>
    /// <param name="context">The context.</param>
    IOperatorBuilder AddJsonContext(IJsonTypeInfoResolver context);

    /// <summary>Keeps a cache of a kind, as <see cref="IObjectCache{T}"/>. Controllers add those that they need; call it to set options.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="configure">Selectors, indexes and so on. Several calls add up.</param>
    IOperatorBuilder AddCache<T>(Action<CacheOptions<T>>? configure = null)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>Runs a controller, one for each kind. It starts when its caches have synced and a term of leadership is on.</summary>
    /// <typeparam name="TController">The controller; made once, by the services.</typeparam>
    /// <typeparam name="TEntity">Its kind.</typeparam>
    /// <param name="workers">Reconciles at once; the operator's setting by default.</param>
    /// <exception cref="InvalidOperationException">The kind has a controller already.</exception>
    IControllerBuilder<TEntity> AddController<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TController, TEntity>(
        int? workers = null)
        where TController : class, IEntityController<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;
}

/// <summary>Says what wakes a controller beside its own objects.</summary>
/// <typeparam name="TEntity">The controller's kind.</typeparam>
public interface IControllerBuilder<TEntity> : IOperatorBuilder
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <summary>Objects whose managing owner is of the controller's kind: a change wakes the owner, a change of owner both.</summary>
    /// <typeparam name="TChild">The owned kind.</typeparam>
    /// <param name="optional">The kind may be missing from the cluster: the controller does not wait for it.</param>
    IControllerBuilder<TEntity> Owns<TChild>(bool optional = false)
        where TChild : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>Objects that matter in another way: a change wakes what the old and the new state map to.</summary>
    /// <typeparam name="TOther">The watched kind.</typeparam>
    /// <param name="map">Which objects of the controller's kind depend on it. Quick, and without I/O.</param>
    /// <param name="optional">The kind may be missing from the cluster: the controller does not wait for it.</param>
    IControllerBuilder<TEntity> Watches<TOther>(Func<TOther, IEnumerable<NamespacedName>> map, bool optional = false)
        where TOther : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata;

    /// <summary>Something else that must be so before the first reconcile, and before this process may lead.</summary>
    /// <param name="wait">Ends when it is so.</param>
    IControllerBuilder<TEntity> WaitsFor(Func<IServiceProvider, CancellationToken, Task> wait);
}

/// <summary>Adds an operator to a host.</summary>
public static class OperatorServices
{
    /// <summary>Adds client, caches, controllers, events, metrics and health of an operator.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Settings.</param>
    public static IOperatorBuilder AddKubernetesOperator(this IServiceCollection services, Action<OperatorOptions>? configure = null)
    {
        var options = new OperatorOptions();
        configure?.Invoke(options);
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        // First of the hosted services and so the last to stop: the Lease is given back when nothing is at work any more.
        if (options.LeaderElection is { } election) AddLeaderElection(services, election);
        services.TryAddSingleton<ILeadership, AlwaysLeader>();
        services.TryAddSingleton<ITraceIdSource, RandomTraceIds>();
        services.AddSingleton<FatalError>();
        services.AddSingleton(static sp => new KubernetesMetrics(sp.GetService<IMeterFactory>()));
        services.AddSingleton(static sp => new KubernetesJson(sp.GetServices<IJsonTypeInfoResolver>()));
        services.AddSingleton(static sp => new KubernetesClient(
            sp.GetRequiredService<OperatorOptions>().ClientConfiguration(),
            sp.GetRequiredService<TimeProvider>(),
            sp.GetService<ILoggerFactory>(),
            sp.GetRequiredService<KubernetesJson>(),
            sp.GetRequiredService<KubernetesMetrics>(),
            leadership: sp.GetRequiredService<ILeadership>()));
        services.AddSingleton<IKubernetesClient>(static sp => sp.GetRequiredService<KubernetesClient>());
        services.AddSingleton<IHealthSource, ApiServerHealth>();
        // Hosted services stop in the reverse of this order: controllers, then the event writer with what they still had to say, then caches, then
        // the leader election.
        services.AddHostedService<CacheHost>();
        services.AddSingleton<EventRecorder>();
        services.AddSingleton<IEventRecorder>(static sp => sp.GetRequiredService<EventRecorder>());
        services.AddHostedService<EventWriter>();
        return new OperatorBuilder(services, options);
    }

    private static void AddLeaderElection(IServiceCollection services, LeaderElectionConfig config)
    {
        if (config.Problem is { } problem) throw new InvalidOperationException($"Leader election: {problem}.");
        services.AddSingleton(config);
        services.AddSingleton(static sp => new LeaderTerm(sp.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ILeadership>(static sp => sp.GetRequiredService<LeaderTerm>());
        services.TryAddSingleton<ILeaseLock>(static sp => new LeaseLock(sp.GetRequiredService<KubernetesClient>(), sp.GetRequiredService<LeaderElectionConfig>()));
        services.AddSingleton(static sp => new LeaderElector(
            sp.GetRequiredService<LeaderElectionConfig>(),
            sp.GetRequiredService<ILeaseLock>(),
            sp.GetRequiredService<LeaderTerm>(),
            sp.GetServices<ILeaderPrerequisite>(),
            sp.GetRequiredService<IEventRecorder>(),
            sp.GetRequiredService<TimeProvider>(),
            new Jitter(RandomNumberGenerator.GetInt32(int.MaxValue)),
            sp.GetRequiredService<FatalError>(),
            sp.GetRequiredService<ILogger<LeaderElector>>()));
        services.AddSingleton<IHealthSource>(static sp => sp.GetRequiredService<LeaderElector>());
        services.AddHostedService(static sp => sp.GetRequiredService<LeaderElector>());
    }

    private sealed class RandomTraceIds : ITraceIdSource
    {
        public string Next() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    }
}

internal class OperatorBuilder(IServiceCollection services, OperatorOptions options) : IOperatorBuilder
{
    public IServiceCollection Services => services;

    protected OperatorOptions Options => options;

    public IOperatorBuilder AddJsonContext(IJsonTypeInfoResolver context)
    {
        services.AddSingleton(context);
        return this;
    }

    public IOperatorBuilder AddCache<T>(Action<CacheOptions<T>>? configure = null)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        if (configure is not null) services.AddSingleton(configure);
        if (services.Any(static s => s.ServiceType == typeof(IObjectCache<T>))) return this;
        services.AddSingleton<IObjectCache<T>>(static sp =>
        {
            var places = sp.GetRequiredService<OperatorOptions>().Namespaces;
            // Options may name one namespace whatever is watched: that is one cache then.
            var all = (places.Count == 0 ? [null] : places.Cast<string?>()).Select(ns => OptionsOf<T>(sp, ns)).DistinctBy(static o => o.Namespace).ToList();
            return all is [var only] ? Cache(sp, only) : new JoinedCache<T>(all.Select(o => KeyValuePair.Create(o.Namespace!, Cache(sp, o))));
        });
        services.AddSingleton(static sp => (IHostedCache)sp.GetRequiredService<IObjectCache<T>>());
        services.AddSingleton(static sp => (IHealthSource)sp.GetRequiredService<IObjectCache<T>>());
        return this;
    }

    private static CacheOptions<T> OptionsOf<T>(IServiceProvider sp, string? ns)
        where T : class
    {
        var cacheOptions = new CacheOptions<T> { Namespace = ns };
        foreach (var set in sp.GetServices<Action<CacheOptions<T>>>()) set(cacheOptions);
        return cacheOptions;
    }

    private static ObjectCache<T> Cache<T>(IServiceProvider sp, CacheOptions<T> cacheOptions)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata =>
        new(sp.GetRequiredService<KubernetesClient>(), cacheOptions, sp.GetRequiredService<TimeProvider>(), sp.GetService<ILoggerFactory>());

    public IControllerBuilder<TEntity> AddController<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TController, TEntity>(int? workers = null)
        where TController : class, IEntityController<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        if (services.Any(static s => s.ServiceType == typeof(ControllerPlan<TEntity>)))
            throw new InvalidOperationException($"{TEntity.EntityMetadata.Kind} has a controller already; let one controller do both.");
        AddCache<TEntity>();
        var plan = new ControllerPlan<TEntity> { Workers = workers };
        services.AddSingleton(plan);
        services.TryAddSingleton<TController>();
        services.AddSingleton<ControllerQueue<TEntity>>();
        services.AddSingleton<IReconcileTrigger<TEntity>>(static sp => sp.GetRequiredService<ControllerQueue<TEntity>>());
        services.AddSingleton<IHealthSource>(static sp => sp.GetRequiredService<ControllerQueue<TEntity>>());
        services.AddSingleton<ILeaderPrerequisite>(sp => new CachesOf<TEntity>(sp, plan));
        services.AddHostedService<ControllerHost<TController, TEntity>>();
        return new ControllerBuilder<TEntity>(services, options, plan);
    }
}

internal sealed class ControllerBuilder<TEntity>(IServiceCollection services, OperatorOptions options, ControllerPlan<TEntity> plan)
    : OperatorBuilder(services, options), IControllerBuilder<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    public IControllerBuilder<TEntity> Owns<TChild>(bool optional = false)
        where TChild : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata =>
        Watches<TChild>(static child => Owners.ControllerOf(child, TEntity.EntityMetadata) is { } owner ? [owner] : [], optional);

    public IControllerBuilder<TEntity> Watches<TOther>(Func<TOther, IEnumerable<NamespacedName>> map, bool optional = false)
        where TOther : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        AddCache<TOther>(cache => cache.MayBeMissing |= optional);
        plan.Sources.Add((sp, enqueue) => sp.GetRequiredService<IObjectCache<TOther>>().Subscribe(change =>
        {
            if (change.Old is { } old)
                foreach (var key in map(old)) enqueue(key);
            // The queue drops what it holds already.
            if (change.New is { } now)
                foreach (var key in map(now)) enqueue(key);
        }));
        if (!optional) plan.Required.Add(static sp => (IHostedCache)sp.GetRequiredService<IObjectCache<TOther>>());
        return this;
    }

    public IControllerBuilder<TEntity> WaitsFor(Func<IServiceProvider, CancellationToken, Task> wait)
    {
        plan.Waits.Add(wait);
        return this;
    }
}
