namespace RagOperator.Abstractions.Models;

/// <summary>A part of the addresses behind a Service, as servers since 1.21 tell of them.</summary>
[KubernetesEntity(Group = "discovery.k8s.io", ApiVersion = "v1", Kind = "EndpointSlice", PluralName = "endpointslices")]
public sealed record V1EndpointSlice : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <summary>The label that names the Service.</summary>
    public const string ServiceLabel = "kubernetes.io/service-name";

    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary><c>IPv4</c>, <c>IPv6</c> or <c>FQDN</c>.</summary>
    public string? AddressType { get; set; }

    /// <summary>The addresses.</summary>
    public List<V1SliceEndpoint>? Endpoints { get; set; }

    /// <summary>The ports that each of them has.</summary>
    public List<V1SlicePort>? Ports { get; set; }
}

/// <summary>One place behind a Service.</summary>
public sealed record V1SliceEndpoint
{
    /// <summary>Its addresses. All of them lead to the same place: consumers use the first.</summary>
    public List<string>? Addresses { get; set; }

    /// <summary>Whether it takes requests.</summary>
    public V1SliceConditions? Conditions { get; set; }
}

/// <summary>Whether a place takes requests.</summary>
public sealed record V1SliceConditions
{
    /// <summary>Whether it does; absent means that it does.</summary>
    public bool? Ready { get; set; }
}

/// <summary>A port of a slice.</summary>
public sealed record V1SlicePort
{
    /// <summary>The name of the Service's port.</summary>
    public string? Name { get; set; }

    /// <summary>The number behind the Service; absent means any.</summary>
    public int? Port { get; set; }

    /// <summary><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</summary>
    public string? Protocol { get; set; }
}
