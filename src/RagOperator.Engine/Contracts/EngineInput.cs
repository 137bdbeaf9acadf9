using RagOperator.Abstractions;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Engine.Contracts;

/// <summary>Everything that one decision is made from. Nothing else may influence it.</summary>
public sealed record EngineInput
{
    /// <summary>The object's namespace and name.</summary>
    public required NamespacedName Key { get; init; }

    /// <summary>The object's uid: children of another uid are not this object's.</summary>
    public required string Uid { get; init; }

    /// <summary>The spec's generation.</summary>
    public required long Generation { get; init; }

    /// <summary>Whether deletion was asked for: then nothing is written.</summary>
    public bool Deleting { get; init; }

    /// <summary>The request annotation's value, or null.</summary>
    public string? Request { get; init; }

    /// <summary>Who wrote the request, where that is proven.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>Why nobody is known to have written the request, where that has to be known; abort and pause are carried out all the same. Null: it is
    /// known, or need not be.</summary>
    public string? Unidentified { get; init; }

    /// <summary>Why the API server does not take the record of what spec asks for, while that is not to be tried again; null otherwise.</summary>
    public string? Unrecordable { get; init; }

    /// <summary>The spec as the user wrote it.</summary>
    public System.Text.Json.JsonElement RawSpec { get; init; }

    /// <summary>The spec as read.</summary>
    public required SpecReading Reading { get; init; }

    /// <summary>The status as last persisted, or null where there is none yet.</summary>
    public RagDeploymentStatus? Persisted { get; init; }

    /// <summary>What the last decision in this process remembered; <see cref="EngineMemory.Empty"/> after a start, or when somebody else
    /// changed the status.</summary>
    public required EngineMemory Memory { get; init; }

    /// <summary>The world as the caches and the last answers show it.</summary>
    public required Observed Observed { get; init; }

    /// <summary>Whether a part of the world could not be looked at: what the caches show of it may be old, and nothing may rise by that.</summary>
    public bool MayNotRaise { get; init; }

    /// <summary>Whether no release may be taken back for pods or addresses that it lacks: a live look found them, or nobody can tell.</summary>
    public bool MayNotCondemn { get; init; }

    /// <summary>The time.</summary>
    public required DateTimeOffset Now { get; init; }
}

/// <summary>What is remembered between two decisions of one process, and may be lost at any time without harm.</summary>
public sealed record EngineMemory
{
    /// <summary>Nothing remembered.</summary>
    public static EngineMemory Empty { get; } = new();

    /// <summary>The last decision's status, with values that were not worth a write; null: start from the persisted one.</summary>
    public RagDeploymentStatus? Working { get; init; }

    /// <summary>Up to when the running hold is credited; null while its clock stands, so that time in which nobody watched never counts.</summary>
    public DateTimeOffset? CreditedTo { get; init; }

    /// <summary>Since when the route has been seen as it is, where its parents name no generation; null where they do.</summary>
    public RouteSeen? Route { get; init; }

    /// <summary>What the canary should have got of the requests and did not; null where it gets some.</summary>
    public UnservedCount? Unserved { get; init; }

    /// <summary>The newest values of each metric that is in breach, by its name, newest last: what the history tells of a rollback.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Breaches { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}

/// <summary>One version of a route, and since when this process has seen no other.</summary>
/// <param name="Uid">The route's uid.</param>
/// <param name="Generation">Its generation.</param>
/// <param name="Since">When it was first seen.</param>
public sealed record RouteSeen(string Uid, long Generation, DateTimeOffset Since);

/// <summary>Requests that a canary with weight did not get.</summary>
/// <param name="Since">The first look that showed none.</param>
/// <param name="At">The newest.</param>
/// <param name="Missed">How many it should have got between the two.</param>
public sealed record UnservedCount(DateTimeOffset Since, DateTimeOffset At, double Missed);
