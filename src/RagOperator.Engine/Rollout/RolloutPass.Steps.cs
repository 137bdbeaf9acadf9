using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// The walk through the steps: scale, shift, hold, wait, next.
internal sealed partial class RolloutPass
{
    // Moved no more often: each time is a write of status, also where the route is refused for hours.
    private static readonly TimeSpan s_decisionStands = TimeSpan.FromSeconds(10);

    private ResolvedStep? CurrentStep => _s.Step is { Index: >= 0 } step ? _spec?.Policy.Steps.ElementAtOrDefault(step.Index) : null;

    private bool IsRollout => Canary is not null && Stable is not null && _s.Step is { Index: >= 0 } && _spec is not null;

    /// <summary>Begins a step anew: hold 0, no approval. What is known of the canary's availability goes on.</summary>
    private void EnterStep(int index)
    {
        _unserved = null;
        var step = _spec!.Policy.Steps[index];
        // What a hand left is where the way up begins.
        _s.Weight = _s.Step?.LoweredTo is { } lowered ? Math.Min(_s.Weight ?? 0, lowered) : _s.Weight;
        _s.Step = new StepStatus
        {
            Index = index,
            Name = step.Name,
            Weight = step.Weight,
            State = StepStates.Scaling,
            StartedAt = _now,
            UnavailableSince = _s.Step?.UnavailableSince,
            AvailableSince = _s.Step?.AvailableSince,
            NoAddressSince = _s.Step?.NoAddressSince,
            PortRefusedSince = _s.Step?.PortRefusedSince,
            Outages = _s.Step?.Outages,
            Lost = _s.Step?.Lost,
            Losses = _s.Step?.Lost is null ? null : 1,
            ReturnsTo = _s.Step?.ReturnsTo,
        };
        _creditedTo = null;
        if (_s.Weight == 0 && _s.Attempt?.FirstWeightAt is not null && Canary is { } canary && FlagsOfStep(canary.Record, index).Count > 0)
        {
            // Flags of the step go off with the last request: what was judged with them is to be begun with anew.
            _s.Sla = _s.Sla?.ConvertAll(m => Metrics.Any(x => Is(x.Name, m.Name) && x.Steps is not null) ? m with { Verdict = Engine.Sla.SlaBook.Reported, Streak = 0, BreachedAt = null } : m);
        }

        Tell("StepStarted", $"Step {step.Name} ({index + 1} of {_spec.Policy.Steps.Count}) begins: {step.Weight}%{FlagsText(step)}, hold {RagDuration.Format(step.Hold)}");
    }

    private static string FlagsText(ResolvedStep step) => step.Flags.Count == 0 ? "" : $", then {string.Join(", ", step.Flags)} on";

    /// <summary>Edits of the steps start nothing, but the position among them is kept by name.</summary>
    private void KeepPosition()
    {
        if (!IsRollout)
        {
            return;
        }

        var step = _s.Step!;
        var steps = _spec!.Policy.Steps;
        var index = Enumerable.Range(0, steps.Count).FirstOrDefault(i => Is(steps[i].Name, step.Name), -1);
        if (index < 0)
        {
            var reached = steps.Where(s => s.Weight <= step.Weight).Select(static s => s.Weight).DefaultIfEmpty(-1).Max();
            var place = reached < 0 ? 0 : Enumerable.Range(0, steps.Count).First(i => steps[i].Weight == reached);
            Tell("StepGone", $"Step {step.Name} is gone from spec; going on in step {steps[place].Name}");
            EnterAnew(place);
            return;
        }

        var indexBefore = step.Index;
        step.Index = index;
        var holds = step.State is StepStates.Holding or StepStates.Waiting;
        var isGivenFlags = holds ? AreFlagsToCome() : IsGivenFlags(indexBefore, index);
        if (steps[index].Weight > step.Weight)
        {
            Tell("StepChanged", $"The weight of step {step.Name} was raised from {step.Weight}% to {steps[index].Weight}%");
            EnterAnew(index);
        }
        else if (holds && isGivenFlags)
        {
            Tell("StepChanged", $"A flag was added to step {step.Name} or an earlier one");
            EnterAnew(index);
        }
        else
        {
            if (steps[index].Weight < step.Weight)
            {
                LowerStep(step, steps[index].Weight);
            }

            // Its weight is on its way as it was: what was held and approved before is not this.
            if (isGivenFlags)
            {
                Tell("StepChanged", $"A flag was added to step {step.Name} or an earlier one before its weight was there");
                step.HeldFor = null;
                step.Approved = null;
                _enteredAnew = true;
            }
        }
    }

    private void LowerStep(StepStatus step, int weight)
    {
        Tell("StepChanged", $"The weight of step {step.Name} was lowered from {step.Weight}% to {weight}%");
        step.Weight = weight;
        step.Carried = null;
        if (step.State is not StepStates.Scaling)
        {
            step.State = StepStates.Shifting;
            step.VerifiedAt = null;
            step.HoldUntil = null;
            step.UnverifiedSince = _now;
            _creditedTo = null;
        }
    }

    private void EnterAnew(int index)
    {
        EnterStep(index);
        _enteredAnew = true;
    }

    /// <summary>Whether spec has just made another step of the one that the rollout was in.</summary>
    private bool _enteredAnew;

    /// <summary>The weight that the canary may have now: the step's once that was decided, what was verified before until then, less where a
    /// hand lowered it.</summary>
    private int LiveWeight()
    {
        if (!IsRollout)
        {
            return 0;
        }

        var step = _s.Step!;
        if (step.Lost is not null)
        {
            return 0;
        }

        var weight = step.State == StepStates.Scaling ? Math.Min(Math.Max(_s.Weight ?? 0, step.ReturnsTo ?? 0), step.Weight) : step.Weight;
        return Math.Min(weight, step.LoweredTo ?? weight);
    }

    private void Advance()
    {
        if (Canary is not { } canary || _s.Step is null)
        {
            return;
        }

        if (_spec is null)
        {
            // Nobody can tell what its policy was; that it does not answer anybody needs none.
            if (Stable is not null)
            {
                WatchAddress(canary.Record, _s.Step, isAvailable: false);
            }

            return;
        }

        var available = WatchAvailability(canary.Record);
        if (_s.CanaryRevision is null)
        {
            return; // it was just taken back
        }

        if (IsRollout && IsAsleep)
        {
            Sleep(_s.Step);
            return;
        }

        if (_s.Step.Lost is not null || (IsRollout && Recovers(canary, available)))
        {
            return;
        }

        if (IsRollout && !IsRecovery && IsUnserved(canary) && _now - _s.Attempt!.FirstWeightAt > s_decisionStands)
        {
            _s.Attempt.FirstWeightAt = null; // nothing has begun to warm up
        }

        if (Stable is null)
        {
            if (available && MayRaise && TakesConnections(canary.Record))
            {
                TellUnknownPort(canary.Record);
                Promote();
            }

            return;
        }

        switch (_s.Step.State)
        {
            case StepStates.Scaling:
                Shift(canary, available);
                break;
            case StepStates.Shifting when IsUnwritten(canary) && !IsRecovery:
                ShiftAgain(canary, available);
                break;
            case StepStates.Shifting:
                Verify(available);
                break;
            default:
                Hold(available);
                break;
        }
    }

    // Right before a weight is written everything is looked at again: room may have been lost, a metric may have turned.
    private void Shift(ReleaseView canary, bool available, bool isAgain = false)
    {
        var step = _s.Step!;
        var first = _s.Attempt!.FirstWeightAt is null;
        // What an earlier attempt left on the route goes first, and is seen to be gone. Later the gateway has to confirm the weight that it has:
        // one that does not follow, or no longer, is given no more.
        var follows = first ? CarriesNothingOf(canary.Record.Hash) : RouteCarries(LiveWeight());
        if (follows)
        {
            step.UnverifiedSince = null;
            if (!first && step.LoweredTo is null)
            {
                _s.Weight = LiveWeight();
                step.ReturnsTo = null;
            }
        }

        // Asked while the gateway may still have to follow: nothing waits for the answer then.
        var answers = !first || isAgain || !available || !MayRaise || !BaselineDone() || TakesConnections(canary.Record);
        if (_s.CanaryRevision is null)
        {
            return; // it was just taken back
        }

        if (!available || !MayRaise || step.LoweredTo is not null || !RouteIsClear() || (first ? !BaselineDone() : !MayLeaveWeight(step)))
        {
            return;
        }

        if (!follows)
        {
            step.UnverifiedSince ??= _now;
            LookAt(step.UnverifiedSince + _spec!.Policy.ProgressDeadline);
            return;
        }

        if (!answers)
        {
            return;
        }

        step.State = StepStates.Shifting;
        step.UnverifiedSince = _now;
        _s.Attempt.FirstWeightAt ??= _now;
        if (first)
        {
            TellUnknownPort(canary.Record);
            StartJudging();
        }

        Verify(available);
    }

    /// <summary>A weight that was decided and is not on the route: the operator died before it wrote it, or it is not taken. What spoke for it then may
    /// not any more, so it is looked at as if for the first time; what is under way all the same is lowered again.</summary>
    private void ShiftAgain(ReleaseView canary, bool available)
    {
        var step = _s.Step!;
        var since = step.UnverifiedSince;
        step.State = StepStates.Scaling;
        Shift(canary, available, isAgain: true);
        if (step.State == StepStates.Scaling)
        {
            return;
        }

        // The gateway's time is not over for being asked again.
        step.UnverifiedSince = since ?? step.UnverifiedSince;
    }

    /// <summary>Whether a weight was decided and the route has not had it.</summary>
    private bool IsUnwritten(ReleaseView canary) => _s.Step is { State: StepStates.Shifting, Carried: not true, LoweredTo: null } step && OnRoute(canary.Record) < step.Weight;

    /// <summary>Whether a first weight was decided and the release has had no request by the route: no metric was asked about it, and nothing is on its way.</summary>
    private bool IsUnserved(ReleaseView canary) => _s.Step is { State: StepStates.Scaling or StepStates.Shifting, Carried: not true, LoweredTo: null }
        && (_s.Weight ?? 0) == 0 && OnRoute(canary.Record) == 0 && _s.Sla?.Exists(static m => m.EvaluatedAt is not null) != true;

    /// <summary>Whether nothing that is judged speaks against the next weight. After a step every metric must pass. Where the weight was taken
    /// below that step's there may be too little traffic for that, and none without weight: too few requests are no obstacle then, but a metric
    /// that does not answer is, or has not answered lately, for as long as the canary has requests that it could tell of.</summary>
    private bool MayLeaveWeight(StepStatus step)
    {
        var asked = AskedBeforeFlags();
        if (step.Index > 0 && _s.Weight >= _spec!.Policy.Steps[step.Index - 1].Weight)
        {
            return ClockCouldRun(asked);
        }

        return (_s.Weight ?? 0) > 0
            ? asked.TrueForAll(IsNoObstacle)
            : !asked.Exists(m => Is(Sla(m.Name)?.Verdict, nameof(Engine.Sla.Verdict.Breach)));
    }

    /// <summary>The metrics that speak against the flags of a step whose weight the gateway has taken: it may have taken long, and somebody may have paused
    /// meanwhile. One that was not asked about the canary yet does not.</summary>
    private List<ResolvedMetric> AgainstFlags() => AskedBeforeFlags().FindAll(m => Sla(m.Name) is { Verdict: not null } status && (!IsNoObstacle(m) || Engine.Sla.SlaBook.Holds(status, m)));

    private bool IsNoObstacle(ResolvedMetric metric) =>
        Sla(metric.Name) is { Verdict: nameof(Engine.Sla.Verdict.Pass) or nameof(Engine.Sla.Verdict.TooFew), EvaluatedAt: { } at } && _now - at <= LongestGap();

    /// <summary>What is judged now, without the metrics that may have data only once the flags that are still to come are on: the hold waits for those.</summary>
    private List<ResolvedMetric> AskedBeforeFlags()
    {
        var judged = JudgedNow().ToList();
        var toCome = FlagsToCome();
        if (toCome.Count > 0)
        {
            var steps = _spec!.Policy.Steps;
            var first = steps.TakeWhile(s => !s.Flags.Any(toCome.Contains)).Count();
            var earlier = steps.Take(first < steps.Count ? first : _s.Step!.Index).Select(static s => s.Name).ToHashSet(StringComparer.Ordinal);
            judged.RemoveAll(m => (m.Steps is { } named ? !named.Any(earlier.Contains) : earlier.Count == 0)
                && Sla(m.Name) is { Verdict: nameof(Engine.Sla.Verdict.NoData) } status && !Engine.Sla.SlaBook.Holds(status, m));
        }

        return judged;
    }

    private void Verify(bool available)
    {
        var step = _s.Step!;
        if (!RouteCarries(step.Weight))
        {
            step.UnverifiedSince ??= _now;
            LookAt(step.UnverifiedSince + _spec!.Policy.ProgressDeadline);
            return;
        }

        step.UnverifiedSince = null;
        _s.Weight = step.Weight;
        if (AreFlagsToCome() && (!MayRaise || AgainstFlags().Count > 0))
        {
            return; // in a step that holds they go on
        }

        step.State = StepStates.Holding;
        step.VerifiedAt = _now;
        _creditedTo = null;
        Tell("WeightVerified", $"Step {step.Name}: the gateway gives {step.Weight}% to {Called(Canary!.Record)}");
        Hold(available);
    }

    private void Hold(bool available)
    {
        var step = _s.Step!;
        var policy = CurrentStep!;
        if (!RouteCarries(step.Weight))
        {
            step.UnverifiedSince ??= _now;
            LookAt(step.UnverifiedSince + _spec!.Policy.ProgressDeadline);
            step.HoldUntil = null;
            _creditedTo = null;
            return;
        }

        step.UnverifiedSince = null;
        _s.Weight = step.Weight;
        if (!FlagsDelivered(Canary!.Record, step.Index))
        {
            step.HoldUntil = null;
            step.VerifiedAt = null;
            _creditedTo = null;
            return;
        }

        // What is judged is the weight with its flags: a full window of both.
        step.VerifiedAt ??= _now;
        var held = RunClock(step, policy);
        var runs = _creditedTo is not null;
        var complete = held >= policy.Hold || (_s.Promoting == true && runs);
        var approved = !policy.ApprovalRequired || step.Approved == true || _s.Promoting == true || _s.Attempt!.Undo == true || IsRecovery;
        // What becomes stable has nothing to fall back on once the old release is gone: it has to be there at that very moment.
        var ready = available || step.Index + 1 < _spec!.Policy.Steps.Count;
        if (complete && runs && approved && ready && MayRaise)
        {
            Next();
        }
        else if (complete && !approved && step.State != StepStates.Waiting)
        {
            step.State = StepStates.Waiting;
            Tell("ApprovalNeeded", $"Step {step.Name} is held and needs approval: annotate {Api.ApiConstants.RequestAnnotation}=approve/{Canary!.Record.Number}/{step.Name}");
        }
        else if (!complete || approved)
        {
            step.State = StepStates.Holding;
        }
    }

    private void Next()
    {
        var index = _s.Step!.Index;
        if (index + 1 < _spec!.Policy.Steps.Count)
        {
            EnterStep(index + 1);
        }
        else
        {
            Promote();
        }
    }

    /// <summary>What must really be there for the status of this pass to be written.</summary>
    private RaiseNeeds? _statusNeeds;

    /// <summary>Names the canary stable. Services and route follow, and only then the old release retires.</summary>
    private void Promote()
    {
        var canary = Canary!;
        var old = Stable;
        Record(canary, old is null ? Outcomes.Installed : Outcomes.Promoted, old is null ? "Installed" : IsRecovery ? "Recovered" : "StepsComplete",
            old is null ? "first install" : $"took over from {Called(old.Record)}");
        if (old is not null)
        {
            AddRetiring(old, RetireReasons.Replaced, null);
            _statusNeeds = Needs(canary.Record);
            var entry = _s.History!.FindIndex(h => Is(h.Revision, old.Record.Hash) && h.Outcome is Outcomes.Promoted or Outcomes.Installed && h.ReplacedAt is null);
            if (entry > 0)
            {
                _s.History[entry] = _s.History[entry] with { ReplacedAt = _now };
            }
        }

        _slaAtPromotion = old is null ? null : SlaMet();
        _s.StableRevision = canary.Record.Hash;
        EndAttempt();
        Tell(old is null ? "Installed" : "Promoted", $"{Called(canary.Record)} is stable now");
    }
}
