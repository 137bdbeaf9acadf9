using System.Text.Json;

namespace RagOperator.Abstractions.Models;

/// <summary>An HTTPRoute of the Gateway API. Its spec stays raw JSON: the user wrote most of it.</summary>
[KubernetesEntity(Group = "gateway.networking.k8s.io", ApiVersion = "v1", Kind = "HTTPRoute", PluralName = "httproutes")]
public sealed record V1HTTPRoute : IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <inheritdoc/>
    public static EntityMetadata EntityMetadata { get; } = new("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes");

    /// <inheritdoc/>
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    public string? Kind { get; set; }

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Desired state, raw.</summary>
    public JsonElement? Spec { get; set; }

    /// <summary>Observed state.</summary>
    public V1RouteStatus? Status { get; set; }
}

/// <summary>What the gateways say of a route.</summary>
public sealed record V1RouteStatus
{
    /// <summary>One entry for each parent and controller.</summary>
    public List<V1RouteParentStatus>? Parents { get; set; }
}

/// <summary>What one gateway says of a route.</summary>
public sealed record V1RouteParentStatus
{
    /// <summary>The parent that this is about.</summary>
    public V1ParentReference? ParentRef { get; set; }

    /// <summary>Who says it.</summary>
    public string? ControllerName { get; set; }

    /// <summary>Accepted, ResolvedRefs.</summary>
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>A reference from a route to a gateway.</summary>
public sealed record V1ParentReference
{
    /// <summary>Default <c>gateway.networking.k8s.io</c>.</summary>
    public string? Group { get; set; }

    /// <summary>Default <c>Gateway</c>.</summary>
    public string? Kind { get; set; }

    /// <summary>Default: the route's namespace.</summary>
    public string? Namespace { get; set; }

    /// <summary>The parent's name.</summary>
    public string? Name { get; set; }

    /// <summary>One listener of it.</summary>
    public string? SectionName { get; set; }

    /// <summary>One port of it.</summary>
    public int? Port { get; set; }
}
