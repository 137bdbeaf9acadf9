using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;

namespace RagOperator.Api.Validation;

/// <summary>What is allowed but more daring than its author may think.</summary>
internal static class SpecWarnings
{
    public static IReadOnlyList<SpecProblem> Of(SpecCandidate candidate)
    {
        var warnings = new List<SpecProblem>();
        if (candidate.Spec.Sla?.Metrics is not { Count: > 0 } metrics)
            warnings.Add(new SpecProblem("spec.sla.metrics", "", "has no metric: a release is only watched for being available"));
        else
            AddMixedUnits(metrics, warnings);
        switch (candidate.Spec.Rollout?.Steps)
        {
            case [{ Weight: 100 }]:
                warnings.Add(new SpecProblem("spec.rollout.steps", "100", "is a single step: every request goes to the new release at once"));
                break;
            case [{ Weight: > 50 } first, ..]:
                warnings.Add(new SpecProblem("spec.rollout.steps[0].weight", $"{first.Weight}", "is more than half of the requests in the first step"));
                break;
        }

        warnings.AddRange(LowerEnds.Of(candidate));
        warnings.AddRange(SecretLiterals.Of(candidate));
        warnings.AddRange(StartWarnings.Of(candidate));
        warnings.AddRange(PortWarnings.Of(candidate));
        return warnings;
    }

    /// <summary><c>max: 500ms, maxIncrease: 5%</c> means 0.05 s, where its author meant maxIncreasePercent.</summary>
    private static void AddMixedUnits(List<MetricSpec> metrics, List<SpecProblem> warnings)
    {
        for (var i = 0; i < metrics.Count; i++)
        {
            var limit = metrics[i].Limit!;
            var written = new List<string>();
            var dimensions = new HashSet<LimitDimension>();
            foreach (var text in (string?[])[limit.Max, limit.Min, limit.MaxIncrease, limit.MaxDecrease])
            {
                if (!LimitValue.TryParse(text, out _, out var unit))
                    continue;
                written.Add(text!);
                if (unit.Dimension != LimitDimension.Number)
                    dimensions.Add(unit.Dimension);
            }

            if (dimensions.Count > 1)
                warnings.Add(new SpecProblem($"spec.sla.metrics[{i}].limit", string.Join(", ", written), "mixes units that measure different things; a percentage of stable's value is maxIncreasePercent"));
        }
    }
}
