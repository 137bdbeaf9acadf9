using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;
using RagOperator.Kubernetes.LeaderElection;
using RagOperator.Operator.Admission;
using RagOperator.Operator.Admission.Certificates;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Hosting.Health;
using RagOperator.Operator.Hosting.Logging;
using RagOperator.Operator.Hosting.Metrics;
using RagOperator.Operator.Hosting.Options;
using RagOperator.Operator.Probing;
using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Hosting;

/// <summary>Puts the process together.</summary>
internal static class OperatorHost
{
    // Kubernetes kills 30 s after it has asked (terminationGracePeriodSeconds); reconciles that run get 20 s of these.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(28);

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(5);

    // Longer than scrapes mostly are apart.
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(75);

    /// <summary>Builds the host; nothing is sent or served before it starts.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="cluster">Where the API server is.</param>
    /// <param name="log">Where log lines go.</param>
    public static WebApplication Build(HostSettings settings, KubernetesClientConfiguration cluster, Stream log)
    {
        // No files, no environment, no command line of ASP.NET's own: all configuration is ours, and checked.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "RagOperator" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            // Whoever opens connections and says nothing on them is not waited for.
            (kestrel.Limits.RequestHeadersTimeout, kestrel.Limits.KeepAliveTimeout) = (HeadersTimeout, KeepAliveTimeout);
            if (settings.HttpAddress == "*") kestrel.ListenAnyIP(settings.HttpPort);
            else kestrel.Listen(IPAddress.Parse(settings.HttpAddress), settings.HttpPort);
            if (settings.Webhook.Enabled) kestrel.ListenForWebhook(settings.Webhook);
        });
        AddLogging(builder, settings, log);
        var services = builder.Services;
        services.AddRoutingCore();
        services.AddMetrics();
        services.AddSingleton(settings);
        services.AddSingleton(TimeProvider.System);
        services.Configure<HostOptions>(static o => o.ShutdownTimeout = ShutdownTimeout);
        AddMetrics(services);
        AddMetricSources(services, settings);
        if (settings.AskForConnections) AddPortProbes(services);
        AddOperator(services, settings, cluster);
        services.AddSingleton(static sp => new HealthBoard(
            sp.GetServices<IHealthSource>(),
            sp.GetServices<ReadyCondition>(),
            sp.GetRequiredService<IReadOnlyDictionary<string, SourceGate>>(),
            sp.GetRequiredService<ILeadership>(),
            sp.GetRequiredService<TimeProvider>()));
        var app = builder.Build();
        if (settings.Webhook.Enabled) app.UseWebhook();
        app.UseRouting();
        Endpoints.Map(app);
        // Made now, so that no measurement comes before them.
        _ = app.Services.GetRequiredService<MetricsExporter>();
        _ = app.Services.GetRequiredService<ProcessMetrics>();
        _ = app.Services.GetRequiredService<KeyMetrics>();
        _ = app.Services.GetRequiredService<HealthBoard>();
        return app;
    }

    private static void AddLogging(WebApplicationBuilder builder, HostSettings settings, Stream log)
    {
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(settings.LogLevel);
        // What the framework tells of itself is for those who look for a fault in it.
        builder.Logging.AddFilter("Microsoft", settings.LogLevel < LogLevel.Information ? LogLevel.Information : LogLevel.Warning);
        builder.Logging.AddProvider(new LineLoggerProvider(log, settings.LogJson, TimeProvider.System));
    }

    private static void AddMetrics(IServiceCollection services)
    {
        services.AddSingleton(static sp => new MetricsExporter("RagOperator", sp.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(static sp => new ProcessMetrics(sp.GetRequiredService<IMeterFactory>(), sp.GetRequiredService<ILeadership>()));
        services.AddSingleton(static sp => new SourceMetrics(sp.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(static sp => new KeyMetrics(sp.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(static sp => new RolloutMetrics(sp.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<IRolloutMetrics>(static sp => sp.GetRequiredService<RolloutMetrics>());
        services.AddHostedService<Telemetry>();
    }

    private static void AddMetricSources(IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton<IMetricCatalog>(new MetricCatalog(settings.MetricSources, settings.Presets));
        services.AddSingleton<SourceSet>();
        services.AddSingleton(static sp => sp.GetRequiredService<SourceSet>().Gates);
        services.AddSingleton<ISampleStore>(static sp =>
        {
            var trigger = new Lazy<IReconcileTrigger<RagDeployment>>(sp.GetRequiredService<IReconcileTrigger<RagDeployment>>);
            return new SampleScheduler(
                sp.GetRequiredService<SourceSet>().Gates,
                key => trigger.Value.Enqueue(key),
                sp.GetRequiredService<TimeProvider>(),
                RandomNumberGenerator.GetInt32(int.MaxValue),
                sp.GetRequiredService<ILogger<SampleScheduler>>());
        });
    }

    private static void AddPortProbes(IServiceCollection services) => services.AddSingleton<IPortProbes>(static sp =>
    {
        var trigger = new Lazy<IReconcileTrigger<RagDeployment>>(sp.GetRequiredService<IReconcileTrigger<RagDeployment>>);
        return new PortProbes(Connector.ConnectAsync, key => trigger.Value.Enqueue(key), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<PortProbes>>());
    });

    private static void AddOperator(IServiceCollection services, HostSettings settings, KubernetesClientConfiguration cluster)
    {
        services.AddSingleton(settings.PodEnvironment);
        var identity = LeaderElectionConfig.UniqueIdentity(settings.LeaderElection.Identity);
        var builder = services.AddKubernetesOperator(options =>
        {
            options.Name = "ragoperator.dev/operator";
            options.Namespaces = settings.WatchNamespaces;
            options.Workers = settings.Workers;
            options.Instance = identity;
            options.LeaderElection = LeaderElectionSettings.ConfigOf(settings, cluster, identity);
            options.ClientConfiguration = () => Named(cluster, identity);
            options.TraceIdAnnotation = "ragoperator.dev/trace-id";
        });
        if (settings.Webhook.Enabled) builder.AddWebhook(settings.Webhook, Named(cluster, identity), settings.RequireIdentity);
        builder.AddRagDeploymentController();
        services.AddHostedService<LeadershipGuard>();
        AddReady<RagDeployment>(services);
        AddReady<V1ControllerRevision>(services);
        AddReady<V1Deployment>(services);
        AddReady<V1Service>(services);
        AddReady<V1ConfigMap>(services);
        services.AddSingleton(static sp => new ReadyCondition("cache-addresses", () => sp.GetRequiredService<Cluster>().KnowsAddresses));
        AddReady<V1Pod>(services);
    }

    /// <summary>The API server names the field manager of a write after the client. Who changed a route's weights is told by that name: under
    /// another one the operator would take its own writes for somebody else's. What comes after the slash tells processes apart in the audit log.</summary>
    internal static KubernetesClientConfiguration Named(KubernetesClientConfiguration cluster, string identity) =>
        cluster with { UserAgent = $"{ApiConstants.FieldManager}/{BuildInfo.Version} ({identity})" };

    /// <summary>Not ready before this cache is. HTTPRoute is not among them: a cluster without the Gateway API is told so in conditions.</summary>
    private static void AddReady<T>(IServiceCollection services)
        where T : class, Abstractions.IKubernetesObject<V1ObjectMeta>, Abstractions.IKubernetesStaticMetadata =>
        services.AddSingleton(static sp =>
        {
            var cache = sp.GetRequiredService<IObjectCache<T>>();
            return new ReadyCondition($"cache-{T.EntityMetadata.PluralName}", () => cache.HasSynced);
        });
}

/// <summary>The metric sources of the configuration, for as long as the process lives.</summary>
internal sealed class SourceSet(HostSettings settings, TimeProvider time, SourceMetrics metrics) : IDisposable
{
    /// <summary>The sources by name.</summary>
    public IReadOnlyDictionary<string, SourceGate> Gates { get; } = settings.MetricSources.ToDictionary(
        static s => s.Key, s => new SourceGate(s.Key, s.Value, new PrometheusMetricSource(s.Value, time), time, metrics), StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var gate in Gates.Values) gate.Dispose();
    }
}
