using RagOperator.Api.Reading;

namespace RagOperator.Api.Resolved;

/// <summary>One thing that is wrong with a spec, or risky in it.</summary>
/// <param name="Field">The field's path, for instance <c>spec.rollout.steps[2].weight</c>.</param>
/// <param name="Value">The value found, as text; bounded in length.</param>
/// <param name="Rule">What is allowed.</param>
public sealed record SpecProblem(string Field, string Value, string Rule)
{
    /// <summary>The field's path, bounded in length: its parts may be the user's.</summary>
    public string Field { get; init; } = ShownValue.Cut(Field, SpecLimits.ShownPathLength);

    /// <summary>What is allowed, bounded in length: it may name what there is to choose from.</summary>
    public string Rule { get; init; } = ShownValue.Cut(Rule, SpecLimits.ShownRuleLength);

    /// <summary><c>field: "value": rule</c>.</summary>
    public override string ToString() => $"{Field}: \"{Value}\": {Rule}";

    /// <summary>The same, without the value where none is shown.</summary>
    public string Text => Value.Length == 0 ? $"{Field}: {Rule}" : ToString();
}

/// <summary>What reading a spec gives.</summary>
public sealed record SpecReading
{
    /// <summary>The spec, where nothing is wrong with it.</summary>
    public ResolvedSpec? Spec { get; init; }

    /// <summary>All that is wrong with it, at once.</summary>
    public IReadOnlyList<SpecProblem> Problems { get; init; } = [];

    /// <summary>What is allowed but risky.</summary>
    public IReadOnlyList<SpecProblem> Warnings { get; init; } = [];

    /// <summary>Flags that are disabled as far as that can be read, also in a spec that is wrong otherwise: a kill switch must work then.</summary>
    public IReadOnlyList<string> DisabledFlags { get; init; } = [];
}
