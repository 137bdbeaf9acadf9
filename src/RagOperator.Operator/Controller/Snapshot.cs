using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Controller;

/// <summary>What one pass saw: the views that it decides from, and the objects behind those that a write may have to change.</summary>
internal sealed class Snapshot
{
    public required Observed Observed { get; init; }

    public required IReadOnlyDictionary<string, V1Service> Services { get; init; }

    public required IReadOnlyDictionary<string, V1ConfigMap> ConfigMaps { get; init; }

    public V1HTTPRoute? Route { get; init; }

    /// <summary>Whether a child of this name is there and ours, so that it need not be created.</summary>
    public bool Has(ChildKind kind, string name) => kind switch
    {
        ChildKind.Deployment => IsOurs(Observed.Deployments, name),
        ChildKind.Service => IsOurs(Observed.Services, name),
        ChildKind.ConfigMap => IsOurs(Observed.FlagMaps, name),
        ChildKind.HttpRoute => Observed.Route is { Owner: Ownership.Ours },
        _ => false,
    };

    private static bool IsOurs<T>(IReadOnlyDictionary<string, T> views, string name)
        where T : ChildView =>
        views.TryGetValue(name, out var view) && view.Owner == Ownership.Ours;
}
