using System.Text.Json.Nodes;
using RagOperator.Api.Resolved;
using RagOperator.Tests.Shared;
using RagOperator.Tests.Shared.Mutations;

namespace RagOperator.Api.Tests;

/// <summary>Whatever a valid spec is turned into: it is read or refused by field, the same way each time, and what is read has every value in its range.</summary>
public class SpecMutationTests
{
    private static readonly string[] s_samples = ["full.yaml", "minimal.yaml", "canary-plan.yaml", "weekly-2-flags.yaml"];

    [Fact]
    public void Every_mutant_of_a_sample_is_read_or_refused_by_field()
    {
        var definition = YamlJson.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "crds", "ragoperator.dev_ragdeployments.yaml")))!;
        var mutator = new SpecMutator(SpecMutator.SchemaOf(definition));
        var specs = s_samples.Select(static s => (JsonObject)Samples.Spec(s)).ToList();
        var (read, refused) = (0, 0);
        Seeded.Each(3000, random =>
        {
            var mutant = mutator.Mutate(specs[random.Next(specs.Count)], random);
            var reading = Specs.ReadNode(mutant.Spec);
            var again = Specs.ReadNode(JsonNode.Parse(mutant.Spec.ToJsonString()));
            Assert.Equal(reading.Problems, again.Problems);
            Assert.Equal(reading.Spec is null, reading.Problems.Count > 0);
            foreach (var problem in reading.Problems.Concat(reading.Warnings))
            {
                Assert.True(problem.Field.StartsWith("spec", StringComparison.Ordinal) || problem.Field.StartsWith("metadata.", StringComparison.Ordinal), $"{mutant}: {problem}");
                Assert.InRange(problem.Value.Length, 0, 200);
                Assert.NotEmpty(problem.Rule);
            }

            if (reading.Problems.Count > 0)
            {
                refused++;
                var text = string.Join("\n", reading.Problems);
                Assert.True(mutant.Words.Any(w => text.Contains(w, StringComparison.OrdinalIgnoreCase)), $"{mutant}\nis refused without its name:\n{text}\n{mutant.Spec.ToJsonString()}");
            }
            else
            {
                read++;
                Sound(reading.Spec!, mutant);
            }
        });
        // Were all of them refused the mutator would be too wild to find anything.
        Assert.True(read > refused / 10 && refused > read / 10, $"{read} read, {refused} refused");
    }

    /// <summary>Found by a mutant: the refusal asked for one of no components.</summary>
    [Fact]
    public void Spec_of_external_components_only_is_told_that_something_has_to_take_the_requests()
    {
        var reading = Specs.ReadYaml("""
            components: [{name: qdrant, external: {service: qdrant, port: 6333}}]
            traffic: {gatewayApi: {parentRefs: [{name: public}]}}
            """);
        Assert.Equal("spec.components: \"\": must hold a component with a template: something has to take the requests", Assert.Single(reading.Problems).ToString());
    }

    /// <summary>What the engine relies on without looking again.</summary>
    private static void Sound(ResolvedSpec spec, Mutant mutant)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var component in spec.Components)
        {
            Check(component.DependsOn.All(names.Contains), $"{component.Name} comes before what it depends on");
            Check(names.Add(component.Name), $"{component.Name} is there twice");
            Check(component.Replicas is >= 0 and <= 10000 && component.CanaryReplicas is null or >= 1 && !(component.Replicas > 0 && component.CanaryReplicas > component.Replicas), $"replicas of {component.Name}");
        }

        var policy = spec.Policy;
        Check(spec.Component(spec.Entry) is { IsWorkload: true }, "the entry is no workload");
        Check(spec.DeliverTo.All(names.Contains), "flags go to nobody");
        Check(!spec.EnabledFlags.Intersect(spec.DisabledFlags, StringComparer.Ordinal).Any(), "a flag is on and off");
        Check(policy.Steps.Count > 0 && policy.Steps[^1].Weight == 100 && policy.Steps.Zip(policy.Steps.Skip(1)).All(static p => p.First.Weight <= p.Second.Weight), "weights fall or do not end");
        Check(policy.Steps.All(static s => s.Weight is >= 1 and <= 100 && s.Hold >= TimeSpan.Zero && s.Hold <= TimeSpan.FromDays(365)), "a step is out of range");
        Check(policy.Steps.Select(static s => s.Name).Distinct(StringComparer.Ordinal).Count() == policy.Steps.Count, "a step is there twice");
        Check(policy.ProgressDeadline >= TimeSpan.FromSeconds(1) && policy.RetireDelay >= TimeSpan.Zero && policy.UndoWindow >= TimeSpan.Zero, "a time is out of range");
        foreach (var metric in policy.Sla?.Metrics ?? [])
        {
            Check(names.Contains(metric.Component), $"{metric.Name} is about nobody");
            Check(metric.FailAfter is >= 1 and <= 100 && metric.Window >= TimeSpan.FromSeconds(1), $"{metric.Name} is out of range");
            Check(metric.Limit.IsAbsolute || metric.Limit.IsRelative, $"{metric.Name} has no limit");
            Check(metric.Steps?.All(s => policy.Steps.Any(p => p.Name == s)) ?? true, $"{metric.Name} names a step that is not there");
            Check(QueryTemplate.Check(metric.Query).Count == 0 && metric.Query.Length > 0, $"{metric.Name} asks for nothing");
        }

        void Check(bool holds, string what)
        {
            if (!holds) Assert.Fail($"{mutant}\n{what}\n{mutant.Spec.ToJsonString()}");
        }
    }
}
