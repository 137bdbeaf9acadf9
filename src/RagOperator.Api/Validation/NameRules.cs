using System.Text.RegularExpressions;

namespace RagOperator.Api.Validation;

/// <summary>Names that children are made of: long enough for none, unlike each other for all.</summary>
internal static partial class NameRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        if (!FieldRules.IsName(candidate.Name))
            findings.Add("metadata.name", candidate.Name, "must be lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit: Services are called after it");
        findings.AddDuplicates("spec.components", ".name", candidate.Components.Select(static c => c.Name), "components");
        for (var i = 0; i < candidate.Components.Count; i++)
        {
            var component = candidate.Components[i];
            if (component.Name.Length == 0 || component.External is not null)
                continue;
            var length = candidate.Name.Length + component.Name.Length + ApiConstants.RevisionLength + 2;
            if (length > SpecLimits.NameLength && component.Name.Length <= SpecLimits.NameLength)
            {
                findings.Add($"spec.components[{i}].name", component.Name,
                    $"is too long together with the object's name: {candidate.Name}-{component.Name}-<revision> would have {length} characters, {SpecLimits.NameLength} are allowed");
            }

            CheckCollision(candidate, i, findings);
        }
    }

    /// <summary>Service <c>name-component</c> of one component may be what a revision's Service <c>name-other-revision</c> is called.</summary>
    private static void CheckCollision(SpecCandidate candidate, int index, Findings findings)
    {
        var name = candidate.Components[index].Name;
        var other = candidate.Components.Find(c => c.External is null && c.Name.Length > 0
            && name.Length == c.Name.Length + 1 + ApiConstants.RevisionLength
            && name.StartsWith(c.Name + "-", StringComparison.Ordinal) && Revision().IsMatch(name[(c.Name.Length + 1)..]));
        if (other is not null)
        {
            findings.Add($"spec.components[{index}].name", name,
                $"reads like a revision of component {other.Name}: Services {candidate.Name}-{name} and {candidate.Name}-{other.Name}-<revision> could be the same");
        }
    }

    // The alphabet of revisions: a component api-controller beside api is no trouble.
    [GeneratedRegex("^[bcdfghjklmnpqrstvwxz2456789]{10}$", RegexOptions.CultureInvariant)]
    private static partial Regex Revision();
}
