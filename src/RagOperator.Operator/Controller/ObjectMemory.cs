using RagOperator.Abstractions.Models;
using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Controller;

/// <summary>What the controller remembers of one object between passes. All of it may be lost at any time.</summary>
internal sealed class ObjectMemory(ChildOwner owner, CancellationToken term)
{
    private const int MaxToldErrors = 20;
    private const int MaxUntold = 20;
    private readonly HashSet<string> _toldErrors = new(StringComparer.Ordinal);
    private readonly Queue<EngineEvent> _untold = new();

    /// <summary>The object's uid.</summary>
    public string Uid => owner.Uid;

    /// <summary>The term of leadership that all of it is from.</summary>
    public CancellationToken Term => term;

    /// <summary>Whether status, route and flags were read live in this term.</summary>
    public bool ReadLive { get; set; }

    /// <summary>The live read that failed in this pass, where it keeps it only from raising; null otherwise.</summary>
    public Kubernetes.ApiResult? Unread { get; set; }

    /// <summary>Why the canary was not named stable when it was looked at live, and until when that is not tried again; null otherwise.</summary>
    public (string Text, DateTimeOffset Until)? Unpromoted { get; set; }

    /// <summary>Whether the records of releases were read live since no status names a stable one.</summary>
    public bool ReadRecords { get; set; }

    public WriteLedger Ledger { get; } = new(owner);

    /// <summary>Since when a look at what a release is to be taken back for has had no answer, by the monotonic clock; null where it had one.</summary>
    public long? UnansweredSince { get; set; }

    /// <summary>How often in a row a cache was found to lag.</summary>
    public int Lags { get; set; }

    public EngineMemory Engine { get; set; } = EngineMemory.Empty;

    /// <summary>The status as it was after the own last write, as JSON; null before the first one.</summary>
    public string? LastStatus { get; set; }

    /// <summary>The status of a write that got no answer, as JSON; null otherwise.</summary>
    public string? UnansweredStatus { get; set; }

    /// <summary>What counts if <see cref="UnansweredStatus"/> was taken and names another release stable, and what is told then; null otherwise.</summary>
    public (EngineMemory Memory, IReadOnlyList<EngineEvent> Events)? IfPromoted { get; set; }

    public PreflightView? Preflight { get; set; }

    /// <summary>The record of this spec that could not be made; null where none was wanted, or it was made.</summary>
    public UnmadeRecord? Unmade { get; set; }

    /// <summary>Names that somebody else holds.</summary>
    public Dictionary<(ChildKind Kind, string Name), string> Taken { get; } = [];

    /// <summary>How decisions call a name of <see cref="Taken"/>.</summary>
    public static string NameOf((ChildKind Kind, string Name) taken) => $"{taken.Kind} {taken.Name}";

    /// <summary>Children that are or were there with their labels.</summary>
    public Dictionary<(ChildKind Kind, string Name), KnownLabels> Labels { get; } = [];

    /// <summary>Whether what status names was asked for by name in this term.</summary>
    public bool LabelsAsked { get; set; }

    /// <summary>Whether a child's labels could not be given back yet.</summary>
    public bool OwesLabels { get; set; }

    /// <summary>Children that got labels back in the last pass.</summary>
    public HashSet<(ChildKind Kind, string Name)> Mended { get; set; } = [];

    /// <summary>The route as it was read live in this pass, where the cache does not show it, by a label that was taken away; null otherwise.</summary>
    public V1HTTPRoute? RouteOutOfSight { get; set; }

    /// <summary>Whether the route got its label back, and no pass since has left it without (<see cref="RouteLeftAlone"/>) and written what it decided.</summary>
    public bool RouteGivenBack { get; set; }

    /// <summary>When it got its label back for the last time, by the monotonic clock.</summary>
    public long? RouteGivenBackAt { get; set; }

    /// <summary>Whether this pass does not give the route's label back before it decides. A write of the route has the label in it all the same.</summary>
    public bool RouteLeftAlone { get; set; }

    /// <summary>Children that did not keep what spec wants on them, and what that was: somebody changes it with each write, and it is not written again.</summary>
    public Dictionary<(ChildKind Kind, string Name), string> Undescribable { get; } = [];

    public DateTimeOffset TakenCheckedAt { get; set; }

    /// <summary>External Services that the last decision asked for.</summary>
    public IReadOnlyList<string> Externals { get; set; } = [];

    public Dictionary<string, (int Addresses, DateTimeOffset At)> ExternalAddresses { get; } = new(StringComparer.Ordinal);

    public string? LastError { get; set; }

    /// <summary>Children whose writes were not taken in the last pass, and why.</summary>
    public IReadOnlyDictionary<string, string> Unwritten { get; set; } = new Dictionary<string, string>();

    /// <summary>The rollback whose reaction was told already, by the time of its decision.</summary>
    public DateTimeOffset? ToldRollback { get; set; }

    /// <summary>The newest reading of the spec and the generation that it is of.</summary>
    public (long Generation, SpecReading Reading)? Reading { get; set; }

    /// <summary>Records read before, by the uid of their ControllerRevision: their data never changes.</summary>
    public Dictionary<string, ReleaseRecord?> Releases { get; } = new(StringComparer.Ordinal);

    /// <inheritdoc cref="Releases"/>
    public Dictionary<string, ResolvedSpec?> Policies { get; } = new(StringComparer.Ordinal);

    /// <summary>Keeps events of a decision that the status does not tell yet, the newest of them.</summary>
    public void KeepUntold(IEnumerable<EngineEvent> events)
    {
        foreach (var e in events)
        {
            if (_untold.Count >= MaxUntold) _untold.Dequeue();
            _untold.Enqueue(e);
        }
    }

    /// <summary>Those events, once.</summary>
    public IReadOnlyList<EngineEvent> TakeUntold()
    {
        var events = _untold.ToList();
        _untold.Clear();
        return events;
    }

    /// <summary>Whether an error is news.</summary>
    public bool IsNewError(string error)
    {
        if (_toldErrors.Count >= MaxToldErrors) _toldErrors.Clear();
        return _toldErrors.Add(error);
    }
}
