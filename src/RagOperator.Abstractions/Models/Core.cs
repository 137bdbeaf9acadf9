using System.Text.Json;

namespace RagOperator.Abstractions.Models;

/// <summary>A Service.</summary>
[KubernetesEntity(ApiVersion = "v1", Kind = "Service", PluralName = "services")]
public sealed record V1Service : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("", "v1", "Service", "services");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Desired state.</summary>
    public V1ServiceSpec? Spec { get; set; }
}

/// <summary>The part of a Service's spec that is read.</summary>
public sealed record V1ServiceSpec
{
    /// <summary>The labels of the pods behind it.</summary>
    public Dictionary<string, string>? Selector { get; set; }

    /// <summary>The ports.</summary>
    public List<V1ServicePort>? Ports { get; set; }
}

/// <summary>A port of a Service.</summary>
public sealed record V1ServicePort
{
    /// <summary>The port's name.</summary>
    public string? Name { get; set; }

    /// <summary>1 to 65535.</summary>
    public int Port { get; set; }

    /// <summary>Where the pods listen: a number, or the name of a container's port.</summary>
    public JsonElement? TargetPort { get; set; }

    /// <summary><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</summary>
    public string? Protocol { get; set; }

    /// <summary>What applications speak there, for instance <c>http</c> or <c>kubernetes.io/h2c</c>.</summary>
    public string? AppProtocol { get; set; }
}

/// <summary>The addresses behind a Service.</summary>
[KubernetesEntity(ApiVersion = "v1", Kind = "Endpoints", PluralName = "endpoints")]
public sealed record V1Endpoints : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("", "v1", "Endpoints", "endpoints");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Groups of addresses that share ports.</summary>
    public List<V1EndpointSubset>? Subsets { get; set; }
}

/// <summary>Addresses that share ports.</summary>
public sealed record V1EndpointSubset
{
    /// <summary>Addresses that are ready.</summary>
    public List<V1EndpointAddress>? Addresses { get; set; }

    /// <summary>Addresses that are not ready.</summary>
    public List<V1EndpointAddress>? NotReadyAddresses { get; set; }

    /// <summary>The ports of each of them.</summary>
    public List<V1EndpointPort>? Ports { get; set; }
}

/// <summary>A port of addresses.</summary>
public sealed record V1EndpointPort
{
    /// <summary>The name of the Service's port.</summary>
    public string? Name { get; set; }

    /// <summary>The pods' own port.</summary>
    public int Port { get; set; }

    /// <summary><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</summary>
    public string? Protocol { get; set; }
}

/// <summary>One address.</summary>
public sealed record V1EndpointAddress
{
    /// <summary>The address.</summary>
    public string? Ip { get; set; }
}

/// <summary>A ConfigMap.</summary>
[KubernetesEntity(ApiVersion = "v1", Kind = "ConfigMap", PluralName = "configmaps")]
public sealed record V1ConfigMap : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("", "v1", "ConfigMap", "configmaps");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Text by file name.</summary>
    public Dictionary<string, string>? Data { get; set; }
}

/// <summary>A Pod, as far as one is read to tell why it is not ready.</summary>
[KubernetesEntity(ApiVersion = "v1", Kind = "Pod", PluralName = "pods")]
public sealed record V1Pod : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("", "v1", "Pod", "pods");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What it is made of.</summary>
    public V1PodSpec? Spec { get; set; }

    /// <summary>Observed state.</summary>
    public V1PodStatus? Status { get; set; }
}

/// <summary>The part of a Pod's spec that is read.</summary>
public sealed record V1PodSpec
{
    /// <summary>The init containers.</summary>
    public List<V1InitContainer>? InitContainers { get; set; }
}

/// <summary>An init container, as far as one is read.</summary>
public sealed record V1InitContainer
{
    /// <summary>Its name.</summary>
    public string? Name { get; set; }

    /// <summary><c>Always</c> makes it a native sidecar, which runs beside the containers.</summary>
    public string? RestartPolicy { get; set; }
}

/// <summary>A Pod's observed state.</summary>
public sealed record V1PodStatus
{
    /// <summary><c>Pending</c>, <c>Running</c>, <c>Succeeded</c>, <c>Failed</c> or <c>Unknown</c>.</summary>
    public string? Phase { get; set; }

    /// <summary>For machines.</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>PodScheduled, Ready ...</summary>
    public List<V1PodCondition>? Conditions { get; set; }

    /// <summary>States of the init containers.</summary>
    public List<V1ContainerStatus>? InitContainerStatuses { get; set; }

    /// <summary>States of the containers.</summary>
    public List<V1ContainerStatus>? ContainerStatuses { get; set; }
}

/// <summary>A condition of a Pod.</summary>
public sealed record V1PodCondition
{
    /// <summary>The aspect.</summary>
    public string? Type { get; set; }

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    public string? Status { get; set; }

    /// <summary>For machines, for instance <c>Unschedulable</c>.</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }
}

/// <summary>The state of one container.</summary>
public sealed record V1ContainerStatus
{
    /// <summary>The container's name.</summary>
    public string? Name { get; set; }

    /// <summary>Whether its readiness probe passes.</summary>
    public bool Ready { get; set; }

    /// <summary>Whether its startup probe has passed, or it has none and runs.</summary>
    public bool? Started { get; set; }

    /// <summary>How often it was restarted.</summary>
    public int RestartCount { get; set; }

    /// <summary>What it does now.</summary>
    public V1ContainerState? State { get; set; }

    /// <summary>How it ended the last time.</summary>
    public V1ContainerState? LastState { get; set; }
}

/// <summary>What a container does now.</summary>
public sealed record V1ContainerState
{
    /// <summary>Set while it waits.</summary>
    public V1ContainerStateReason? Waiting { get; set; }

    /// <summary>Set while it runs.</summary>
    public V1ContainerRunning? Running { get; set; }

    /// <summary>Set when it ended.</summary>
    public V1ContainerStateReason? Terminated { get; set; }
}

/// <summary>A container that runs.</summary>
public sealed record V1ContainerRunning
{
    /// <summary>Since when.</summary>
    public DateTimeOffset? StartedAt { get; set; }
}

/// <summary>Why a container waits or ended.</summary>
public sealed record V1ContainerStateReason
{
    /// <summary>For machines, for instance <c>CrashLoopBackOff</c> or <c>OOMKilled</c>.</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>The exit code, where it ended.</summary>
    public int? ExitCode { get; set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; set; }
}
