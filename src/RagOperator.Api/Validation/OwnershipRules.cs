using System.Text.Json;

namespace RagOperator.Api.Validation;

/// <summary>What a pod template may not say: whose its pods are and when they may go. A pod with a finalizer that nobody takes away keeps a deletion in the
/// foreground from ever ending.</summary>
internal static class OwnershipRules
{
    private const string Rule = "must be left out of a pod template: a pod's finalizers keep deletions from ending, and its owners and managers are not the template's to tell";

    private static readonly string[] s_fields = ["finalizers", "ownerReferences", "managedFields"];

    public static void Check(SpecCandidate candidate, Findings findings)
    {
        foreach (var (field, value) in Found(candidate))
            findings.AddSinceAccepted(field, value, Rule);
    }

    private static IEnumerable<(string Field, JsonElement Value)> Found(SpecCandidate candidate)
    {
        for (var i = 0; i < candidate.Components.Count; i++)
        {
            if (candidate.Components[i].Template is not { ValueKind: JsonValueKind.Object } template
                || !template.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
                continue;
            foreach (var name in s_fields)
            {
                if (metadata.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                    yield return ($"spec.components[{i}].template.metadata.{name}", value);
            }
        }
    }
}
