using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;

namespace RagOperator.Engine.Rollout;

// The hold's clock: it runs only while somebody sees that the release keeps its SLA.
internal sealed partial class RolloutPass
{
    // Three times the longest pause between two tries.
    private static readonly TimeSpan s_longestSleep = TimeSpan.FromMinutes(3);

    /// <summary>Credits the hold up to the newest look, and answers how long the step has been held.</summary>
    private TimeSpan RunClock(StepStatus step, ResolvedStep policy)
    {
        var held = RagDuration.TryParse(step.HeldFor, out var h) ? h : TimeSpan.Zero;
        if (!ClockCouldRun([.. JudgedNow()]) || step.LoweredTo is not null)
        {
            _creditedTo = null;
            step.HoldUntil = null;
            return held;
        }

        var until = SeenUpTo();
        var from = _creditedTo ?? until;
        // A gap is time in which nobody watched: the clock starts again behind it.
        if (until > from && until - from <= LongestGap())
        {
            held += until - from;
        }

        held = held < policy.Hold ? held : policy.Hold;

        _creditedTo = until > from ? until : from;
        step.HeldFor = RagDuration.Format(held);
        var end = _creditedTo.Value + (policy.Hold - held);
        step.HoldUntil = held >= policy.Hold ? null : new DateTimeOffset(end.UtcTicks - (end.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        if (held < policy.Hold)
        {
            // Without metrics nothing else would wake it for days, and all of them would be lost with the process.
            LookAt(end < _now + ProgressCadence() ? end : _now + ProgressCadence());
        }

        return held;
    }

    /// <summary>Whether each of these metrics' newest verdict is Pass, fresh, and taken a full window after the weight was verified.</summary>
    private bool ClockCouldRun(List<ResolvedMetric> judged) =>
        judged.TrueForAll(m => Sla(m.Name) is { Verdict: nameof(Engine.Sla.Verdict.Pass), EvaluatedAt: { } at }
            && _now - at <= LongestGap()
            && (_s.Step!.VerifiedAt is not { } verified || at >= verified + m.Window));

    private DateTimeOffset SeenUpTo() =>
        JudgedNow().Select(m => Sla(m.Name)?.EvaluatedAt).Min() ?? _now;

    /// <summary>What lies longer between two looks was watched by nobody: without metrics, too, where a look comes at least each cadence, and after writes that
    /// are refused as often as the controller tries again.</summary>
    private TimeSpan LongestGap() => JudgedNow().Any() ? _spec!.Policy.Sla!.Interval * 2
        : ProgressCadence() * 2 is var gap && gap > s_longestSleep ? gap : s_longestSleep;

    /// <summary>How far a hold may run ahead of what is written: a tenth of it, at least one interval and at most five minutes.</summary>
    private TimeSpan ProgressCadence()
    {
        var interval = _spec?.Policy.Sla?.Interval ?? TimeSpan.FromSeconds(30);
        var tenth = (CurrentStep?.Hold ?? TimeSpan.Zero) / 10;
        var longest = TimeSpan.FromMinutes(5);
        return interval > longest ? interval : tenth < interval ? interval : tenth > longest ? longest : tenth;
    }
}
