using System.Text.Json;
using RagOperator.Api.Reading;
using RagOperator.Api.Resolved;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Admission;

/// <summary>Tells of an embedder that changes while nothing would notice that the index was built by the old one: answers then come fast, without
/// an error, and from the wrong documents.</summary>
internal static class EmbedderWarning
{
    private const string Word = "embed";

    /// <summary>The warning, if there is one.</summary>
    /// <param name="before">The spec as it is.</param>
    /// <param name="after">The spec as it would be.</param>
    /// <param name="resolved">The same, read.</param>
    public static SpecProblem? Of(JsonElement before, JsonElement after, ResolvedSpec resolved)
    {
        // One that is too deep was never followed.
        if (resolved.Policy.Sla?.Metrics.Any(ChecksTheIndex) == true || SpecDepth.Check(before) is not null) return null;
        var earlier = before.Items("components").Where(IsEmbedder).ToDictionary(static c => c.Text("name")!, static c => c, StringComparer.Ordinal);
        var index = 0;
        foreach (var component in after.Items("components"))
        {
            if (IsEmbedder(component) && earlier.TryGetValue(component.Text("name")!, out var old) && !SameContent(old, component))
            {
                return new SpecProblem(
                    $"spec.components[{index}]",
                    component.Text("name")!,
                    "changes the embedder while nothing checks the index, which the old one may have built; a judged metric of an answer's quality with min, maxDecrease or minIncreasePercent would, for instance recall");
            }

            index++;
        }

        return null;
    }

    /// <summary>A metric that may not fall, and that counts: recall, hit rate, similarity. Errors, latency and memory, which may not rise, are the same
    /// whether the documents that are found are the right ones or not.</summary>
    private static bool ChecksTheIndex(ResolvedMetric metric) => metric.OnBreach != BreachAction.Report
        && (metric.Limit.Min is not null || metric.Limit.MaxDecrease is not null || metric.Limit.MinIncreaseFraction is not null);

    /// <summary>Components have no declared roles; what they are called is all there is.</summary>
    private static bool IsEmbedder(JsonElement component) =>
        component.Text("name") is { } name && name.Contains(Word, StringComparison.OrdinalIgnoreCase) && component.Member("external") is null;

    private static bool SameContent(JsonElement one, JsonElement other) =>
        ContentHashes.SameContent(one, other);
}
