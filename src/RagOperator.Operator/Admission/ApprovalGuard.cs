using System.Text.Json;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Admission;

/// <summary>Finds edits of spec that take the approval away that a running step waits for: that is approving it by another way. Pure.</summary>
internal static class ApprovalGuard
{
    /// <summary>The name of the step whose approval would be gone; null where none would.</summary>
    /// <param name="before">The object as it is, with its status.</param>
    /// <param name="after">The object as it would be.</param>
    public static string? StepFreed(JsonElement before, JsonElement after)
    {
        var status = AdmissionObject.Status(before);
        if (status is not { CanaryRevision.Length: > 0, Step: { Index: >= 0, Approved: not true } running }) return null;
        var steps = Steps(before);
        if (steps.FirstOrDefault(s => s.Text("name") == running.Name) is not { ValueKind: JsonValueKind.Object } step || !IsGuarded(step)) return null;
        return IsGuarded(PlaceOf(running, Steps(after))) ? null : running.Name;
    }

    /// <summary>Where a rollout goes on when its steps are edited: by name, else in the first step of the greatest weight that is not above, else in
    /// the first. Nothing where the steps are left out: the default ones wait for nobody.</summary>
    private static JsonElement PlaceOf(StepStatus running, List<JsonElement> steps)
    {
        var same = steps.FirstOrDefault(s => s.Text("name") == running.Name);
        if (same.ValueKind == JsonValueKind.Object) return same;
        var below = steps.Where(s => s.Number("weight") <= running.Weight).ToList();
        var most = below.Max(static s => s.Number("weight"));
        return below.Count > 0 ? below.First(s => s.Number("weight") == most) : steps.Count > 0 ? steps[0] : default;
    }

    private static bool IsGuarded(JsonElement step) => step.Text("approval") == "Required";

    private static List<JsonElement> Steps(JsonElement element) =>
        [.. (AdmissionObject.Spec(element).Member("rollout") ?? default).Items("steps").Where(static s => s.ValueKind == JsonValueKind.Object)];
}
