using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Sla;

/// <summary>Keeps each metric's verdict, streak and counts: folds new samples into status. A sample counts once, however often it is seen.</summary>
internal static class SlaBook
{
    /// <summary>Verdict shown for a metric that is only reported.</summary>
    public const string Reported = "Reported";

    /// <summary>The status that follows from a new sample, or the old one where there is nothing new.</summary>
    /// <param name="status">The metric so far.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="volumeMin">The least number of requests.</param>
    /// <param name="sample">The newest sample.</param>
    /// <param name="judged">Whether its verdict counts; else its value is only shown.</param>
    /// <param name="atFullWeight">Whether stable has no traffic any more, so that its last value is compared with.</param>
    public static MetricStatus Fold(
        MetricStatus status, ResolvedMetric metric, long volumeMin, MetricSample sample, bool judged, bool atFullWeight)
    {
        if (sample.At <= status.EvaluatedAt)
        {
            return status;
        }

        // At full weight stable has no traffic: what it last answered while it had some counts, or what it answered before the first weight.
        var stable = atFullWeight ? MetricText.Parse(status.StableValue) ?? MetricText.Parse(status.Baseline) : sample.Stable?.Number;
        var judgement = SlaJudge.Judge(metric, volumeMin, atFullWeight ? sample with { StableVolume = null } : sample, stable);
        var stableHasTraffic = !atFullWeight && (sample.StableVolume is null || sample.StableVolume.Number >= volumeMin);
        var verdict = judged ? judgement.Verdict.ToString() : Reported;
        var next = status with
        {
            Verdict = verdict,
            Since = string.Equals(verdict, status.Verdict, StringComparison.Ordinal) ? status.Since : sample.At,
            Value = sample.Value.Number is { } value ? MetricText.Number(value) : null,
            StableValue = stableHasTraffic && sample.Stable?.Number is { } s ? MetricText.Number(s) : status.StableValue,
            Message = judgement.Message,
            EvaluatedAt = sample.At,
            FailAfter = metric.FailAfter,
            Limit = metric.Limit.Text,
        };
        return judged ? Count(next, judgement.Verdict, sample.At) : next with { Streak = 0, BreachedAt = null };
    }

    // Breach, NoData, TooFew, Invalid and Error are counted apart: a metric outage and a bad release must never look alike.
    // Only Pass ends a streak of breaches.
    private static MetricStatus Count(MetricStatus status, Verdict verdict, DateTimeOffset at) => verdict switch
    {
        Verdict.Pass => status with { Streak = 0, BreachedAt = null },
        Verdict.Breach => status with { Streak = status.Streak + 1, BreachedAt = status.Streak == 0 ? at : status.BreachedAt ?? at },
        Verdict.NoData => status with { NoData = status.NoData + 1 },
        Verdict.TooFew => status with { TooFew = status.TooFew + 1 },
        Verdict.Invalid => status with { Invalid = status.Invalid + 1 },
        _ => status with { Errors = status.Errors + 1 },
    };

    /// <summary>Whether the streak is long enough, its first and last breach at least one window apart: looking twice at one window proves nothing.</summary>
    /// <param name="status">The metric so far.</param>
    /// <param name="metric">The metric.</param>
    public static bool Failed(MetricStatus status, ResolvedMetric metric) =>
        status is { Verdict: nameof(Verdict.Breach), BreachedAt: { } first, EvaluatedAt: { } last }
        && status.Streak >= metric.FailAfter && last - first >= metric.Window;

    /// <summary>Whether a metric that failed has not passed since: silence is no Pass.</summary>
    /// <param name="status">The metric so far.</param>
    /// <param name="metric">The metric.</param>
    public static bool Holds(MetricStatus status, ResolvedMetric metric) => status.Streak >= metric.FailAfter
        && status is { BreachedAt: { } first, EvaluatedAt: { } last } && last - first >= metric.Window;
}
