using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// Times in status may be from a clock that is ahead of this one: a former leader's, or the own before it was set back.
internal sealed partial class RolloutPass
{
    /// <summary>How far ahead a time may be and still count: clocks of machines that are looked after differ by less.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(5);

    private bool IsAhead(DateTimeOffset? time) => time > _now + s_skew;

    private DateTimeOffset? NotAhead(DateTimeOffset? time) => IsAhead(time) ? _now : time;

    /// <summary>What happened in the future is unknown: a metric is asked again, and its verdict is not fresh before that; a clock that something waits for
    /// begins now. Else nobody would look until the time comes, and what passed would count meanwhile.</summary>
    private void DistrustFuture()
    {
        if (IsAhead(_creditedTo))
        {
            _creditedTo = null;
        }

        _s.StableUnreadySince = NotAhead(_s.StableUnreadySince);
        if (_s.Step is { } step)
        {
            step.VerifiedAt = NotAhead(step.VerifiedAt);
            step.UnverifiedSince = NotAhead(step.UnverifiedSince);
            step.UnavailableSince = NotAhead(step.UnavailableSince);
            step.AvailableSince = NotAhead(step.AvailableSince);
            step.NoAddressSince = NotAhead(step.NoAddressSince);
            step.NoRequestsSince = NotAhead(step.NoRequestsSince);
            step.PortRefusedSince = NotAhead(step.PortRefusedSince);
        }

        if (_s.Attempt is { } attempt)
        {
            attempt.StartedAt = NotAhead(attempt.StartedAt);
            attempt.FirstWeightAt = NotAhead(attempt.FirstWeightAt);
            attempt.LastAnswerAt = NotAhead(attempt.LastAnswerAt);
        }

        _s.Sla = _s.Sla?.ConvertAll(m => IsAhead(m.EvaluatedAt) ? Older(m) : m);
    }

    /// <summary>The same metric, last looked at too long ago to count. Its last breach counts as one of now: the next is no further away than it is.</summary>
    private MetricStatus Older(MetricStatus metric) => metric with { EvaluatedAt = _now - LongestLookGap(), BreachedAt = metric.BreachedAt - (metric.EvaluatedAt - _now) };

    private TimeSpan LongestLookGap() => ((_spec?.Policy.Sla?.Interval ?? TimeSpan.Zero) * 2) + TimeSpan.FromSeconds(1);

    /// <summary>The newest answer about a metric, but for one that was taken by a clock that is ahead.</summary>
    private MetricSample? SampleOf(string metric) => World.Samples.GetValueOrDefault(metric) is { } sample && !IsAhead(sample.At) ? sample : null;
}
