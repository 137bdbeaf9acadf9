using RagOperator.Abstractions;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>What the configuration says about the admission webhook. docs/security.md tells what it does.</summary>
internal sealed record WebhookSettings
{
    /// <summary>Whether this process serves it; every process does, whether it leads or not.</summary>
    public bool Enabled { get; init; }

    /// <summary>The address that it is served at; <c>*</c> for every one.</summary>
    public string Address { get; init; } = "*";

    /// <summary>The port that it is served at; 0: any free one.</summary>
    public int Port { get; init; } = 9443;

    /// <summary>The Service by which the API server reaches it: the serving certificate is made out to it.</summary>
    public string ServiceName { get; init; } = "rag-operator-webhook";

    /// <summary>The namespace of that Service and of the Secret; null: the pod's own, or the context's.</summary>
    public string? Namespace { get; init; }

    /// <summary>The name of the ValidatingWebhookConfiguration and of the MutatingWebhookConfiguration that are told the certificate authority.</summary>
    public string ConfigurationName { get; init; } = "rag-operator";

    /// <summary>The Secret that keeps certificates and the key of stamps, the same for all processes.</summary>
    public string SecretName { get; init; } = "rag-operator-webhook";

    /// <summary>A folder with <c>tls.crt</c> and <c>tls.key</c> that somebody else rotates (cert-manager); null: certificates are made here.</summary>
    public string? CertDir { get; init; }

    /// <summary>Reads the keys below <c>webhook</c>.</summary>
    public static WebhookSettings Read(SettingReader read)
    {
        var defaults = new WebhookSettings();
        return new WebhookSettings
        {
            Enabled = read.Flag("webhook.enabled", false),
            Address = read.Text("webhook.address", SettingsLoader.IsAddress, SettingsLoader.AddressRule) ?? defaults.Address,
            Port = read.Number("webhook.port", defaults.Port, 0, 65535),
            ServiceName = read.Text("webhook.serviceName", SettingsLoader.IsLabel, "a Service's name") ?? defaults.ServiceName,
            Namespace = read.Text("webhook.namespace", SettingsLoader.IsLabel, "a namespace's name"),
            ConfigurationName = read.Text("webhook.configurationName", SettingsLoader.IsSubdomain, SettingsLoader.SubdomainRule) ?? defaults.ConfigurationName,
            SecretName = read.Text("webhook.secretName", SettingsLoader.IsSubdomain, SettingsLoader.SubdomainRule) ?? defaults.SecretName,
            CertDir = read.Text("webhook.certDir", Directory.Exists, "a folder that exists"),
        };
    }

    /// <summary>The Secret's key on the cluster that is talked to.</summary>
    public NamespacedName SecretOn(KubernetesClientConfiguration cluster) => new(NamespaceOn(cluster), SecretName);

    /// <summary>The namespace of Service and Secret on the cluster that is talked to.</summary>
    public string NamespaceOn(KubernetesClientConfiguration cluster) => Namespace ?? cluster.Namespace ?? "default";
}
