namespace RagOperator.Api.Validation;

/// <summary>Flags, who receives them, and which step turns them on.</summary>
internal static class FlagRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        var flags = candidate.Spec.FeatureFlags?.Flags ?? [];
        findings.AddDuplicates("spec.featureFlags.flags", ".name", flags.Select(static f => f.Name), "flags");
        CheckReceivers(candidate, findings);
        var known = flags.Select(static f => f.Name).ToHashSet(StringComparer.Ordinal);
        var turnedOnBy = new Dictionary<string, string>(StringComparer.Ordinal);
        var steps = candidate.Spec.Rollout?.Steps ?? [];
        for (var s = 0; s < steps.Count; s++)
        {
            var named = steps[s].Flags ?? [];
            for (var f = 0; f < named.Count; f++)
            {
                var path = $"spec.rollout.steps[{s}].flags[{f}]";
                if (!known.Contains(named[f]))
                    findings.Add(path, named[f], known.Count == 0 ? "is no flag: spec.featureFlags.flags has none" : $"is no flag; spec.featureFlags.flags has {string.Join(", ", known)}");
                else if (!turnedOnBy.TryAdd(named[f], steps[s].Name))
                    findings.Add(path, named[f], $"is turned on by step {turnedOnBy[named[f]]} already; one step may name it");
            }
        }
    }

    private static void CheckReceivers(SpecCandidate candidate, Findings findings)
    {
        var deliverTo = candidate.Spec.FeatureFlags?.DeliverTo ?? [];
        findings.AddDuplicates("spec.featureFlags.deliverTo", "", deliverTo, "names");
        for (var i = 0; i < deliverTo.Count; i++)
        {
            if (candidate.IsNoWorkload(deliverTo[i]))
                findings.Add($"spec.featureFlags.deliverTo[{i}]", deliverTo[i], $"must be a component that is run here: one of {candidate.WorkloadNames}");
        }
    }
}
