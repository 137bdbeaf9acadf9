using System.Text.RegularExpressions;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Api.Values;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Sla;

/// <summary>Says what is likely where stable's answer is of no use. No number that changes from look to look: the text is told once.</summary>
internal static partial class BaselineHints
{
    // As far as a bad service gets from its limit, and as near as a wrong unit comes to it.
    private const double Far = 10;

    /// <summary>Why there is no data; null where nothing is likely.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="findings">What the source says of the series.</param>
    public static string? OfSilence(ResolvedMetric metric, ProbeFindings? findings)
    {
        var hints = new List<string>();
        if (findings is { Probe: var probe })
        {
            if (findings.HasName == false)
            {
                hints.Add($"the source has no series {probe.Name}");
            }
            else if (findings.HasSeries == false)
            {
                hints.Add($"the source has no series {probe.Name} with {probe.Own}: does the scrape set that label?");
            }
            else if (findings.HasTwoSamples == false)
            {
                hints.Add($"the window {RagDuration.Format(metric.Window)} holds less than two samples, and a rate takes two: take at least four times the scrape interval");
            }

            if (findings.MissingLabels.Count > 0)
            {
                hints.Add($"no series {probe.Name} with {probe.Own} has the label {string.Join(", ", findings.MissingLabels)} that the query filters by");
            }
        }

        var bare = QueryText.Bare(metric.Query);
        if (Comparison().Match(bare) is { Success: true } comparison && !BoolModifier().IsMatch(bare))
        {
            hints.Add($"the query compares ({comparison.Value.Trim()}) and answers nothing where that does not hold: the bound belongs in limit");
        }

        if (findings is { HasName: false } or { HasSeries: false })
        {
            hints.Add("if stable cannot have it, let its steps name only steps that come later");
        }

        return hints.Count == 0 ? null : string.Join("; ", hints);
    }

    /// <summary>What to tell of a stable that is itself beyond an absolute part of the limit; null where it is within.</summary>
    /// <param name="limit">The limit.</param>
    /// <param name="value">Stable's value.</param>
    public static string? OfBreach(ResolvedLimit limit, double value)
    {
        if (value < limit.Min)
        {
            return $"stable itself is beyond the limit: {limit.Format(value)} is below min {limit.Format(limit.Min.Value)}";
        }

        if (!(value > limit.Max))
        {
            return null;
        }

        var max = limit.Max.Value;
        var times = max > 0 && double.IsFinite(value) ? value / max : 0;
        return $"stable itself is beyond the limit: {limit.Format(value)} is above max {limit.Format(max)}"
            + (times < Far ? "" : $". That is {MetricText.Number(Math.Round(times))} times the limit{Unit(limit.Unit.Dimension, value)}");
    }

    private static string Unit(LimitDimension dimension, double value) => dimension switch
    {
        LimitDimension.Time => ": times are compared in seconds; does the query answer milliseconds?",
        LimitDimension.Fraction when value > 1 => ": shares are compared as 0 to 1; does the query answer percent?",
        _ => "",
    };

    [GeneratedRegex(@"(==|!=|>=|<=|>|<)(\s*[-+]?[0-9][0-9a-zA-Z.]*)?", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Comparison();

    [GeneratedRegex(@"[=<>]\s*bool\b", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex BoolModifier();
}
