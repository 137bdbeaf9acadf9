namespace RagOperator.Api.Validation;

/// <summary>Steps: names of their own, weights that never fall, 100 at the end.</summary>
internal static class StepRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        if (candidate.Spec.Rollout?.Steps is not { Count: > 0 } steps)
            return;
        findings.AddDuplicates("spec.rollout.steps", ".name", steps.Select(static s => s.Name), "steps");
        for (var i = 1; i < steps.Count; i++)
        {
            if (steps[i].Weight < steps[i - 1].Weight && steps[i].Weight >= 1)
                findings.Add($"spec.rollout.steps[{i}].weight", steps[i].Weight, $"must not be below {steps[i - 1].Weight}, the weight of the step before: weights never fall");
        }

        if (steps[^1].Weight is >= 1 and < 100)
            findings.Add($"spec.rollout.steps[{steps.Count - 1}].weight", steps[^1].Weight, "must be 100 in the last step");
    }
}
