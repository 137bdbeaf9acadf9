using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;

namespace RagOperator.Operator.Admission;

/// <summary>Holds a spec that is about to be written against the operator's own validators. No side effects.</summary>
/// <param name="catalog">What the operator's configuration offers to specs.</param>
internal sealed class SpecCheck(IMetricCatalog catalog)
{
    // A status of thousands of causes helps nobody, and answers are bounded.
    private const int MostCauses = 100;

    /// <summary>The answer.</summary>
    public AdmissionResponse Review(AdmissionRequest request)
    {
        // An object that became invalid, by an upgrade or past a webhook that was down, must still take labels and lose finalizers.
        if (AdmissionObject.IsDeleting(request.Object)) return AdmissionResponse.Yes;
        var isUpdate = AdmissionObject.Exists(request.OldObject);
        if (isUpdate && AdmissionObject.SameSpec(request.OldObject, request.Object)) return AdmissionResponse.Yes;

        var reading = SpecReader.Read(AdmissionObject.Of(request, request.Object), catalog);
        if (reading.Problems.Count > 0) return isUpdate && OnlyDisables(request, reading) ? Obeyed(reading) : Refused(request, reading.Problems);
        var warnings = reading.Warnings.Select(static w => w.Text).ToList();
        if (isUpdate && EmbedderWarning.Of(AdmissionObject.Spec(request.OldObject), AdmissionObject.Spec(request.Object), reading.Spec!) is { } warning)
            warnings.Add(warning.Text);
        return warnings.Count == 0 ? AdmissionResponse.Yes : AdmissionResponse.Yes with { Warnings = warnings };
    }

    /// <summary>Whether a spec that was wrong already only turns flags off: a kill switch is obeyed whatever else is wrong, and must not be kept out here.</summary>
    private bool OnlyDisables(AdmissionRequest request, SpecReading reading)
    {
        var before = SpecReader.Read(AdmissionObject.Of(request, request.OldObject), catalog);
        return reading.DisabledFlags.Except(before.DisabledFlags, StringComparer.Ordinal).Any() && reading.Problems.All(before.Problems.Contains);
    }

    private static AdmissionResponse Obeyed(SpecReading reading) =>
        AdmissionResponse.Yes with { Warnings = [.. reading.Problems.Take(MostCauses).Select(static p => $"still wrong, only its disabled flags are obeyed: {p.Text}")] };

    private static AdmissionResponse Refused(AdmissionRequest request, IReadOnlyList<SpecProblem> problems)
    {
        var shown = problems.Take(MostCauses).ToList();
        var more = problems.Count > shown.Count ? $"; and {problems.Count - shown.Count} more" : "";
        return AdmissionResponse.No(
            422,
            "Invalid",
            $"{problems.Count} problem{(problems.Count == 1 ? "" : "s")}: {string.Join("; ", shown.Select(static p => p.Text))}{more}",
            new V1StatusDetails
            {
                Name = request.Name,
                Kind = ApiConstants.Kind,
                Causes = [.. shown.Select(static p => new V1StatusCause { Reason = Reason(p), Field = p.Field, Message = p.Value.Length == 0 ? p.Rule : $"\"{p.Value}\": {p.Rule}" })],
            });
    }

    /// <summary>The reasons that Kubernetes has for what is wrong with a field.</summary>
    private static string Reason(SpecProblem problem) => problem switch
    {
        { Value.Length: 0 } when problem.Rule.StartsWith("is required", StringComparison.Ordinal) => "FieldValueRequired",
        _ when problem.Rule.StartsWith("must be unique", StringComparison.Ordinal) => "FieldValueDuplicate",
        _ when problem.Rule.StartsWith("must be one of", StringComparison.Ordinal) => "FieldValueNotSupported",
        _ => "FieldValueInvalid",
    };
}
