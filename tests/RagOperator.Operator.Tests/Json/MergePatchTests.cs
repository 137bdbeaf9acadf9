using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using RagOperator.Operator.Json;
using RagOperator.Operator.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Json;

public sealed class MergePatchTests
{
    [Theory]
    [InlineData("{}", "{}", "{}")]
    [InlineData("""{"a":1,"b":2}""", """{"b":2}""", """{"a":null}""")]
    [InlineData("""{"a":{"x":1,"y":2}}""", """{"a":{"x":1,"y":3}}""", """{"a":{"y":3}}""")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{}}""", """{"a":{"x":null}}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1,3]}""", """{"a":[1,3]}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":{"x":1}}""", """{"a":{"x":1}}""")]
    public void Between_holds_the_changes_only(string from, string to, string expected)
    {
        Same.Json(expected, MergePatch.Between(Sample.Object(from), Sample.Object(to)));
    }

    [Fact]
    public void Apply_of_the_patch_between_two_objects_gives_the_second()
    {
        var objects = Values(3).Select(static v => new JsonObject { ["root"] = v });
        var pairs = from a in objects from b in objects select (a, b);

        Seeded.Holds(500, pairs.ToArbitrary(), static pair =>
            JsonNode.DeepEquals(MergePatch.Apply(MergePatch.Between(pair.a, pair.b), pair.a), pair.b));
    }

    private static Gen<JsonNode> Values(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Choose(0, 3).Select(static n => (JsonNode)JsonValue.Create(n)),
            Gen.Elements("x", "y").Select(static s => (JsonNode)JsonValue.Create(s)),
            Gen.Constant(0).Select(static _ => (JsonNode)new JsonArray(1)),
            Gen.Constant(0).Select(static _ => (JsonNode)new JsonObject()));
        if (depth == 0) return leaf;
        var inner = Values(depth - 1);
        var members = Gen.ListOf(Gen.Elements("a", "b", "c", "d").SelectMany(name => inner.Select(value => (name, value))), 4)
            .Select(static list =>
            {
                var result = new JsonObject();
                foreach (var (name, value) in list) result[name] = value.DeepClone();
                return (JsonNode)result;
            });
        return Gen.OneOf(leaf, members, members);
    }
}
