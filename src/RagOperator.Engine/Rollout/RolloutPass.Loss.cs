using System.Globalization;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// A canary with weight whose pods are gone: evicted, preempted, drained. Its weight is taken, its place in the rollout is kept.
internal sealed partial class RolloutPass
{
    /// <summary>For how long a canary with weight may be without a ready address.</summary>
    private static readonly TimeSpan s_noAddress = TimeSpan.FromSeconds(10);

    /// <summary>For how long it must be available before it gets its weight back.</summary>
    private static readonly TimeSpan s_backAgain = TimeSpan.FromSeconds(30);

    /// <summary>How many losses in one step are borne.</summary>
    private const int LossesBorne = 3;

    private void WatchAddress(ReleaseRecord canary, StepStatus step, bool isAvailable)
    {
        if (step.Lost is not null)
        {
            WatchReturn(canary, step, isAvailable);
            return;
        }

        var hasWeight = _s.Weight > 0 || OnRoute(canary) > 0;
        if (!hasWeight || IsAsleep || ReadyAddresses(canary) > 0)
        {
            step.NoAddressSince = null;
            return;
        }

        step.NoAddressSince ??= _now;
        var isOver = IsEntryGone(canary) || _now - step.NoAddressSince >= s_noAddress;
        if (!isOver)
        {
            LookAt(step.NoAddressSince + s_noAddress);
        }
        else if (_in.MayNotCondemn)
        {
            LookAt(_now + s_lookAgain);
        }
        else
        {
            _condemns = AnyAddress(EntryService(canary));
            Lose(canary, step);
        }
    }

    private void Lose(ReleaseRecord canary, StepStatus step)
    {
        var lacks = $"Service {EntryService(canary)} had no ready address while it had weight";
        // Without a policy nobody can tell which weight it would come back to.
        if (_spec is null || CrashOf(canary) is not null || step.Losses >= LossesBorne)
        {
            var why = CrashOf(canary) is { } crash ? $": {crash.Message}" : step.Losses >= LossesBorne ? $", for the {LossesBorne + 1}th time in this step" : "";
            RollBack(RollbackCauses.NoReadyAddress, lacks + why, null);
            return;
        }

        step.Lost = new LossStatus { Since = _now, Weight = LiveWeight() };
        step.Losses = (step.Losses ?? 0) + 1;
        step.NoAddressSince = null;
        // What is held is the weight: it is to be confirmed again, with a full window of metrics.
        step.VerifiedAt = null;
        step.HoldUntil = null;
        step.UnverifiedSince = null;
        _creditedTo = null;
        Tell("PodsLost", $"{Called(canary)} lost its pods: {lacks}. It gets no requests until it has been available for {s_backAgain.TotalSeconds:0} s; its hold and approvals are kept ({step.Losses} of {LossesBorne} losses that a step bears)", warning: true);
    }

    private void WatchReturn(ReleaseRecord canary, StepStatus step, bool isAvailable)
    {
        if (!isAvailable || !MayRaise)
        {
            return;
        }

        // A full minute of availability clears the clock: then it is long enough.
        var back = step.UnavailableSince is null ? _now : step.AvailableSince + s_backAgain;
        if (back > _now)
        {
            LookAt(back);
            return;
        }

        step.ReturnsTo = step.State == StepStates.Scaling ? step.Lost!.Weight : null;
        step.Lost = null;
        step.UnverifiedSince = _now;
        if (_s.Attempt is { } attempt)
        {
            // Nobody was asked meanwhile: the source was not silent.
            attempt.LastAnswerAt = _now;
        }

        Tell("PodsBack", $"{Called(canary)} has been available for {s_backAgain.TotalSeconds:0} s: it gets {LiveWeight()}% again");
    }

    /// <summary>Whether no pod of the entry is there but such as end.</summary>
    private bool IsEntryGone(ReleaseRecord canary) =>
        World.Deployments.GetValueOrDefault(EntryService(canary)) is not { Deleting: false } entry || entry.LivePods == 0;

    /// <summary>A container of the canary that ended by its own doing since it got its first weight.</summary>
    private PodCrash? CrashOf(ReleaseRecord canary) => canary.Workloads()
        .Select(c => World.Deployments.GetValueOrDefault(ChildNames.Revision(Name, c.Name, c.Revision!))?.Crash)
        .Where(c => c?.At >= _s.Attempt?.FirstWeightAt)
        .MaxBy(static c => c!.At);

    private string LossText(ReleaseRecord canary, StepStatus step) =>
        $"it lost its pods and gets no requests until it has been available for {s_backAgain.TotalSeconds:0} s"
        + (Missing(canary) is { Length: > 0 } missing ? $": {missing}" : "")
        + (_s.Paused is { } paused ? $". Paused by {paused.By}: it gets none before resume either" : "")
        + (_capacity is null && step.UnavailableSince + _spec!.Policy.ProgressDeadline is { } until ? $". Taken back if it is not available by {until.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture)}" : "");
}
