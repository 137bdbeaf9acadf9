using System.Text.Json;
using System.Text.RegularExpressions;
using FluentValidation;
using RagOperator.Api.Values;

namespace RagOperator.Api.Validation;

/// <summary>Rules about one field, for all validators. A field left out passes: whether it is required is the reader's business.</summary>
internal static partial class FieldRules
{
    private const string LabelForm = "lower-case letters, digits and '-', beginning and ending with a letter or digit";

    public static bool IsLabel(string text) => text.Length <= SpecLimits.NameLength && Label().IsMatch(text);

    /// <summary>A DNS label that starts with a letter: what a Service may be called.</summary>
    public static bool IsName(string text) => IsLabel(text) && char.IsAsciiLetterLower(text[0]);

    public static IRuleBuilderOptions<T, string> MustBeName<T>(this IRuleBuilder<T, string> rule) =>
        rule.Must(IsName).WithMessage($"must be a name of 1 to {SpecLimits.NameLength} {LabelForm}, the first a letter");

    public static IRuleBuilderOptions<T, string> MustBeLabel<T>(this IRuleBuilder<T, string> rule) =>
        rule.Must(IsLabel).WithMessage($"must be a name of 1 to {SpecLimits.NameLength} {LabelForm}");

    public static IRuleBuilderOptions<T, string?> MustLast<T>(this IRuleBuilder<T, string?> rule, TimeSpan least, TimeSpan most) =>
        rule.Must(text => text is null || (RagDuration.TryParse(text, out var value) && value >= least && value <= most))
            .WithMessage($"must be {RagDuration.Form}, from {RagDuration.Format(least)} to {RagDuration.Format(most)}");

    public static IRuleBuilderOptions<T, string?> MustBeOneOf<T>(this IRuleBuilder<T, string?> rule, params string[] allowed) =>
        rule.Must(text => text is null || allowed.Contains(text)).WithMessage($"must be one of {string.Join(", ", allowed)}");

    public static IRuleBuilderOptions<T, int> MustBeWithin<T>(this IRuleBuilder<T, int> rule, int least, int most) =>
        rule.Must(number => number >= least && number <= most).WithMessage($"must be {least} to {most}");

    public static IRuleBuilderOptions<T, int?> MustBeWithin<T>(this IRuleBuilder<T, int?> rule, int least, int most) =>
        rule.Must(number => number is null || (number >= least && number <= most)).WithMessage($"must be {least} to {most}");

    public static IRuleBuilderOptions<T, List<TItem>?> MustHold<T, TItem>(this IRuleBuilder<T, List<TItem>?> rule, int least, int most, string what) =>
        rule.Must(list => list is null || (list.Count >= least && list.Count <= most)).WithMessage($"must hold {least} to {most} {what}");

    public static IRuleBuilderOptions<T, string?> MustBeQuery<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(text => text is null || (text.Length <= SpecLimits.QueryLength && !string.IsNullOrWhiteSpace(text)))
            .WithMessage($"must be a PromQL query of 1 to {SpecLimits.QueryLength} characters");

    public static IRuleBuilderOptions<T, string?> MustBeLimit<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(static text => text is null || LimitValue.TryParse(text, out _)).WithMessage($"must be {LimitValue.Form}");

    public static IRuleBuilderOptions<T, string?> MustBeDistance<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(static text => text is null || (LimitValue.TryParse(text, out var value) && value >= 0)).WithMessage($"must be {LimitValue.Form}, not below 0");

    public static IRuleBuilderOptions<T, string?> MustBePercent<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(static text => text is null || LimitValue.TryParsePercent(text, out _)).WithMessage($"must be {LimitValue.PercentForm}");

    public static IRuleBuilderOptions<T, string?> MustBeAppProtocol<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(static text => text is null || (text.Length <= 253 && AppProtocol().IsMatch(text)))
            .WithMessage("must be a protocol like http, https or kubernetes.io/h2c");

    public static IRuleBuilderOptions<T, JsonElement?> MustBeTargetPort<T>(this IRuleBuilder<T, JsonElement?> rule) =>
        rule.Must(static value => value is not { } port || (port.ValueKind == JsonValueKind.String ? IsPortName(port.GetString()!) : port.TryGetDouble(out var number) && number is >= 1 and <= 65535))
            .WithMessage($"must be a number from 1 to 65535, or the name of a container's port: 1 to {SpecLimits.PortNameLength} {LabelForm}, one of them a letter, no two '-' together");

    private static bool IsPortName(string text) => text.Length <= SpecLimits.PortNameLength && IsLabel(text)
        && text.Any(char.IsAsciiLetterLower) && !text.Contains("--", StringComparison.Ordinal);

    // \z, because $ would let a line break at the end pass
    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Label();

    [GeneratedRegex(@"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex AppProtocol();
}
