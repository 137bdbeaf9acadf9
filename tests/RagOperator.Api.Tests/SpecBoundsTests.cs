using System.Text.Json;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Tests;

/// <summary>Specs that an API server keeps and that are too much for whoever reads them: deep, large, or wrong in a thousand places.</summary>
public class SpecBoundsTests
{
    [Theory]
    [InlineData(80)]
    [InlineData(9_900)]
    public void Spec_that_is_nested_too_deeply_is_named_and_its_kill_switch_obeyed(int levels)
    {
        var reading = Read("""{"featureFlags":{"flags":[{"name":"x","enabled":false}]},"components":[{"name":"api","template":{"x":NESTED}}]}""".Replace("NESTED", Nested(levels), StringComparison.Ordinal));

        var problem = Assert.Single(reading.Problems);
        Assert.StartsWith("spec.components[0].template.x.a.a.", problem.Field, StringComparison.Ordinal);
        Assert.Contains("64 levels", problem.Rule, StringComparison.Ordinal);
        Assert.Equal(["x"], reading.DisabledFlags);
    }

    [Fact]
    public void Spec_of_as_many_levels_as_are_allowed_is_read()
    {
        // spec, components, the component and its template stand above.
        Assert.DoesNotContain(Read(With(60)).Problems, static p => p.Rule.Contains("nested", StringComparison.Ordinal));
        Assert.Contains(Read(With(61)).Problems, static p => p.Rule.Contains("nested", StringComparison.Ordinal));

        static string With(int levels) => """{"components":[{"name":"api","template":{"x":NESTED}}]}""".Replace("NESTED", Nested(levels), StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_and_the_number_of_problems_are_bounded()
    {
        var items = string.Join(',', Enumerable.Repeat("""{"backendRefs":1}""", 10_000));

        var problems = Read("""{"traffic":{"gatewayApi":{"NAME":[ITEMS]}}}""".Replace("NAME", new string('A', 50_000), StringComparison.Ordinal).Replace("ITEMS", items, StringComparison.Ordinal)).Problems;

        Assert.InRange(problems.Count, 1_000, 1_100);
        Assert.All(problems, static p => Assert.InRange(p.ToString().Length, 1, 400));
        Assert.Contains(problems, static p => p.Rule.Contains("the operator fills in the backends", StringComparison.Ordinal));
    }

    [Fact]
    public void Spec_that_is_too_large_is_named_with_its_size_also_when_it_is_not_kept()
    {
        var text = $$"""{"featureFlags":{"flags":[{"name":"x","enabled":false}]},"note":"{{new string('y', SpecLimits.Bytes)}}"}""";
        var obj = Object(text);

        var before = SpecReader.Read(obj, Specs.Catalog.Instance);
        Reading.SpecSize.Trim(obj);
        var after = SpecReader.Read(obj, Specs.Catalog.Instance);

        Assert.Equal($"must be at most 262144 bytes as JSON, and has {text.Length}", Assert.Single(before.Problems).Rule);
        Assert.Equal(before.Problems, after.Problems);
        Assert.Equal(["x"], after.DisabledFlags);
        Assert.InRange(obj.Spec.GetRawText().Length, 1, 500);
    }

    private static string Nested(int levels) => string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels);

    private static Resolved.SpecReading Read(string spec) => SpecReader.Read(Object(spec), Specs.Catalog.Instance);

    private static RagDeployment Object(string spec) => new()
    {
        Metadata = new() { Name = "assistant", NamespaceProperty = "rag" },
        Spec = JsonDocument.Parse(spec, new JsonDocumentOptions { MaxDepth = 10_000 }).RootElement,
    };
}
