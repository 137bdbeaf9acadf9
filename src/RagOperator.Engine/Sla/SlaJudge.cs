using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Sla;

/// <summary>What one sample says of one metric.</summary>
public enum Verdict
{
    /// <summary>Within every part of the limit.</summary>
    Pass,

    /// <summary>Strictly beyond a part of the limit.</summary>
    Breach,

    /// <summary>The source answers and has no value.</summary>
    NoData,

    /// <summary>There are too few requests to judge by.</summary>
    TooFew,

    /// <summary>The answer cannot be used: the question is wrong.</summary>
    Invalid,

    /// <summary>The source does not answer.</summary>
    Error,
}

/// <summary>A verdict with what people want to know about it.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Message">Why, where it is not Pass.</param>
public sealed record Judgement(Verdict Verdict, string? Message = null);

/// <summary>Turns answers into verdicts, as the table of the safety page says. No memory: streaks are somebody else's.</summary>
public static class SlaJudge
{
    /// <summary>Judges one sample.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="volumeMin">The least number of requests; 0 where none is asked for.</param>
    /// <param name="sample">The answers.</param>
    /// <param name="stableValue">Stable's value to compare with: the sample's own, or the last one seen while stable had traffic; null for none.</param>
    public static Judgement Judge(ResolvedMetric metric, long volumeMin, MetricSample sample, double? stableValue)
    {
        if (sample.Volume is { } volume && TooFew(volume, volumeMin) is { } few)
        {
            return few;
        }

        if (sample.Value.Number is not { } value)
        {
            return Unusable(sample.Value);
        }

        // An absolute breach is one whatever stable answers.
        if (AbsoluteBreach(metric.Limit, value) is { } absolute)
        {
            return new Judgement(Verdict.Breach, absolute);
        }

        // Only a finite number can be within a limit.
        if (!double.IsFinite(value))
        {
            return new Judgement(Verdict.Invalid, $"the query answered {MetricText.Number(value)}");
        }

        return metric.Limit.IsRelative ? JudgeRelative(metric.Limit, volumeMin, sample, value, stableValue) : new Judgement(Verdict.Pass);
    }

    private static Judgement JudgeRelative(ResolvedLimit limit, long volumeMin, MetricSample sample, double value, double? stableValue)
    {
        if (sample.StableVolume is { } volume && TooFew(volume, volumeMin) is { } few)
        {
            return few with { Message = $"stable: {few.Message}" };
        }

        if (stableValue is not { } stable || !double.IsFinite(stable))
        {
            return sample.Stable is { Kind: AnswerKind.Invalid or AnswerKind.Error } answer
                ? Unusable(answer) with { Message = $"stable: {answer.Message}" }
                : new Judgement(Verdict.NoData, "stable has no value to compare with");
        }

        return RelativeBreach(limit, value, stable) is { } breach ? new Judgement(Verdict.Breach, breach) : new Judgement(Verdict.Pass);
    }

    private static Judgement? TooFew(MetricAnswer volume, long min) => volume.Kind switch
    {
        AnswerKind.Number when volume.Value >= min => null,
        AnswerKind.Number => new Judgement(Verdict.TooFew, $"{MetricText.Number(Math.Floor(volume.Value))} of at least {min} requests"),
        AnswerKind.NoData => new Judgement(Verdict.TooFew, $"0 of at least {min} requests"),
        _ => Unusable(volume) with { Message = $"volume: {volume.Message}" },
    };

    private static Judgement Unusable(MetricAnswer answer) => answer.Kind switch
    {
        AnswerKind.Invalid => new Judgement(Verdict.Invalid, answer.Message),
        AnswerKind.Error => new Judgement(Verdict.Error, answer.Message),
        _ => new Judgement(Verdict.NoData, answer.Message ?? "the query answered nothing"),
    };

    private static string? AbsoluteBreach(ResolvedLimit limit, double value) =>
        value > limit.Max ? $"{limit.Format(value)} is above max {limit.Format(limit.Max.Value)}"
        : value < limit.Min ? $"{limit.Format(value)} is below min {limit.Format(limit.Min.Value)}"
        : null;

    private static string? RelativeBreach(ResolvedLimit limit, double value, double stable)
    {
        var allowed = new (double? Bound, bool Above, string Name)[]
        {
            (stable + limit.MaxIncrease, true, "maxIncrease"),
            (stable - limit.MaxDecrease, false, "maxDecrease"),
            (stable + (limit.MaxIncreaseFraction * Math.Abs(stable)), true, "maxIncreasePercent"),
            (stable + (limit.MinIncreaseFraction * Math.Abs(stable)), false, "minIncreasePercent"),
        };
        foreach (var (bound, above, name) in allowed)
        {
            if (bound is { } b && (above ? value > b : value < b))
            {
                return $"{limit.Format(value)} is {(above ? "above" : "below")} {limit.Format(b)} ({name} over stable's {limit.Format(stable)})";
            }
        }

        return null;
    }
}
