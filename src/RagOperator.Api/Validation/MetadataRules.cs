using System.Text.RegularExpressions;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Validation;

/// <summary>Labels and annotations for generated objects: what the API server would refuse of them, and what the operator and Kubernetes write themselves.</summary>
internal static partial class MetadataRules
{
    /// <summary>Two who write the same key would write it for ever.</summary>
    private static readonly string[] s_reserved = [ApiConstants.Group, "kubernetes.io", "deployment.kubernetes.io", "kubectl.kubernetes.io"];

    public static void Check(SpecCandidate candidate, Findings findings)
    {
        for (var i = 0; i < candidate.Components.Count; i++)
        {
            if (candidate.Components[i].External is null)
                Check(candidate.Components[i].Metadata, $"spec.components[{i}].metadata", findings);
        }

        Check(candidate.Spec.Traffic?.Metadata, "spec.traffic.metadata", findings);
    }

    private static void Check(MetadataSpec? metadata, string path, Findings findings)
    {
        CheckMap(metadata?.Labels, $"{path}.labels", IsLabelValue,
            $"must be a label's value: at most {SpecLimits.NameLength} letters, digits, '-', '_' and '.', beginning and ending with a letter or digit", findings);
        CheckMap(metadata?.Annotations, $"{path}.annotations", static text => text.Length <= SpecLimits.AnnotationLength,
            $"must have at most {SpecLimits.AnnotationLength} characters", findings);
    }

    private static void CheckMap(Dictionary<string, string>? map, string path, Func<string, bool> isValue, string rule, Findings findings)
    {
        if (map is null)
            return;
        if (map.Count > SpecLimits.MetadataKeys)
            findings.Add(path, map, $"must hold at most {SpecLimits.MetadataKeys} keys");
        foreach (var (key, value) in map)
        {
            if (s_reserved.FirstOrDefault(r => key.StartsWith(r + "/", StringComparison.Ordinal)) is { } reserved)
                findings.Add(path, key, $"must not begin with {reserved}/, which is kept for what the operator and Kubernetes write themselves");
            else if (!IsKey(key))
                findings.Add(path, key, "must be a key like team or example.com/team: a name of at most 63 letters, digits, '-', '_' and '.', perhaps below a DNS domain");
            else if (!isValue(value))
                findings.Add($"{path}[{key}]", value, rule);
        }
    }

    private static bool IsKey(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return IsPart(key[(slash + 1)..]) && (slash < 0 || (slash <= 253 && Domain().IsMatch(key[..slash])));
    }

    private static bool IsLabelValue(string text) => text.Length == 0 || IsPart(text);

    private static bool IsPart(string text) => text.Length <= 63 && Part().IsMatch(text);

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Part();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Domain();
}
