using System.Text.Json;

namespace RagOperator.Abstractions.Models;

/// <summary>A Deployment. Its pod template stays raw JSON.</summary>
[KubernetesEntity(Group = "apps", ApiVersion = "v1", Kind = "Deployment", PluralName = "deployments")]
public sealed record V1Deployment : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("apps", "v1", "Deployment", "deployments");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Desired state.</summary>
    public V1DeploymentSpec? Spec { get; set; }

    /// <summary>Observed state.</summary>
    public V1DeploymentStatus? Status { get; set; }
}

/// <summary>The part of a Deployment's spec that is read.</summary>
public sealed record V1DeploymentSpec
{
    /// <summary>Pods wanted.</summary>
    public int? Replicas { get; set; }

    /// <summary>For how many seconds a pod must be ready before it is available.</summary>
    public int? MinReadySeconds { get; set; }
}

/// <summary>A Deployment as a server would store it, its pod template included. For answers of dry runs: caches do not keep templates.</summary>
[KubernetesEntity(Group = "apps", ApiVersion = "v1", Kind = "Deployment", PluralName = "deployments")]
public sealed record V1StoredDeployment : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata => V1Deployment.EntityMetadata;

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Its spec, raw.</summary>
    public JsonElement Spec { get; set; }
}

/// <summary>A Deployment's observed state.</summary>
public sealed record V1DeploymentStatus
{
    /// <summary>The generation that the counts belong to.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>Pods that exist.</summary>
    public int? Replicas { get; set; }

    /// <summary>Pods that are ready.</summary>
    public int? ReadyReplicas { get; set; }

    /// <summary>Pods that have been ready for minReadySeconds.</summary>
    public int? AvailableReplicas { get; set; }

    /// <summary>Pods of the newest template.</summary>
    public int? UpdatedReplicas { get; set; }

    /// <summary>Available, Progressing, ReplicaFailure.</summary>
    public List<V1DeploymentCondition>? Conditions { get; set; }
}

/// <summary>A condition of a Deployment.</summary>
public sealed record V1DeploymentCondition
{
    /// <summary>The aspect.</summary>
    public string? Type { get; set; }

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    public string? Status { get; set; }

    /// <summary>For machines.</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }
}

/// <summary>A ControllerRevision: immutable data under a name.</summary>
[KubernetesEntity(Group = "apps", ApiVersion = "v1", Kind = "ControllerRevision", PluralName = "controllerrevisions")]
public sealed record V1ControllerRevision : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("apps", "v1", "ControllerRevision", "controllerrevisions");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>The state that the revision keeps; immutable once created.</summary>
    public JsonElement Data { get; set; }

    /// <summary>The revision's number.</summary>
    public long Revision { get; set; }
}
