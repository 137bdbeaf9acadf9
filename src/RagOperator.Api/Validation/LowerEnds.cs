using System.Text.RegularExpressions;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;

namespace RagOperator.Api.Validation;

/// <summary>Lower ends of what grows from 0. A new release starts with nothing: a buffer or a count is below its <c>min</c> in the first looks,
/// and a good release is taken back for it.</summary>
internal static partial class LowerEnds
{
    public static IEnumerable<SpecProblem> Of(SpecCandidate candidate)
    {
        var metrics = candidate.Spec.Sla?.Metrics ?? [];
        for (var i = 0; i < metrics.Count; i++)
        {
            if (IsDaring(metrics[i], candidate))
            {
                yield return new SpecProblem($"spec.sla.metrics[{i}].limit.min", metrics[i].Limit!.Min!,
                    "is judged from the first weight on: what grows from 0 is below it at first, and the release is taken back; judge a ratio or an average, name later steps in steps, or take onBreach: Hold");
            }
        }
    }

    private static bool IsDaring(MetricSpec metric, SpecCandidate candidate) =>
        // A percentage is a share, and what is compared with stable is fair by itself; nothing is below 0 that grows from there.
        metric is { OnBreach: null or nameof(BreachAction.Rollback), Limit: { MaxIncrease: null, MaxDecrease: null, MaxIncreasePercent: null, MinIncreasePercent: null } limit }
        && LimitValue.TryParse(limit.Min, out var min, out var unit) && min > 0 && unit.Dimension is LimitDimension.Number or LimitDimension.Size
        && (metric.Steps is not { Count: > 0 } steps || (candidate.Spec.Rollout?.Steps is [{ Name: { } first }, ..] && steps.Contains(first)))
        && (metric.Query ?? (metric.Preset is { } preset ? candidate.Catalog.PresetQuery(preset) : null)) is { Length: <= SpecLimits.QueryLength } query
        && !IsLevel(query);

    /// <summary>Whether a query can be seen to answer something that is there from the first request on: a ratio, an average, a quantile, what is up.</summary>
    private static bool IsLevel(string query)
    {
        var bare = QueryText.Bare(query);
        return bare.Contains('/', StringComparison.Ordinal) || Level().IsMatch(bare);
    }

    [GeneratedRegex(@"\b(avg|avg_over_time|quantile|quantile_over_time|histogram_quantile|histogram_avg|histogram_fraction|up|[a-zA-Z0-9_:]*(ratio|recall|precision|score|share|percent))\b", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Level();
}
