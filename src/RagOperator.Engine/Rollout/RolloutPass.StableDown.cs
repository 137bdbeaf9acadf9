using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// A stable release that serves nobody: told at once, and told apart from one that is to have no pods.
internal sealed partial class RolloutPass
{
    private const string StableNotReady = "StableNotReady";

    /// <summary>Whether spec scales the entry to nothing: nobody is to be served, so nobody is late.</summary>
    private bool IsAsleep => _spec is { } spec && spec.Component(spec.Entry) is { IsWorkload: true, Replicas: 0 };

    private bool IsStableDown => Stable is { } stable && stable.Record.Component(stable.Record.Entry)?.HasService == true && !IsAsleep && ReadyAddresses(stable.Record) == 0;

    private void WatchStable()
    {
        if (IsStableDown && _s.StableUnreadySince is null)
        {
            _s.StableUnreadySince = _now;
            Tell(StableNotReady, $"Stable {Called(Stable!.Record)} has no ready address: {WhyDown(Stable.Record)}", warning: true);
        }
        else if (!IsStableDown && _s.StableUnreadySince is { } since)
        {
            _s.StableUnreadySince = null;
            if (Stable is { } stable && !IsAsleep)
            {
                Tell("StableReady", $"Stable {Called(stable.Record)} has ready addresses again, after {Api.Values.RagDuration.Format(Whole(_now - since))}");
            }
        }
    }

    private string WhyDown(ReleaseRecord stable) =>
        Missing(stable) is { Length: > 0 } missing ? missing : $"Service {EntryService(stable)} has no ready address";

    private static TimeSpan Whole(TimeSpan time) => TimeSpan.FromSeconds(Math.Max(0, Math.Floor(time.TotalSeconds)));

    /// <summary>Whether the requests that stable should answer are answered by nobody.</summary>
    private bool IsNobodyServed => IsStableDown && !(IsRecovery && _s.Weight == 100 && ReadyAddresses(Canary!.Record) > 0);

    /// <summary>Whatever else goes on: while stable has no ready address nobody may take the service for well.</summary>
    private Situation WithStableDown(Situation situation)
    {
        if (_waitFirst is not null || IsRecordLost || !IsNobodyServed)
        {
            return situation;
        }

        var stable = Stable!.Record;
        var down = $"Stable {Called(stable)} has no ready address: {WhyDown(stable)}";
        return new Situation(
            Phases.Degraded,
            situation.Phase == Phases.Degraded ? situation.Reason : StableNotReady,
            situation.Phase == Phases.Healthy ? down : $"{down}. {Sentence(situation.Message)}");
    }

    /// <summary>A rollout of what is scaled to nothing waits: no clock runs, and nothing is late.</summary>
    private void Sleep(StepStatus step)
    {
        ForgetOutages(step);
        step.NoAddressSince = null;
        step.HoldUntil = null;
        _creditedTo = null;
    }
}
