using FluentValidation;
using FluentValidation.Results;
using RagOperator.Api.Reading;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Validation;

/// <summary>A typed spec with all that its rules look at.</summary>
/// <param name="Name">The object's name.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Spec">The spec.</param>
/// <param name="Catalog">What the operator's configuration offers.</param>
internal sealed record SpecCandidate(string Name, string Namespace, RagDeploymentSpec Spec, IMetricCatalog Catalog)
{
    /// <summary>Whether this very spec was accepted already: what later versions refuse must not take away what it runs by.</summary>
    public bool IsAccepted { get; init; }

    public List<ComponentSpec> Components => Spec.Components;

    /// <summary>The component that requests enter by: the one named, else the only workload that nothing depends on. Null where that is
    /// wrong or ambiguous.</summary>
    public ComponentSpec? Entry => Spec.Traffic?.Component is { } named ? Component(named) : Roots is [var only] ? only : null;

    /// <summary>Workloads that nothing depends on.</summary>
    public IReadOnlyList<ComponentSpec> Roots
    {
        get
        {
            var depended = Components.SelectMany(static c => c.DependsOn ?? []).ToHashSet(StringComparer.Ordinal);
            return [.. Components.Where(c => c.External is null && c.Name.Length > 0 && !depended.Contains(c.Name))];
        }
    }

    /// <summary>Names of the steps, the default ones too.</summary>
    public IEnumerable<string> StepNames => Spec.Rollout?.Steps is { } steps ? steps.Select(static s => s.Name) : SpecDefaults.Steps.Select(static s => s.Name);

    /// <summary>Names of the components that get flag files.</summary>
    public IReadOnlyList<string> DeliverTo =>
        Spec.FeatureFlags is null ? [] : Spec.FeatureFlags.DeliverTo ?? (Entry is { } entry ? [entry.Name] : []);

    /// <summary>Whether a name that other fields give is wrong: it must be one of a component that is run here. Where no component could be read
    /// at all that is not told again for each name.</summary>
    public bool IsNoWorkload(string name) => Components.Count > 0 && Component(name) is not { External: null };

    public ComponentSpec? Component(string name) => Components.Find(c => c.Name.Length > 0 && string.Equals(c.Name, name, StringComparison.Ordinal));

    /// <summary>Names of workloads, for messages.</summary>
    public string WorkloadNames => string.Join(", ", Components.Where(static c => c.External is null).Select(static c => c.Name));
}

/// <summary>Where rules between fields put what they find.</summary>
internal sealed class Findings(ValidationContext<SpecCandidate> context)
{
    private int _count;

    /// <summary>Whether nothing more is told.</summary>
    public bool IsFull => _count >= SpecLimits.Problems;

    /// <summary>Tells of one. Its text is cut here: thousands of long ones would not fit into memory.</summary>
    public void Add(string field, object? value, string rule)
    {
        if (_count++ < SpecLimits.Problems)
            context.AddFailure(new ValidationFailure(ShownValue.Cut(field, SpecLimits.ShownPathLength), ShownValue.Cut(rule, SpecLimits.ShownRuleLength), ShownValue.Of(value)));
    }

    /// <summary>Finds what an earlier version let pass: a spec that was accepted with it is warned of, any other is refused.</summary>
    public void AddSinceAccepted(string field, object? value, string rule) =>
        context.AddFailure(new ValidationFailure(field, rule, value) { Severity = context.InstanceToValidate.IsAccepted ? Severity.Warning : Severity.Error });

    /// <summary>Finds the names that occur more than once, at each later place.</summary>
    public void AddDuplicates(string list, string field, IEnumerable<string> names, string what)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var name in names)
        {
            if (name.Length > 0 && !seen.Add(name))
                Add($"{list}[{index}]{field}", name, $"must be unique among the {what}");
            index++;
        }
    }
}

/// <summary>All rules of a spec. Built once; the rules of each concern are in a class of its own.</summary>
internal sealed class SpecCandidateValidator : AbstractValidator<SpecCandidate>
{
    public static SpecCandidateValidator Instance { get; } = new();

    private SpecCandidateValidator()
    {
        RuleFor(static c => c.Spec).SetValidator(new SpecValidator());
        Between(NameRules.Check);
        Between(GraphRules.Check);
        Between(ComponentRules.Check);
        Between(TemplateRules.Check);
        Between(OwnershipRules.Check);
        Between(MetadataRules.Check);
        Between(TrafficRules.Check);
        Between(FlagRules.Check);
        Between(StepRules.Check);
        Between(SlaRules.Check);
    }

    private void Between(Action<SpecCandidate, Findings> check) =>
        RuleFor(static c => c).Custom((candidate, context) => check(candidate, new Findings(context)));
}
