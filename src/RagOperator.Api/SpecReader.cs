using FluentValidation.Results;
using RagOperator.Abstractions;
using RagOperator.Api.Reading;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Validation;

namespace RagOperator.Api;

/// <summary>Reads the spec of a RagDeployment: what is wrong with it, all at once, or what it means with every default filled in.</summary>
public static class SpecReader
{
    /// <summary>Reads a spec. Never throws, whatever the spec holds.</summary>
    /// <param name="obj">The object; its name and namespace count too.</param>
    /// <param name="catalog">The metric sources and presets that the operator was configured with.</param>
    /// <param name="accepted">Whether this very spec was accepted before, perhaps by an earlier version: what only a later one refuses is then warned of.</param>
    public static SpecReading Read(RagDeployment obj, IMetricCatalog catalog, bool accepted = false)
    {
        try
        {
            return ReadText(obj, catalog, accepted);
        }
        catch (InvalidOperationException)
        {
            // JsonElement throws this, and only this, for a string with half a surrogate pair. No API server sends one.
            return new SpecReading { Problems = [new SpecProblem("spec", "", "must be text in Unicode")] };
        }
    }

    private static SpecReading ReadText(RagDeployment obj, IMetricCatalog catalog, bool accepted)
    {
        // A policy that was accepted when there was no such bound goes on judging.
        if (((accepted ? null : SpecSize.Check(obj.Spec)) ?? SpecDepth.Check(obj.Spec)) is { } tooMuch)
            return new SpecReading { Problems = [tooMuch], DisabledFlags = TypedSpec.DisabledFlags(obj.Spec) };
        var problems = new ProblemList();
        var candidate = new SpecCandidate(obj.Name(), obj.Namespace(), TypedSpec.Read(obj.Spec, problems), catalog) { IsAccepted = accepted };
        var unreadable = problems.Select(static p => p.Field).ToList();
        var forgiven = new List<SpecProblem>();
        foreach (var failure in SpecCandidateValidator.Instance.Validate(candidate).Errors)
        {
            var problem = Problem(failure);
            if (failure.Severity == FluentValidation.Severity.Warning)
                forgiven.Add(problem);
            else if (!unreadable.Exists(field => IsAtOrBelow(problem.Field, field)))
                problems.Add(problem);
        }

        var disabled = TypedSpec.DisabledFlags(obj.Spec);
        if (problems.Count > 0)
            return new SpecReading { Problems = problems, DisabledFlags = disabled };
        return new SpecReading
        {
            Spec = Resolver.Resolve(candidate, obj.Spec),
            Warnings = [.. forgiven, .. SpecWarnings.Of(candidate)],
            DisabledFlags = disabled,
        };
    }

    private static SpecProblem Problem(ValidationFailure failure) =>
        new(FieldPath(failure.PropertyName), ShownValue.Of(failure.AttemptedValue), failure.ErrorMessage);

    /// <summary>FluentValidation's <c>Spec.Rollout.Steps[0].Weight</c> as users know it.</summary>
    private static string FieldPath(string path) =>
        path.StartsWith(nameof(SpecCandidate.Spec), StringComparison.Ordinal)
            ? string.Join('.', path.Split('.').Select(static part => char.ToLowerInvariant(part[0]) + part[1..]))
            : path;

    private static bool IsAtOrBelow(string field, string parent) =>
        field.StartsWith(parent, StringComparison.Ordinal) && (field.Length == parent.Length || field[parent.Length] is '.' or '[');
}
