using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.Resolved;
using RagOperator.Kubernetes;
using RagOperator.Operator.Admission.Certificates;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Hosting.Health;
using RagOperator.Operator.Hosting.Options;

namespace RagOperator.Operator.Admission;

/// <summary>Adds the webhook to the process.</summary>
internal static class WebhookRegistration
{
    /// <summary>Adds what the webhook consists of.</summary>
    /// <param name="builder">The operator.</param>
    /// <param name="settings">The webhook's settings.</param>
    /// <param name="cluster">The cluster, with the name that this process has there.</param>
    /// <param name="requireIdentity">Whether requests are refused whose writer is not proven.</param>
    public static void AddWebhook(this IOperatorBuilder builder, WebhookSettings settings, KubernetesClientConfiguration cluster, bool requireIdentity)
    {
        var services = builder.Services;
        services.AddSingleton<ServingCertificate>();
        services.AddSingleton<RequestStamps>();
        services.AddSingleton<IRequesters>(sp => new StampedRequesters(sp.GetRequiredService<RequestStamps>(), requireIdentity, sp.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static sp => new SpecCheck(sp.GetRequiredService<IMetricCatalog>()));
        services.AddSingleton(sp => new WebhookClient(new KubernetesClient(
            cluster,
            sp.GetRequiredService<TimeProvider>(),
            sp.GetRequiredService<ILoggerFactory>(),
            sp.GetRequiredService<KubernetesJson>(),
            sp.GetRequiredService<KubernetesMetrics>())));
        services.AddSingleton<IAccessReviewer>(static sp => new AccessReviewer(sp.GetRequiredService<WebhookClient>().Client));
        services.AddSingleton<RequestCheck>();
        services.AddSingleton<AdmissionEndpoint>();
        AddKeys(builder, settings, cluster);
        services.AddSingleton(static sp =>
        {
            var serving = sp.GetRequiredService<ServingCertificate>();
            // The API server is not sent here before it can be answered.
            return new ReadyCondition("webhook-certificate", () => serving.IsThere);
        });
    }

    /// <summary>Listens over HTTPS, with the newest certificate for each connection.</summary>
    public static void ListenForWebhook(this KestrelServerOptions kestrel, WebhookSettings settings)
    {
        if (settings.Address == "*") kestrel.ListenAnyIP(settings.Port, Secure);
        else kestrel.Listen(IPAddress.Parse(settings.Address), settings.Port, Secure);

        static void Secure(ListenOptions listen)
        {
            // The API server's few connections are kept open; HTTP/2 would only add what can be attacked.
            listen.Protocols = HttpProtocols.Http1;
            var serving = listen.ApplicationServices.GetRequiredService<ServingCertificate>();
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = TimeSpan.FromSeconds(5),
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = serving.Context }),
            });
        }
    }

    /// <summary>What comes over HTTPS is for the webhook and for nothing else, and what does not never reaches it.</summary>
    public static void UseWebhook(this IApplicationBuilder app) => app.MapWhen(
        static context => context.Request.IsHttps,
        static branch =>
        {
            var endpoint = branch.ApplicationServices.GetRequiredService<AdmissionEndpoint>();
            branch.Run(endpoint.AnswerAsync);
        });

    /// <summary>What serving certificates are made out to.</summary>
    internal static IReadOnlyList<string> NamesOf(WebhookSettings settings, string ns)
    {
        // Loopback is for a configuration with a URL, beside an API server on the same machine: nobody else gets there by that name.
        List<string> names = [$"{settings.ServiceName}.{ns}.svc", $"{settings.ServiceName}.{ns}.svc.cluster.local", $"{settings.ServiceName}.{ns}", "localhost", "127.0.0.1"];
        if (settings.Address != "*" && !names.Contains(settings.Address)) names.Add(IPAddress.Parse(settings.Address).ToString());
        return names;
    }

    private static void AddKeys(IOperatorBuilder builder, WebhookSettings settings, KubernetesClientConfiguration cluster)
    {
        var services = builder.Services;
        var secret = settings.SecretOn(cluster);
        var changes = new List<Func<IServiceProvider, Func<Action, IDisposable>>>();
        Watch<V1Secret>(builder, changes, secret.Namespace, secret.Name);
        if (settings.CertDir is null)
        {
            Watch<V1ValidatingWebhookConfiguration>(builder, changes, null, settings.ConfigurationName);
            Watch<V1MutatingWebhookConfiguration>(builder, changes, null, settings.ConfigurationName);
        }

        services.AddSingleton(sp => new KeyKeeper(
            sp.GetRequiredService<WebhookClient>().Client,
            secret,
            new KeyPlan(settings.CertDir is null ? NamesOf(settings, secret.Namespace) : []),
            settings.CertDir is null ? new WebhookConfigurations(sp.GetRequiredService<WebhookClient>().Client, settings.ConfigurationName, sp.GetRequiredService<ILogger<WebhookConfigurations>>()) : null,
            settings.CertDir is null ? sp.GetRequiredService<ServingCertificate>() : null,
            sp.GetRequiredService<RequestStamps>(),
            sp.GetRequiredService<KeyMetrics>(),
            sp.GetRequiredService<TimeProvider>(),
            sp.GetRequiredService<ILogger<KeyKeeper>>()));
        services.AddSingleton<IHealthSource>(static sp => sp.GetRequiredService<KeyKeeper>());
        services.AddHostedService(sp => new KeyLoop(
            sp.GetRequiredService<KeyKeeper>(), changes.ConvertAll(c => c(sp)), sp.GetRequiredService<TimeProvider>()));
        if (settings.CertDir is not { } folder) return;
        services.AddSingleton(sp => new CertificateFolder(folder, sp.GetRequiredService<ServingCertificate>(), sp.GetRequiredService<KeyMetrics>(), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<CertificateFolder>>()));
        services.AddSingleton<IHealthSource>(static sp => sp.GetRequiredService<CertificateFolder>());
        services.AddHostedService(static sp => sp.GetRequiredService<CertificateFolder>());
    }

    /// <summary>One object by its name: RBAC gives no more.</summary>
    private static void Watch<T>(IOperatorBuilder builder, List<Func<IServiceProvider, Func<Action, IDisposable>>> changes, string? ns, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        builder.AddCache<T>(o => (o.Namespace, o.FieldSelector) = (ns, $"metadata.name={name}"));
        changes.Add(static sp => changed => sp.GetRequiredService<IObjectCache<T>>().Subscribe(_ => changed()));
    }
}

/// <summary>A client of the webhook's own: it writes outside of a term of leadership, too, and no burst of the controllers' requests holds it up.</summary>
/// <param name="Client">The client.</param>
internal sealed record WebhookClient(KubernetesClient Client) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();
}
