using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.Traffic;

/// <summary>What a server that prunes leaves out of a route is named with its place and value.</summary>
public sealed class DroppedFieldsTests
{
    [Theory]
    [InlineData("""{"hostnames":["a"]}""", """{"hostnames":["a"],"parentRefs":[]}""", "")]
    [InlineData("""{"hostname":"a"}""", "{}", "hostname: \"a\"")]
    [InlineData("""{"hostname":null}""", "{}", "")]
    [InlineData("""{"parentRefs":[{"name":"a"},{"name":"b","sectonName":"https"}]}""", """{"parentRefs":[{"name":"a","kind":"Gateway"},{"name":"b","kind":"Gateway"}]}""", "parentRefs[1].sectonName: \"https\"")]
    [InlineData("""{"rules":[{"timeout":{"request":"1s"},"matchs":[1]}]}""", """{"rules":[{"matches":[]}]}""", "rules[0].timeout: {\"request\":\"1s\"}; rules[0].matchs: [1]")]
    public void Members_that_are_gone_are_named(string wanted, string stored, string expected) =>
        Assert.Equal(expected, string.Join("; ", DroppedFields.Of(Sample.Element(wanted), Sample.Element(stored))));

    [Fact]
    public void Long_values_are_cut()
    {
        var dropped = Assert.Single(DroppedFields.Of(Sample.Element($$"""{"x":"{{new string('a', 5000)}}"}"""), Sample.Element("{}")));
        Assert.True(dropped.Length < 100, dropped);
    }
}
