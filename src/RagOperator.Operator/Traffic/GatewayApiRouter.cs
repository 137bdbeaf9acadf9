using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>Divides requests by the weights of a Gateway API HTTPRoute.</summary>
/// <remarks>Changes are merge patches and not applied sets of fields: what a POST created stays under the name of an update for ever, so
/// that a field left out of an apply (a hostname that the user took away) would stay in the route.</remarks>
public sealed class GatewayApiRouter : ITrafficRouter<V1HTTPRoute>
{
    private const string Rules = "rules";

    /// <inheritdoc/>
    public JsonObject Create(ChildOwner owner, DesiredTraffic desired)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(desired);
        KeyValuePair<string, string>[]? annotations = desired.RolledBack is null ? null : [new(ApiConstants.RolledBackAnnotation, desired.RolledBack)];
        return new JsonObject
        {
            ["apiVersion"] = V1HTTPRoute.EntityMetadata.ApiVersion,
            ["kind"] = V1HTTPRoute.EntityMetadata.Kind,
            ["metadata"] = owner.Metadata(ChildNames.Route(owner.Name), owner.NameLabels(), annotations),
            ["spec"] = Spec(desired.Route, desired),
        };
    }

    /// <inheritdoc/>
    public JsonObject Change(ChildOwner owner, V1HTTPRoute current, DesiredTraffic desired)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(desired);
        var spec = Spec(desired.Route ?? current.Spec, desired);
        if (desired.Route is null)
        {
            spec = new JsonObject { [Rules] = spec[Rules]!.DeepClone() };
        }
        else if (current.Spec is { ValueKind: JsonValueKind.Object } observed)
        {
            foreach (var member in observed.EnumerateObject())
            {
                if (!spec.ContainsKey(member.Name)) spec[member.Name] = null;
            }
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = current.Uid(),
                ["resourceVersion"] = current.ResourceVersion(),
                ["labels"] = ChildOwner.Texts(owner.NameLabels()),
                ["annotations"] = new JsonObject { [ApiConstants.RolledBackAnnotation] = desired.RolledBack },
            },
            ["spec"] = spec,
        };
    }

    /// <inheritdoc/>
    public RouteView Observe(ChildOwner owner, V1HTTPRoute current, JsonElement? wanted, IReadOnlyDictionary<string, int> ports)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(ports);
        var (backends, differing, strange) = RouteBackends.Read(current, owner.Namespace, ports);
        var (unverified, undated) = RouteParents.FirstUnverified(current);
        var drift = wanted is { } route ? RouteDrift.Find(route, current.Spec) : null;
        return new RouteView
        {
            Name = current.Name(),
            Uid = current.Uid(),
            ResourceVersion = current.ResourceVersion(),
            Owner = owner.OwnershipOf(current),
            Deleting = current.Metadata.DeletionTimestamp is not null,
            Backends = backends,
            Differing = differing,
            Drifted = strange || differing.Count > 0 || drift is not null,
            Generation = current.Metadata.Generation ?? 0,
            Verified = unverified is null,
            Undated = undated,
            Problem = unverified ?? (drift is null ? null : $"{drift} of the HTTPRoute is not yet as spec.traffic.gatewayApi says"),
            ForeignWriter = ForeignWriter(current),
            RolledBack = current.GetAnnotation(ApiConstants.RolledBackAnnotation),
        };
    }

    private static JsonObject Spec(JsonElement? route, DesiredTraffic desired)
    {
        var spec = route?.ToNode() as JsonObject ?? [];
        if (spec[Rules] is not JsonArray { Count: > 0 } rules)
        {
            rules = new JsonArray(new JsonObject());
            spec[Rules] = rules;
        }

        foreach (var rule in rules.OfType<JsonObject>())
        {
            if (RouteBackends.TakesNone(rule)) continue;
            rule[RouteBackends.Member] = RouteBackends.Write(desired.Backends, desired.Port);
        }

        return spec;
    }

    private static string? ForeignWriter(V1HTTPRoute route) =>
        route.Metadata.ManagedFields?
            .Where(static e => string.IsNullOrEmpty(e.Subresource) && !string.Equals(e.Manager, ApiConstants.FieldManager, StringComparison.Ordinal)
                && e.FieldsV1?.Member("f:spec")?.Member("f:rules") is not null)
            .MaxBy(static e => e.Time ?? DateTimeOffset.MinValue)?.Manager;
}
