using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// Stable serves nobody, and a newer release could: it gets everything as soon as it is available.
internal sealed partial class RolloutPass
{
    /// <summary>For how long stable must have no ready address before another release takes its place.</summary>
    private static readonly TimeSpan s_stableGone = TimeSpan.FromMinutes(1);

    /// <summary>Whether it is decided that the canary serves everything in stable's place.</summary>
    private bool IsRecovery => _s.Recovery is { DecidedAt: not null } recovery && Is(recovery.Release, _s.CanaryRevision);

    /// <summary>Whether the canary's pods are brought up for that.</summary>
    private bool IsToRecover => _s.Recovery is { DecidedAt: null };

    /// <summary>Follows a recovery up to its decision. False: the steps go on as ever.</summary>
    private bool Recovers(ReleaseView canary, bool isAvailable)
    {
        if (IsRecovery)
        {
            return false;
        }

        if (_s.StableUnreadySince is not { } since)
        {
            EndRecovery(canary);
            return false;
        }

        if (!MayTakeOver(since))
        {
            return false;
        }

        if (_now - since < s_stableGone)
        {
            LookAt(since + s_stableGone);
            return false;
        }

        if (MayRaise && !IsToRecover)
        {
            BeginRecovery(canary);
        }
        else if (MayRaise && isAvailable && (_s.Attempt!.FirstWeightAt is not null || TakesConnections(canary.Record)))
        {
            DecideRecovery(canary);
        }

        return IsToRecover;
    }

    /// <summary>A canary that had weight before stable went goes on in its steps: it was to be tried on few, and nobody has said more. One that came
    /// later, or had no request yet, or is to be promoted, takes over.</summary>
    private bool MayTakeOver(DateTimeOffset since) =>
        IsToRecover || _s.Promoting == true || _s.Attempt!.FirstWeightAt is null || _s.Attempt.StartedAt >= since;

    private void BeginRecovery(ReleaseView canary)
    {
        _s.Recovery = new RecoveryStatus { Release = canary.Record.Hash, StartedAt = _now };
        // The last step: the pods for all requests.
        EnterStep(_spec!.Policy.Steps.Count - 1);
        Tell("RecoveryStarted", $"Stable {Called(Stable!.Record)} has had no ready address for {s_stableGone.TotalMinutes:0} min: {Called(canary.Record)} serves everything as soon as it is available", warning: true);
    }

    private void DecideRecovery(ReleaseView canary)
    {
        if (_in.MayNotCondemn)
        {
            LookAt(_now + s_lookAgain); // stable is there by a live look, or nobody can tell
            return;
        }

        _condemns = AnyAddress(EntryService(Stable!.Record));
        _s.Recovery = _s.Recovery! with { Weight = 100, DecidedAt = _now };
        _s.Step!.State = StepStates.Shifting;
        _s.Step.UnverifiedSince = _now;
        if (_s.Attempt!.FirstWeightAt is null)
        {
            _s.Attempt.FirstWeightAt = _now;
            TellUnknownPort(canary.Record);
            StartJudging();
        }

        Tell("RecoveryDecided", $"{Called(canary.Record)} is available and serves everything in the place of {Called(Stable.Record)}; it is watched by its absolute limits", warning: true);
    }

    private void EndRecovery(ReleaseView canary)
    {
        if (!IsToRecover)
        {
            return;
        }

        _s.Recovery = null;
        Tell("RecoveryEnded", $"Stable {Called(Stable!.Record)} serves again: {Called(canary.Record)} goes through its steps");
        EnterStep(0);
    }

    private string RecoveryText() =>
        $"it serves everything as soon as it is available{(Missing(Canary!.Record) is { Length: > 0 } missing ? $": {missing}" : "")}";
}
