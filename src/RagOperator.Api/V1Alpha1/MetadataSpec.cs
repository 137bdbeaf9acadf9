using RagOperator.Abstractions.Attributes;

namespace RagOperator.Api.V1Alpha1;

/// <summary>Labels and annotations for generated objects: what a policy of the cluster wants on them, or who owns them.</summary>
public sealed record MetadataSpec
{
    /// <summary>Labels, by the rules of Kubernetes. Reserved are keys below ragoperator.dev/, kubernetes.io/, deployment.kubernetes.io/ and kubectl.kubernetes.io/.</summary>
    [Items(0, SpecLimits.MetadataKeys)]
    [Length(0, SpecLimits.NameLength)]
    public Dictionary<string, string>? Labels { get; set; }

    /// <summary>Annotations; the same keys are reserved.</summary>
    [Items(0, SpecLimits.MetadataKeys)]
    [Length(0, SpecLimits.AnnotationLength)]
    public Dictionary<string, string>? Annotations { get; set; }
}
