using System.Text.Json;

namespace RagOperator.Abstractions.Models;

/// <summary>Which webhooks are asked about a write (<c>admissionregistration.k8s.io/v1</c>), as far as the two kinds of it are the same.</summary>
public interface IWebhookConfiguration : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The webhooks, raw: what is written back must keep what a model lacks.</summary>
    List<JsonElement>? Webhooks { get; }
}

/// <summary>Webhooks that may refuse a write.</summary>
[KubernetesEntity(Group = "admissionregistration.k8s.io", ApiVersion = "v1", Kind = "ValidatingWebhookConfiguration", PluralName = "validatingwebhookconfigurations")]
public sealed record V1ValidatingWebhookConfiguration : IWebhookConfiguration, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <inheritdoc/>
    public List<JsonElement>? Webhooks { get; set; }
}

/// <summary>Webhooks that may change or refuse a write.</summary>
[KubernetesEntity(Group = "admissionregistration.k8s.io", ApiVersion = "v1", Kind = "MutatingWebhookConfiguration", PluralName = "mutatingwebhookconfigurations")]
public sealed record V1MutatingWebhookConfiguration : IWebhookConfiguration, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <inheritdoc/>
    public List<JsonElement>? Webhooks { get; set; }
}
