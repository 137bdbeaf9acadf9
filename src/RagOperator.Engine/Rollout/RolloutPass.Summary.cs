using System.Globalization;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;
using RagOperator.Engine.Releases;
using RagOperator.Engine.Sla;

namespace RagOperator.Engine.Rollout;

// What people and tools read: phase, message, components.
internal sealed partial class RolloutPass
{
    /// <summary>A phase with its reason for machines and its text for people.</summary>
    private sealed record Situation(string Phase, string Reason, string Message);

    private void Summarize()
    {
        var situation = WithStableDown(Situate());
        situation = situation with { Message = Sentence(situation.Message) };
        _s.Phase = situation.Phase;
        _s.Message = World.LastError is { } error && situation.Phase != Phases.Healthy && !situation.Message.Contains(error, StringComparison.Ordinal) ? $"{situation.Message}. Trouble: {error}" : situation.Message;
        if (_waitFirst is null)
        {
            _s.Components = Components();
        }

        SetConditions(situation);
    }

    private Situation Situate()
    {
        if (_waitFirst is { } wait)
        {
            return new Situation(Phases.Progressing, "Restoring", wait);
        }

        if (_refused is { } refused)
        {
            return new Situation(Phases.Degraded, refused.Reason, refused.Message + (Canary is null && Stable is null ? "" : ". What runs goes on running"));
        }

        if (_nameTaken is { } taken)
        {
            return new Situation(Phases.Degraded, "NameTaken", taken);
        }

        if (IsRecordLost)
        {
            return SituateLost();
        }

        // The policy that was accepted last cannot be read any more, and the one in spec is not accepted yet.
        return Canary is not null && _spec is null ? new Situation(Phases.Progressing, "Checking", "The policy of the running rollout cannot be read; spec is checked with the API server before it goes on")
            : Canary is { } canary ? Stable is null ? SituateInstall(canary.Record) : SituateRollout(canary.Record)
            : Stable is null ? new Situation(Phases.Progressing, "Checking", "Checking the first release with the API server")
            : SituateStable(Stable.Record);
    }

    private Situation SituateInstall(ReleaseRecord canary)
    {
        var missing = Missing(canary);
        return _installLate is { } late ? new Situation(Phases.Degraded, RollbackCauses.Deadline, $"Installing {Called(canary)} takes longer than {RagDuration.Format(_spec!.Policy.ProgressDeadline)}: {late}. It keeps trying")
            : _capacity is { } full ? new Situation(Phases.Suspended, full.Reason, $"Installing {Called(canary)} is {full.Text}")
            : _s.Paused is { } paused ? new Situation(Phases.Suspended, "Paused", $"Installing {Called(canary)} is paused by {paused.By}; to go on, annotate {Api.ApiConstants.RequestAnnotation}=resume/{canary.Number}")
            : _spec is { Policy.Paused: true } ? new Situation(Phases.Suspended, "Paused", $"Installing {Called(canary)} is paused by spec.rollout.paused")
            : _s.Step?.PortRefusedSince is not null ? new Situation(Phases.Suspended, PortRefused, $"Installing {Called(canary)}: {PortText(canary)}")
            : new Situation(Phases.Progressing, "Installing", $"Installing {Called(canary)}{(missing.Length > 0 ? $": {missing}" : "")}");
    }

    private Situation SituateStable(ReleaseRecord stable)
    {
        if (_s.FailedRevision is { } failedHash)
        {
            var failed = _book.Find(failedHash);
            var called = failed is null ? failedHash : Called(failed.Record);
            var why = _s.Rollback?.Message ?? failed?.Failed ?? "";
            return _bothBad ? new Situation(Phases.Progressing, StableNotReady, $"{called} is to be taken back ({why}), but stable has no ready address: both are bad, the weight waits for stable")
                : _s.Rollback is { VerifiedAt: null } && !CarriesNothingOf(failedHash) ? new Situation(Phases.Progressing, "RollingBack", $"Taking {called} back: {why}{(!World.RouteKindKnown ? "; the server serves no HTTPRoute: nobody can tell who gets requests, and its pods stay" : OwnRoute is { Verified: false } ? $"; waiting for the gateway{RouteText()}" : "")}")
                : new Situation(Phases.Degraded, "RolledBack", $"{called} was taken back in step {_s.Rollback?.Step}: {why}. Stable {Called(stable)} serves; held until spec changes, or somebody annotates {Api.ApiConstants.RequestAnnotation}=retry/{failed?.Record.Number}");
        }

        if (!World.RouteKindKnown)
        {
            return new Situation(Phases.Suspended, "RouteKindMissing", "The Gateway API's HTTPRoute is not installed in this cluster: no traffic can be moved");
        }

        if (_bothBad)
        {
            return new Situation(Phases.Progressing, StableNotReady, $"Stable {Called(stable)} has no ready address: the weight of the release that was withdrawn waits for it");
        }

        var single = OwnRoute is { Verified: true, Drifted: false } route
            && route.Backends.Count == 1 && Is(route.Backends[0].Service, EntryService(stable)) && route.Backends[0].Weight == 100
            // Held against the policy that status named so far: a route that was edited just now has not been written yet.
            && !_routeEdited
            // Seen before, and not accepted then: no success until it has been asked about again.
            && !(_pending && _s.ObservedGeneration == _in.Generation);
        if (single)
        {
            _s.Weight = 100;
        }

        if (_pending && World.LastError is not null)
        {
            return new Situation(Phases.Progressing, "Checking", "The new release could not be checked with the API server yet");
        }

        if (single && !StableServicesSettled(stable))
        {
            return new Situation(Phases.Progressing, "ServicesNotMoved", $"{Called(stable)} is stable; waiting until the Services inside the cluster select it");
        }

        if (single && NotWritten(stable) is { } notWritten)
        {
            return notWritten;
        }

        return single && IsAsleep ? new Situation(Phases.Healthy, "ScaledToZero", $"{Called(stable)} is scaled to 0: it has no pods and serves no requests")
            : single ? new Situation(Phases.Healthy, "Healthy", $"{Called(stable)} serves all requests")
            : _pending ? new Situation(Phases.Progressing, "Checking", "Checking the new release with the API server")
            : new Situation(Phases.Progressing, "RouteNotVerified", $"{Called(stable)} is stable; waiting for the gateway{RouteText()}");
    }

    private string RouteText() => OwnRoute is { Problem: { } message } ? $": {message}" : "";

    private Situation SituateRollout(ReleaseRecord canary)
    {
        var step = _s.Step!;
        var policy = CurrentStep!;
        var where = $"{Called(canary)}, step {step.Name} ({step.Index + 1} of {_spec!.Policy.Steps.Count}, {step.Weight}%)";
        if (Suspension(canary, step) is var (reason, text) && reason is not null)
        {
            return new Situation(Phases.Suspended, reason, $"{where}: {text}");
        }

        var doing = IsToRecover ? RecoveryText() : step.State switch
        {
            StepStates.Scaling when step.ReturnsTo is { } before && !RouteCarries(before) => $"its pods are back; waiting for the gateway to confirm the {before}% that it had{RouteText()}",
            StepStates.Scaling => Missing(canary) is { Length: > 0 } missing ? $"bringing up pods: {missing}"
                : _s.Attempt!.FirstWeightAt is null && !BaselineDone() ? "asking each metric about stable first"
                : !RouteIsClear() ? "waiting until the route is free of the release before"
                : _s.Attempt!.FirstWeightAt is null && !CarriesNothingOf(canary.Hash) ? $"waiting for the gateway before the first weight{RouteText()}"
                : _portLook is not null ? $"asking Service {EntryService(canary)} for a connection on port {PortOf(canary)}"
                : _s.Attempt!.FirstWeightAt is not null && !RouteCarries(LiveWeight()) ? $"waiting for the gateway to confirm the {LiveWeight()}% from which the weight is to rise{RouteText()}"
                : $"waiting for every metric to pass before the weight rises{BlockingText()}",
            StepStates.Shifting when step.UnverifiedSince is null && AgainstFlags() is { Count: > 0 } against => $"the gateway has taken the weight; its flags wait for every metric to pass: {VerdictsText(against)}",
            StepStates.Shifting when step.UnverifiedSince is null => "the gateway has taken the weight; its flags go on as soon as spec is checked and all that it takes to decide can be read",
            StepStates.Shifting => $"waiting for the gateway to take the weight{RouteText()}",
            _ => HoldText(step, policy),
        };
        return new Situation(Phases.Progressing, IsToRecover ? "Recovering" : step.State, $"{where}: {doing}");
    }

    private string HoldText(StepStatus step, ResolvedStep policy)
    {
        if (step.UnverifiedSince is not null)
        {
            return $"the gateway does not confirm the weight, the clock stands{RouteText()}";
        }

        if (!FlagsDelivered(Canary!.Record, step.Index))
        {
            return "the clock stands until the flags are written";
        }

        if (step.HoldUntil is { } until)
        {
            return $"holding for {RagDuration.Format(policy.Hold)}, until {until.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)} if nothing stops the clock";
        }

        var judgedFrom = (_s.Attempt!.FirstWeightAt ?? _now) + (_spec!.Policy.Sla?.WarmUp ?? TimeSpan.Zero);
        var blocking = Blocking();
        return judgedFrom > _now && JudgedNow().Any() ? $"warming up until {judgedFrom.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture)}"
            : blocking.Count > 0 ? $"the clock stands: {VerdictsText(blocking)}"
            : _creditedTo is null ? "waiting for a full window of metrics with this weight"
            : Missing(Canary!.Record) is { Length: > 0 } missing ? $"hold complete, waiting for pods: {missing}"
            : "hold complete";
    }

    private List<ResolvedMetric> Blocking() => [.. JudgedNow().Where(m => Sla(m.Name)?.Verdict != nameof(Verdict.Pass))];

    private string BlockingText() => Blocking() is { Count: > 0 } blocking ? $": {VerdictsText(blocking)}" : "";

    private string VerdictsText(List<ResolvedMetric> metrics) => string.Join(", ", metrics.Select(m => $"{m.Name} {VerdictText(Sla(m.Name))}"));

    private static string VerdictText(MetricStatus? status) => status?.Verdict switch
    {
        null => "not asked yet",
        nameof(Verdict.Breach) => $"is beyond its limit ({Math.Min(status.Streak, status.FailAfter)} of {status.FailAfter})",
        nameof(Verdict.NoData) => "has no data",
        nameof(Verdict.TooFew) => "has too few requests",
        nameof(Verdict.Invalid) => "cannot be judged",
        nameof(Verdict.Error) => "cannot be asked",
        nameof(Verdict.Pass) => "has not answered lately",
        SlaBook.Reported => "does not count yet",
        var other => other,
    };

    /// <summary>What the rollout waits for that does not come by itself soon.</summary>
    private (string? Reason, string Text) Suspension(ReleaseRecord canary, StepStatus step)
    {
        var metrics = _spec!.Policy.Sla;
        if (!World.RouteKindKnown)
        {
            return ("RouteKindMissing", "the Gateway API's HTTPRoute is not installed in this cluster");
        }

        if (IsAsleep)
        {
            return ("ScaledToZero", $"component {_spec.Entry} is scaled to 0: the rollout waits until it is to have pods");
        }

        if (_bothBad && !IsToRecover)
        {
            return (StableNotReady, "the weight is to go down, but stable has no ready address: both are bad");
        }

        if (step.Lost is not null)
        {
            return ("PodsLost", LossText(canary, step));
        }

        if (_s.Paused is { } paused)
        {
            return ("Paused", step.LoweredTo is { } lowered
                ? $"{paused.By} lowered the weight to {lowered}%; to go on, annotate {Api.ApiConstants.RequestAnnotation}=resume/{canary.Number}"
                : $"paused by {paused.By}; to go on, annotate {Api.ApiConstants.RequestAnnotation}=resume/{canary.Number}");
        }

        if (_spec.Policy.Paused)
        {
            return ("Paused", "paused by spec.rollout.paused");
        }

        if (_unadopted is { } orphan)
        {
            return ("ChildNotWritten", $"nothing rises: {orphan}");
        }

        if (_capacity is { } full)
        {
            return full;
        }

        if (step.PortRefusedSince is not null)
        {
            return (PortRefused, PortText(canary));
        }

        if (step.UnverifiedSince + _spec.Policy.ProgressDeadline <= _now)
        {
            var what = step.State == StepStates.Scaling ? $"confirmed the {LiveWeight()}% from which the weight is to rise" : "taken the weight";
            return ("RouteNotAccepted", $"the gateway has not {what} for {RagDuration.Format(_spec.Policy.ProgressDeadline)}{RouteText()}");
        }

        if (FlagsRefused() is { } flags)
        {
            return (FlagsNotWritten, $"the clock stands: {flags}");
        }

        if (JudgedNow().FirstOrDefault(m => m.OnBreach == BreachAction.Hold && Sla(m.Name) is { } s && SlaBook.Holds(s, m)) is { } held)
        {
            return ("MetricHold", $"metric {held.Name} is beyond its limit and holds the rollout until it passes");
        }

        if (BaselineTrouble() is { } trouble)
        {
            return ("Baseline", trouble);
        }

        if (step.State == StepStates.Waiting)
        {
            return ("ApprovalNeeded", $"held, waiting for approval: annotate {Api.ApiConstants.RequestAnnotation}=approve/{canary.Number}/{step.Name}");
        }

        if (step.NoRequestsSince is { } unserved)
        {
            return (NoRequests, $"no request has come since {unserved.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)}, though stable gets many: does the gateway follow the route? Nothing is rolled back for that");
        }

        if (metrics is not null && JudgedNow().Any() && _s.Attempt!.FirstWeightAt is { } first)
        {
            var silent = (_s.Attempt.LastAnswerAt ?? (first + metrics.WarmUp)) + metrics.NoDataTimeout;
            if (silent <= _now)
            {
                return ("NoData", $"no usable answer from metric source {metrics.Source} for {RagDuration.Format(metrics.NoDataTimeout)}; nothing is rolled back for that");
            }

            LookAt(silent);
        }

        return (null, "");
    }

    private string Missing(ReleaseRecord release) => string.Join("; ", release.Components
        .Where(c => c.Revision is not null || _s.Step?.State == StepStates.Scaling)
        .Select(c => (c.Name, Seen: Look(release, c))).Where(static c => !c.Seen.Available)
        .Select(static c => $"{c.Name} {c.Seen.Ready}/{c.Seen.Wanted}{(c.Seen.Message is null ? "" : $" ({c.Seen.Message})")}"));

    private List<ComponentStatus> Components()
    {
        if ((Canary ?? Stable)?.Record is not { } shown)
        {
            return [];
        }

        return shown.Components.ConvertAll(c =>
        {
            var seen = Look(shown, c);
            var external = c.Revision is null;
            var waited = !external || (Canary is not null && _s.Step?.State == StepStates.Scaling);
            return new ComponentStatus
            {
                Name = c.Name,
                Revision = c.Revision,
                Ready = external ? null : $"{seen.Ready}/{seen.Wanted}",
                Shared = Canary is not null && Stable is not null && IsShared(c.Name) ? true : null,
                Reason = waited ? seen.Reason : null,
                Message = waited ? seen.Message : null,
            };
        });
    }
}
