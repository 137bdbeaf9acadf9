using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

/// <summary>One pass over one object. Its parts come in the order in which they run.</summary>
internal sealed partial class RolloutPass
{
    private readonly EngineInput _in;
    private readonly DateTimeOffset _now;
    private readonly RagDeploymentStatus _s;
    private readonly ReleaseBook _book;
    private readonly List<Write> _before = [];
    private readonly List<Write> _after = [];
    private readonly List<EngineEvent> _events = [];
    private readonly Dictionary<string, IReadOnlyList<string>> _breaches;
    private DateTimeOffset? _creditedTo;
    private DateTimeOffset? _next;

    /// <summary>The spec that counts: the one just read, or the last accepted one while that is wrong; null where there is none.</summary>
    private ResolvedSpec? _spec;

    /// <summary>Why spec is not followed; null while it is.</summary>
    private Refusal? _refused;

    /// <summary>What the object waits for before anything else may be done with it.</summary>
    private string? _waitFirst;

    /// <summary>Whether the user's part of the route was edited by the spec that this pass accepts.</summary>
    private bool _routeEdited;

    /// <summary>Whether the spec is understood and its release is about to be named.</summary>
    private bool _pending;

    public RolloutPass(EngineInput input)
    {
        _in = input;
        _now = Milliseconds(input.Now);
        _s = StatusCopy.Of(input.Memory.Working ?? input.Persisted);
        World = Settled(input.Observed);
        _creditedTo = input.Memory.CreditedTo;
        _unserved = input.Memory.Unserved;
        _breaches = new Dictionary<string, IReadOnlyList<string>>(input.Memory.Breaches, StringComparer.Ordinal);
        _book = new ReleaseBook(
            input.Observed.Releases.Where(r => r.Owner == Ownership.Ours || (r.Owner == Ownership.Orphan && IsNamed(r.Record.Hash))),
            (_s.Struck ?? []).SelectMany(static s => s.Flags.Select(f => (s.Release, f))));
    }

    private string Name => _in.Key.Name;

    /// <summary>Whether status names a release: its record counts also where somebody took its owner away.</summary>
    private bool IsNamed(string hash) => Is(hash, _s.StableRevision) || Is(hash, _s.CanaryRevision) || Is(hash, _s.FailedRevision)
        || _s.History?.Exists(h => Is(h.Revision, hash)) == true || _s.Retiring?.Exists(r => Is(r.Revision, hash)) == true;

    private Observed World { get; }

    private ReleaseView? Stable => _book.Find(_s.StableRevision);

    private ReleaseView? Canary => _book.Find(_s.CanaryRevision);

    /// <summary>Whether anything may rise now: weights, flags, new pods of a canary.</summary>
    private bool MayRaise => !_in.MayNotRaise && _unadopted is null && _refused is null && !_pending && _s.Paused is null && _spec is { Policy.Paused: false }
        && (Stable is null || (World.RouteKindKnown && !IsAsleep));

    public EngineOutput Run()
    {
        if (_in.Deleting)
        {
            return new EngineOutput { Status = _s, StatusDue = false, Memory = _in.Memory };
        }

        if (Restore())
        {
            ReadRollbackMark();
            FollowSpec();
            StrikeDisabledFlags();
            // A release that cannot be looked up is not one that is not there: without stable any canary would pass for a first install.
            if (IsRecordLost)
            {
                MoveWithoutRecords();
            }
            else
            {
                Move();
            }
        }

        Summarize();
        return Output();
    }

    private void Move()
    {
        // Requests are about the steps as they are now.
        DistrustFuture();
        KeepPosition();
        ReadRequest();
        NoticeHand();
        NoticeWeight();
        WatchStable();
        Judge();
        Advance();
        ForgetPort();
        FollowRollback();
        Retire();
        PlanFlags();
        PlanChildren();
        PlanRoute();
        PlanRecords();
        PlanDescriptions();
    }

    private EngineOutput Output()
    {
        Prune();
        return new EngineOutput
        {
            Status = _s,
            StatusDue = StatusDiff.IsDue(_in.Persisted, _s, ProgressCadence(), _now),
            Memory = new EngineMemory { Working = _s, CreditedTo = _creditedTo, Breaches = _breaches, Route = _routeSeen, Unserved = _unserved },
            Before = _before,
            StatusNeeds = _statusNeeds,
            Condemns = _condemns,
            After = [.. _after.Where(w => w.Way != Direction.Raises || !_in.MayNotRaise || IsStables(w)).OrderBy(static w => w is DeleteChild or Adopt ? 2 : w.Way == Direction.Lowers ? 0 : 1)],
            Events = _events,
            Look = Look(),
            Externals = ExternalsWanted(),
            Port = _portLook,
            Missed = _missed,
            NextLook = _next,
        };
    }

    /// <summary>Whether a write only makes again what serves: stable keeps its full count (S3) whatever cannot be looked at.</summary>
    private bool IsStables(Write write) => ((write as CreateDeployment)?.Release ?? (write as CreateRevisionService)?.Release) is { } release && Is(release.Hash, _in.Persisted?.StableRevision);

    /// <summary>Empty lists and marks that say nothing are left out, so that status reads well.</summary>
    private void Prune()
    {
        _s.Struck = NullIfEmpty(_s.Struck);
        _s.Retiring = NullIfEmpty(_s.Retiring);
        _s.History = NullIfEmpty(_s.History);
        _s.Sla = NullIfEmpty(_s.Sla);
        _s.Flags = NullIfEmpty(_s.Flags);
        _s.Components = NullIfEmpty(_s.Components);
    }

    private static List<T>? NullIfEmpty<T>(List<T>? list) => list is { Count: > 0 } ? list : null;

    /// <summary>Asks for another look. What is past already was decided in this pass: looking again at once would change nothing.</summary>
    private void LookAt(DateTimeOffset? time)
    {
        if (time is { } t && t > _now && (_next is null || t < _next))
        {
            _next = t;
        }
    }

    private void Tell(string reason, string message, bool warning = false) => _events.Add(new EngineEvent(reason, Sentence(message), warning));

    /// <summary>What begins with a release's name begins with a capital letter; what begins with a field's name stays as it is.</summary>
    private static string Sentence(string text) => text.StartsWith("release ", StringComparison.Ordinal) ? $"R{text[1..]}" : text;

    private static string Called(ReleaseRecord release) => $"release {release.Number} ({release.Hash})";

    private string EntryService(ReleaseRecord release) => ChildNames.Revision(Name, release.Entry, release.Component(release.Entry)?.Revision ?? "");

    private int ReadyAddresses(ReleaseRecord release) => World.ReadyAddresses.GetValueOrDefault(EntryService(release));

    /// <summary>Times in status have three digits after the second: what is written is what is read back.</summary>
    private static DateTimeOffset Milliseconds(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);

    /// <summary>Why a spec is not followed.</summary>
    /// <param name="Reason">InvalidSpec, NameTaken or NotRecorded.</param>
    /// <param name="Message">Field, value and rule.</param>
    private sealed record Refusal(string Reason, string Message);
}
