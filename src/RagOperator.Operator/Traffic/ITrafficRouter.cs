using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Traffic;

/// <summary>One way of dividing requests between releases: desired state in, observed state out. Does no I/O.</summary>
/// <typeparam name="TRoute">The kind that carries the weights.</typeparam>
public interface ITrafficRouter<in TRoute>
    where TRoute : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    /// <summary>The body of a new route.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="desired">What it shall say; with a route of the user's.</param>
    JsonObject Create(ChildOwner owner, DesiredTraffic desired);

    /// <summary>A merge patch that makes a route what it shall be, under the condition that nobody changed it since.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="current">The route as it is.</param>
    /// <param name="desired">What it shall say; without a route of the user's nothing but the backends is changed.</param>
    JsonObject Change(ChildOwner owner, TRoute current, DesiredTraffic desired);

    /// <summary>The route as decisions see it.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="current">The route as it is.</param>
    /// <param name="wanted">The route of the user's; null where it is not known: then nothing counts as drifted but the backends.</param>
    /// <param name="ports">Ports of the Services that may be backends, by Service name.</param>
    RouteView Observe(ChildOwner owner, TRoute current, JsonElement? wanted, IReadOnlyDictionary<string, int> ports);
}

/// <summary>What a route shall say.</summary>
/// <param name="Route">The user's part, in the router's own form; null: what is there stays.</param>
/// <param name="Backends">Backends; the weights sum to 100.</param>
/// <param name="Port">Port by Service name.</param>
/// <param name="RolledBack">The annotation of a rollback that could not be written to status; null takes it away.</param>
public sealed record DesiredTraffic(
    JsonElement? Route, IReadOnlyList<Backend> Backends, IReadOnlyDictionary<string, int> Port, string? RolledBack = null);
