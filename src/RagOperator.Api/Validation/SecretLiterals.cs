using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using RagOperator.Api.Resolved;

namespace RagOperator.Api.Validation;

/// <summary>Literals in pod templates that look like secrets. Who may read the object reads them, and the records of its releases keep them. What is
/// found is named by its field; its value is never told.</summary>
internal static partial class SecretLiterals
{
    // kubectl prints 4096 characters of warnings at most.
    private const int MostNamed = 10;
    private const int MostOfName = 64;

    // Ends of names under which people keep secrets.
    private static readonly string[] s_secretNames = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE"];

    // Names with such ends that are none: keys that are public or sort something, and the marks of a tokenizer.
    private static readonly string[] s_harmlessNames =
        ["PUBLIC_KEY", "PUBLISHABLE_KEY", "CACHE_KEY", "PARTITION_KEY", "SORT_KEY", "ROUTING_KEY", "BOS_TOKEN", "EOS_TOKEN", "PAD_TOKEN", "UNK_TOKEN", "SEP_TOKEN", "CLS_TOKEN", "MASK_TOKEN", "STOP_TOKEN"];

    // What people write where a program wants a key and nobody checks it; vLLM's own examples say EMPTY.
    private static readonly string[] s_placeholders = ["EMPTY", "NONE", "NULL", "DUMMY", "UNUSED", "NOT-NEEDED", "NOT-USED", "TRUE", "FALSE", "DISABLED", "ENABLED"];

    public static IEnumerable<SpecProblem> Of(SpecCandidate candidate)
    {
        var found = candidate.Components
            .SelectMany(static (c, i) => c is { External: null, Template: { ValueKind: JsonValueKind.Object } template } ? InTemplate(template, $"spec.components[{i}].template.spec") : [])
            .ToList();
        return found.Count <= MostNamed ? found
            : found.Take(MostNamed - 1).Append(new SpecProblem("spec.components", "", $"have {found.Count - MostNamed + 1} more literals that look like secrets"));
    }

    private static IEnumerable<SpecProblem> InTemplate(JsonElement template, string path)
    {
        foreach (var list in (string[])["initContainers", "containers"])
        {
            var index = 0;
            foreach (var container in TemplateRules.Items(TemplateRules.Find(TemplateRules.Find(template, "spec"), list)))
            {
                foreach (var problem in InContainer(container, $"{path}.{list}[{index}]"))
                    yield return problem;
                index++;
            }
        }
    }

    private static IEnumerable<SpecProblem> InContainer(JsonElement container, string at)
    {
        var index = 0;
        foreach (var variable in TemplateRules.Items(TemplateRules.Find(container, "env")))
        {
            if (TemplateRules.Text(variable, "name") is { } name && TemplateRules.Text(variable, "value") is { } value && (IsNamedSecret(name, value) || HasKeyForm(value)))
                yield return Problem($"{at}.env[{index}].value", $"of {(name.Length <= MostOfName ? name : name[..MostOfName])} looks");
            index++;
        }

        foreach (var list in (string[])["command", "args"])
        {
            index = 0;
            foreach (var word in TemplateRules.Items(TemplateRules.Find(container, list)))
            {
                if (word.ValueKind == JsonValueKind.String && HasKeyForm(word.GetString()!))
                    yield return Problem($"{at}.{list}[{index}]", "looks");
                index++;
            }
        }
    }

    private static SpecProblem Problem(string field, string what) => new(field, "", $"{what} like a secret, and whoever reads this object reads it; use valueFrom.secretKeyRef");

    private static bool IsNamedSecret(string name, string value) =>
        Array.Exists(s_secretNames, s => name.EndsWith(s, StringComparison.OrdinalIgnoreCase))
        && !Array.Exists(s_harmlessNames, h => name.EndsWith(h, StringComparison.OrdinalIgnoreCase))
        && MayBeSecret(name, value.Trim());

    private static bool MayBeSecret(string name, string value) =>
        value.Length >= 4
        && !s_placeholders.Contains(value, StringComparer.OrdinalIgnoreCase)
        // A reference to another variable; a path to where the secret is; a mark such as </s>, or <your key here>.
        && !value.Contains("$(", StringComparison.Ordinal)
        && value[0] is not ('/' or '.' or '~' or '<')
        && !value.StartsWith("file:", StringComparison.OrdinalIgnoreCase)
        // MAX_NEW_TOKEN: 4096. A password may be a number.
        && (name.Contains("PASS", StringComparison.OrdinalIgnoreCase) || !decimal.TryParse(value, NumberStyles.Number, CultureInfo.InvariantCulture, out _));

    private static bool HasKeyForm(string value) => KeyForm().IsMatch(value);

    // Keys of OpenAI and those who do like it, GitHub, GitLab, Hugging Face, AWS, Google, Slack, NVIDIA and Pinecone; JSON web tokens; private keys; and
    // a password in an address that is not a reference.
    [GeneratedRegex(
        """
        (?<![A-Za-z0-9_-])(?:
          sk-(?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9_-]{20,}
          |gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}
          |hf_[A-Za-z0-9]{20,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|nvapi-[A-Za-z0-9_-]{20,}|pcsk_[A-Za-z0-9_]{20,}
          |eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.)
        |-----BEGIN[ ][A-Z ]{0,30}PRIVATE[ ]KEY-----
        |://[^\s/:@$]{0,64}:(?!\$)[^\s/@$]{1,128}@
        """,
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex KeyForm();
}
