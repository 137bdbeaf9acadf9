using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;
using RagOperator.Tests.Shared.Mutations;
using RagOperator.Tests.Shared.Objects;

namespace RagOperator.Api.Tests.Rules;

/// <summary>The CRD's CEL rules, evaluated: servers from 1.25 on do, the one of the test bed passes them by.</summary>
public sealed class CrdRuleTests
{
    private static readonly JsonNode s_crd = YamlJson.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "crds", "ragoperator.dev_ragdeployments.yaml")))!;
    private static readonly List<CrdRule> s_rules = [.. CrdRule.Of(s_crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!.AsObject())];

    public static TheoryData<string> Cases() => [.. SpecCase.All.Where(static c => c.Schema != "schema").Select(static c => c.Name)];

    /// <summary>What the schema refuses is refused before any rule is looked at.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_breaks_the_rules_that_the_list_names_and_no_others(string name)
    {
        var @case = SpecCase.All.Single(c => c.Name == name);
        var broken = s_rules.SelectMany(r => r.BrokenIn(@case.Object).Select(place => (Place: place, r.Message))).ToList();

        Assert.Equal(@case.Rules.Order(StringComparer.Ordinal), broken.Select(static b => b.Message).Order(StringComparer.Ordinal));
        Assert.Equal(@case.Schema == "cel", broken.Count > 0);
        // The server names the place of the rule, the operator the very field: the one is in the other.
        Assert.All(broken, b => Assert.Contains(@case.Problems, p => p.StartsWith(b.Place, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_rule_is_broken_by_a_case_and_told_apart_by_its_message()
    {
        Assert.Equal(s_rules.Select(static r => r.Message).Order(StringComparer.Ordinal), SpecCase.All.SelectMany(static c => c.Rules).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    /// <summary>What an API server refuses a CRD for: apiextensions' StaticEstimatedCostLimit and StaticEstimatedCRDCostLimit.</summary>
    [Fact]
    public void Rules_cost_no_more_than_a_server_allows()
    {
        var costs = s_rules.ToDictionary(static r => r.Message, static r => RuleCost.Of(r.Expression.Text, r.Schema) * r.Times, StringComparer.Ordinal);
        Assert.All(costs, static c => Assert.InRange(c.Value, 1, 10_000_000));
        Assert.InRange(costs.Values.Sum(), 1, 100_000_000);
    }

    [Fact]
    public void Rule_over_what_has_no_bound_is_found()
    {
        var names = JsonNode.Parse("""{"type": "array", "items": {"type": "string"}}""")!.AsObject();
        Assert.Throws<InvalidOperationException>(() => RuleCost.Of("self.all(n, n == 'a')", names));
        names["maxItems"] = 10L;
        Assert.Throws<InvalidOperationException>(() => RuleCost.Of("self.all(n, n == 'a')", names));
        names["items"]!["maxLength"] = 100L;
        Assert.InRange(RuleCost.Of("self.all(n, n == 'a')", names), 400, 600);
        Assert.InRange(RuleCost.Of("self.all(n, self.exists(m, n == m))", names), 4000, 6000);
        // What 0.25 and others refuse by a factor of a hundred.
        Assert.Throws<InvalidOperationException>(() => RuleCost.Of("self.all(n, (n == 'a' ? n : 'TCP') == 'b')", names));
        Assert.Throws<InvalidOperationException>(() => RuleCost.Of("self.map(n, n).isSorted()", names));
        names["items"] = JsonNode.Parse("""{"type": "string", "enum": ["TCP", "UDP"]}""");
        Assert.Throws<InvalidOperationException>(() => RuleCost.Of("self.all(n, n == 'a')", names));
    }

    [Fact]
    public void No_rule_refuses_a_mutant_that_the_operator_takes()
    {
        var mutator = new SpecMutator(SpecMutator.SchemaOf(s_crd));
        var specs = ((string[])["full.yaml", "canary-plan.yaml", "weekly-2-flags.yaml"]).Select(static s => (JsonObject)Samples.Spec(s)).Append((JsonObject)SpecCase.All[0].Object["spec"]!).ToList();
        var taken = 0;
        Seeded.Each(1000, random =>
        {
            var mutant = mutator.Mutate(specs[random.Next(specs.Count)], random);
            if (Specs.ReadNode(mutant.Spec).Spec is null) return;
            taken++;
            var item = new JsonObject { ["spec"] = mutant.Spec };
            Assert.All(s_rules, rule => Assert.True(!rule.BrokenIn(item).Any(), $"{mutant}: {rule.Message}"));
        });
        Assert.InRange(taken, 100, int.MaxValue);
    }
}
