using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// Which release spec names, and what that begins or ends.
internal sealed partial class RolloutPass
{
    /// <summary>How long a refusal by the API server stands before it is asked again: names are freed, policies change.</summary>
    private static readonly TimeSpan s_preflightAgain = TimeSpan.FromMinutes(1);

    /// <summary>What was followed until this pass; null where that is not known.</summary>
    private ResolvedSpec? _specBefore;

    private void FollowSpec()
    {
        // Its record may have been deleted by hand: where spec is still the same, it says the same.
        _spec = World.Policies.FirstOrDefault(p => string.Equals(p.Name, _s.PolicyRevision, StringComparison.Ordinal))?.Spec
            ?? (_in.Reading.Spec is { } read && Is(PolicyName(), _s.PolicyRevision) ? read : null);
        if (_in.Reading.Spec is not { } spec)
        {
            Refuse("InvalidSpec", string.Join("; ", _in.Reading.Problems.Take(10)));
            return;
        }

        if (_in.Unrecordable is { } why)
        {
            Refuse("NotRecorded", $"what spec asks for cannot be recorded, and is not followed until it can: {why}");
            return;
        }

        var contents = ContentHashes.Of(spec);
        // Flags disabled by this very spec are struck first: the release is the same one without them.
        foreach (var flag in spec.DisabledFlags)
        {
            Strike(flag);
        }

        var named = _book.Match(spec, contents, _s.StableRevision, _s.CanaryRevision, _s.FailedRevision);
        if (named is null)
        {
            var record = ReleaseMint.Mint(spec, contents, _book, LastNumber());
            if (IsRecordLost && !Is(record.Hash, _s.StableRevision) && !Is(record.Hash, _s.CanaryRevision))
            {
                LeaveWithoutRecords(record.Hash);
                _s.ObservedGeneration = _in.Generation;
                return;
            }

            if (!Accepted(record))
            {
                return;
            }

            named = new ReleaseView { Name = ChildNames.Release(Name, record.Hash), Record = record };
            _book.Add(named);
            _before.Add(new CreateRelease(record));
        }
        else if (_spec is not null && !Is(RouteOf(spec), RouteOf(_spec)) && !Accepted(named.Record))
        {
            // A route that the API server refuses is no less invalid for coming without a new release.
            return;
        }

        if (IsRecordLost)
        {
            LeaveWithoutRecords(named.Record.Hash);
            _s.ObservedGeneration = _in.Generation;
            return; // spec may bring one back that it still describes; until then nothing is begun
        }

        if (_spec is { } before)
        {
            _specBefore = before;
            _routeEdited = !Is(RouteOf(spec), RouteOf(before));
            ForgetOtherQuestions(before, spec);
            MoveRetirements(before, spec);
        }

        _spec = spec;
        AcceptPolicy();
        foreach (var warning in _s.ObservedGeneration == _in.Generation ? [] : _in.Reading.Warnings)
        {
            Tell("SpecWarning", warning.Text, warning: true);
        }

        _s.ObservedGeneration = _in.Generation;
        _s.Release = named.Record.Number;
        Follow(named);
    }

    /// <summary>The highest number that a release ever had, as far as anything tells: a record may have been deleted by hand.</summary>
    private long LastNumber() => (_s.History ?? []).Select(static h => h.Release).Append(_s.Release ?? 0).Append(_book.LastNumber).Max();

    private void Refuse(string reason, string message)
    {
        _refused = new Refusal(reason, message);
        if (_s.ObservedGeneration != _in.Generation || !HasCondition(ConditionTypes.Stalled, reason))
        {
            Tell(reason, message, warning: true);
        }

        _s.ObservedGeneration = _in.Generation;
    }

    private static string? RouteOf(ResolvedSpec? spec) =>
        spec is null ? null : ShortHash.Short("route", System.Text.Encoding.UTF8.GetString(CanonicalJson.Bytes(spec.GatewayApi)));

    /// <summary>What is asked about beside the release's own content.</summary>
    private static string QuestionOf(ResolvedSpec spec)
    {
        var more = spec.Components.Select(static c => (c.Name, c.Metadata, c.MinReadySeconds)).Append((Name: "", spec.Metadata, MinReadySeconds: null))
            .SelectMany(static m => m.Metadata.Labels.Concat(m.Metadata.Annotations).SelectMany(t => (string[])[m.Name, t.Key, t.Value]).Concat(m.MinReadySeconds is { } s ? [m.Name, $"{s}"] : []))
            .ToList();
        return more.Count == 0 ? RouteOf(spec)! : ShortHash.Short(["question", RouteOf(spec)!, .. more]);
    }

    private bool Accepted(ReleaseRecord candidate)
    {
        var route = QuestionOf(_in.Reading.Spec!);
        var answer = World.Preflight is { } p && Is(p.Release, candidate.Hash) && Is(p.Route, route) ? p : null;
        if (answer is { Accepted: true })
        {
            return true;
        }

        if (answer is null || _now - answer.At >= s_preflightAgain)
        {
            _before.Add(new Preflight(candidate, route));
            _pending = answer is null;
        }
        else
        {
            LookAt(answer.At + s_preflightAgain);
        }

        if (answer is not null)
        {
            Refuse(answer.Refused.Count > 0 ? "InvalidSpec" : "NameTaken", string.Join("; ", answer.Refused.Concat(answer.NamesTaken).Take(10)));
        }

        return false;
    }

    /// <summary>What a metric answered says nothing about another question by the same name: it begins anew, from now on. One that is asked
    /// for the first time before the first weight is asked of stable first, too.</summary>
    private void ForgetOtherQuestions(ResolvedSpec before, ResolvedSpec now)
    {
        if (_s.Attempt is not { } attempt)
        {
            return;
        }

        foreach (var metric in now.Policy.Sla?.Metrics ?? [])
        {
            var old = before.Policy.Sla?.Metrics.FirstOrDefault(m => Is(m.Name, metric.Name));
            if (old is not null && Is(before.Policy.Sla!.Source, now.Policy.Sla!.Source) && Is(old.Query, metric.Query) && Is(old.Component, metric.Component) && old.Window == metric.Window)
            {
                continue;
            }

            // What waits for its first request still, begins with the new question, too.
            if (IsRollout && IsUnserved(Canary!))
            {
                attempt.FirstWeightAt = null;
            }

            if (attempt.FirstWeightAt is null)
            {
                attempt.BaselineTaken = null;
            }

            if (_s.Sla?.FindIndex(m => Is(m.Name, metric.Name)) is { } index and >= 0)
            {
                _s.Sla[index] = new MetricStatus { Name = metric.Name, FailAfter = metric.FailAfter, Limit = metric.Limit.Text, EvaluatedAt = _now };
                _breaches.Remove(metric.Name);
                _creditedTo = null;
            }
        }
    }

    /// <summary>How long pods are kept counts from when they lost their traffic, also for those that wait already.</summary>
    private void MoveRetirements(ResolvedSpec before, ResolvedSpec now)
    {
        var (failed, replaced) = (now.Policy.KeepFailedPods - before.Policy.KeepFailedPods, now.Policy.RetireDelay - before.Policy.RetireDelay);
        _s.Retiring = _s.Retiring?.ConvertAll(entry => entry.Until is { } until ? entry with { Until = until + (Is(entry.Reason, RetireReasons.Failed) ? failed : replaced) } : entry);
    }

    private string PolicyName() => ChildNames.Policy(Name, ShortHash.Short("policy", System.Text.Encoding.UTF8.GetString(CanonicalJson.Bytes(_in.RawSpec))));

    private void AcceptPolicy()
    {
        var name = PolicyName();
        if (!World.Policies.Any(p => string.Equals(p.Name, name, StringComparison.Ordinal)))
        {
            _before.Add(new CreatePolicy(name));
        }

        _s.PolicyRevision = name;
    }

    private void Follow(ReleaseView named)
    {
        var hash = named.Record.Hash;
        if (Is(hash, _s.StableRevision))
        {
            if (Canary is { } canary)
            {
                Leave(canary, Outcomes.Withdrawn, RetireReasons.Withdrawn, $"spec names {Called(named.Record)} again, which is stable");
                Tell("Withdrawn", $"Spec names {Called(named.Record)} again, which is stable: taking {Called(canary.Record)} back");
            }

            EndHold();
        }
        else if (Is(hash, _s.CanaryRevision) || Is(hash, _s.FailedRevision))
        {
            return;
        }
        else if ((IsMarkAllThatTells(named) ? named.Failed : null) is { } cause)
        {
            HoldBack(named, cause, $"{cause}, known by its mark");
        }
        else if (MarkOnRoute() is { } mark && Is(mark.Release, hash) && !Is(_in.Persisted?.Rollback?.Release, hash))
        {
            HoldBack(named, mark.Cause, $"{mark.Cause}, decided when status could not be written");
        }
        else
        {
            Begin(named);
        }
    }

    /// <summary>Whether the status that told what became of a release is lost, just now or while spec could not be followed: no history knows it.</summary>
    private bool IsMarkAllThatTells(ReleaseView named) => _restored || _s.History?.Exists(h => Is(h.Revision, named.Record.Hash)) != true;

    /// <summary>A release was taken back, and status does not tell: it is held all the same.</summary>
    private void HoldBack(ReleaseView release, string cause, string message)
    {
        EndHold();
        if (Canary is { } older)
        {
            Leave(older, Outcomes.Superseded, RetireReasons.Superseded, "spec names a release that was taken back");
        }

        if (World.Deployments.ContainsKey(EntryService(release.Record)))
        {
            AddRetiring(release, RetireReasons.Failed, null);
        }

        _s.FailedRevision = release.Record.Hash;
        _s.Rollback = new RollbackStatus { Release = release.Record.Hash, Cause = cause, Message = message, DecidedAt = _now };
    }

    /// <summary>Begins an attempt to bring in a release.</summary>
    private void Begin(ReleaseView release)
    {
        // A pause outlives the release that it was asked for: whoever paused wants nothing to move.
        var paused = _s.Paused;
        if (Canary is { } older)
        {
            Leave(older, Outcomes.Superseded, RetireReasons.Superseded, $"{Called(release.Record)} took its place");
            Tell("Superseded", $"{Called(release.Record)} takes the place of {Called(older.Record)}");
        }

        EndHold();
        ForgetCanaryFlags();
        _s.Retiring?.RemoveAll(r => Is(r.Revision, release.Record.Hash));
        _s.CanaryRevision = release.Record.Hash;
        _s.Release = release.Record.Number;
        _s.Weight = Stable is null ? null : 0;
        _s.Paused = paused;
        _s.Sla = null;
        _s.Rollback = null;
        _creditedTo = null;
        var undo = MayUndo(release);
        _s.Attempt = new AttemptStatus { StartedAt = _now, Undo = undo ? true : null };
        var steps = _spec!.Policy.Steps;
        if (Stable is not { } stable)
        {
            _s.Step = new StepStatus { Index = -1, Name = "install", State = StepStates.Scaling, StartedAt = _now };
            Tell("Installing", $"Bringing up {Called(release.Record)}");
        }
        else if (undo)
        {
            Tell("GoingBack", $"Going back to {Called(release.Record)}, which was stable before, without steps");
            EnterStep(steps.Count - 1);
        }
        else
        {
            Tell("RolloutStarted", $"Rolling out {Called(release.Record)} beside {Called(stable.Record)} in {steps.Count} steps");
            EnterStep(0);
        }
    }

    /// <summary>A release that was stable until not long ago, never failed and has all its flags, needs no steps.</summary>
    private bool MayUndo(ReleaseView release)
    {
        var entries = (_s.History ?? []).Where(h => Is(h.Revision, release.Record.Hash)).ToList();
        return Stable is not null
            && release.Failed is null
            && _book.Struck(release.Record.Hash).Count == 0
            && !entries.Exists(static h => string.Equals(h.Outcome, Outcomes.RolledBack, StringComparison.Ordinal))
            && entries.Exists(h => h.ReplacedAt is { } at && !IsAhead(at) && _now - at <= _spec!.Policy.UndoWindow);
    }

    /// <summary>The canary ends without having failed.</summary>
    private void Leave(ReleaseView canary, string outcome, string reason, string message)
    {
        Record(canary, outcome, reason, message);
        // Without a stable release there is no traffic to wait for.
        AddRetiring(canary, reason, _s.StableRevision is null ? _now : null);
        EndAttempt();
    }

    private void EndAttempt()
    {
        _s.CanaryRevision = null;
        _s.Step = null;
        _s.Attempt = null;
        _s.Promoting = null;
        _s.Paused = null;
        _s.Recovery = null;
        _creditedTo = null;
        _unserved = null;
        _breaches.Clear();
        ForgetCanaryFlags();
    }

    private void EndHold()
    {
        if (_s.FailedRevision is null)
        {
            return;
        }

        Tell("HoldEnded", $"Spec or a request ended the hold of {(_book.Find(_s.FailedRevision) is { } f ? Called(f.Record) : _s.FailedRevision)}");
        _s.FailedRevision = null;
        _s.Rollback = null;
    }

    private void AddRetiring(ReleaseView release, string reason, DateTimeOffset? until)
    {
        (_s.Retiring ??= []).RemoveAll(r => Is(r.Revision, release.Record.Hash));
        _s.Retiring.Add(new RetiringStatus { Revision = release.Record.Hash, Reason = reason, Until = until });
    }

    private void Record(ReleaseView release, string outcome, string reason, string message, string? query = null, List<string>? values = null)
    {
        (_s.History ??= []).Insert(0, new HistoryEntry
        {
            Release = release.Record.Number,
            Revision = release.Record.Hash,
            Outcome = outcome,
            Step = _s.Step?.Name,
            Reason = reason,
            Message = message,
            Query = query,
            Values = values,
            StartedAt = _s.Attempt?.StartedAt,
            FinishedAt = _now,
        });
        while (_s.History.Count > 10)
        {
            // What can still be gone back to is not forgotten for attempts that led nowhere.
            var oldest = _s.History.FindLastIndex(h => !MayBeGoneBackTo(h));
            _s.History.RemoveAt(oldest > 0 ? oldest : _s.History.Count - 1);
        }

        bool MayBeGoneBackTo(HistoryEntry entry) =>
            (Is(entry.Revision, _s.StableRevision) && entry.ReplacedAt is null && entry.Outcome is Outcomes.Installed or Outcomes.Promoted)
            || entry.ReplacedAt + (_spec?.Policy.UndoWindow ?? TimeSpan.Zero) >= _now;
    }

    private static bool Is(string? a, string? b) => a is not null && string.Equals(a, b, StringComparison.Ordinal);
}
