using System.Text.Json;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Admission;

/// <summary>Finds edits of spec that take the approval away that a running step waits for, or give the release meanwhile what the step did not: more
/// weight, or a flag. That is approving it by another way. Pure.</summary>
internal static class ApprovalGuard
{
    /// <summary>The name of the step whose approval would be gone or passed by; null where none would.</summary>
    /// <param name="before">The object as it is, with its status.</param>
    /// <param name="after">The object as it would be.</param>
    public static string? StepFreed(JsonElement before, JsonElement after)
    {
        var status = AdmissionObject.Status(before);
        if (status is not { CanaryRevision.Length: > 0, Step: { Index: >= 0, Approved: not true } running }) return null;
        var steps = Steps(before);
        if (steps.FirstOrDefault(s => s.Text("name") == running.Name) is not { ValueKind: JsonValueKind.Object } step || !IsGuarded(step)) return null;
        var place = PlaceOf(running, Steps(after));
        var keeps = IsGuarded(place) && !(place.Number("weight") > running.Weight) && !IsGivenFlags(before, step, after, place);
        return keeps ? null : running.Name;
    }

    /// <summary>Whether a flag of the release may be on in the step where the rollout goes on that may not be in the one where it is.</summary>
    private static bool IsGivenFlags(JsonElement before, JsonElement step, JsonElement after, JsonElement place)
    {
        var flags = (AdmissionObject.Spec(before).Member("featureFlags") ?? default).Items("flags").Select(static f => f.Text("name")).OfType<string>();
        var (was, now) = (Steps(before), Steps(after));
        var (from, to) = (IndexOf(was, step), IndexOf(now, place));
        return flags.Any(flag => IsOn(flag, now, to) && !IsOn(flag, was, from));
    }

    // One that no step names is on from the start.
    private static bool IsOn(string flag, List<JsonElement> steps, int index)
    {
        var named = steps.FindIndex(s => s.Items("flags").Any(f => f.ValueKind == JsonValueKind.String && f.ValueEquals(flag)));
        return named <= index;
    }

    private static int IndexOf(List<JsonElement> steps, JsonElement step) => steps.FindIndex(s => s.Text("name") == step.Text("name"));

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
