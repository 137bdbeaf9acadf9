using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Attributes;
using RagOperator.Abstractions.Models;

namespace RagOperator.Api.V1Alpha1;

/// <summary>One RAG service: several components that are released together, the traffic that enters them, their feature flags, and the
/// rules by which a new release is brought in step by step and taken back when it hurts.</summary>
[KubernetesEntity(Group = ApiConstants.Group, ApiVersion = ApiConstants.Version, Kind = ApiConstants.Kind, PluralName = ApiConstants.Plural)]
[KubernetesEntityShortNames(ApiConstants.ShortName)]
[KubernetesEntityCategories("rag")]
[GenericAdditionalPrinterColumn(".status.phase", "Phase", "string", Description = "Healthy, Progressing, Suspended or Degraded.")]
[GenericAdditionalPrinterColumn(".status.step.name", "Step", "string", Description = "The step that the rollout is in.")]
[GenericAdditionalPrinterColumn(".status.weight", "Weight", "integer", Description = "Percent of the requests that go to the release that spec names.")]
[GenericAdditionalPrinterColumn(".status.release", "Release", "integer", Description = "The number of the release that spec names.")]
[GenericAdditionalPrinterColumn(".status.step.holdUntil", "Until", "string", Description = "When the hold ends if nothing stops its clock.")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date", Description = "For how long it exists.")]
[GenericAdditionalPrinterColumn(".status.stableRevision", "Stable", "string", Description = "The release that serves as stable.", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.canaryRevision", "Canary", "string", Description = "The release that is being brought in.", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.message", "Message", "string", Description = "Where it is, why it waits, and until when.", Priority = PrinterColumnPriority.WideView)]
public sealed record RagDeployment : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } =
        new(ApiConstants.Group, ApiConstants.Version, ApiConstants.Kind, ApiConstants.Plural);

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What is wanted, as the user wrote it. It is kept raw, because the content of a component is taken over what the user
    /// wrote and not over what this build of the operator understands; <see cref="RagDeploymentSpec"/> is read from it.</summary>
    [Required]
    [SchemaType(typeof(RagDeploymentSpec))]
    [Description("What is wanted.")]
    public JsonElement Spec { get; set; }

    /// <summary>Where things are. Written by the operator only.</summary>
    [DefaultValue("""{"observedGeneration": -1}""")]
    public RagDeploymentStatus? Status { get; set; }
}
