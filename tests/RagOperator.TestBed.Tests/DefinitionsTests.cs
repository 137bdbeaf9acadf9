namespace RagOperator.TestBed.Tests;

/// <summary>What a definition says before, while and after its kind is served.</summary>
public sealed class DefinitionsTests
{
    [Theory]
    [InlineData("""{"metadata":{}}""", false)]
    [InlineData("""{"status":{"acceptedNames":{"kind":"","plural":""},"conditions":null,"storedVersions":null}}""", false)]
    [InlineData("""{"status":{"conditions":[{"type":"NamesAccepted","status":"True"}]}}""", false)]
    [InlineData("""{"status":{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"False"}]}}""", false)]
    [InlineData("""{"status":{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}]}}""", true)]
    public void Kind_is_served_once_its_definition_says_established(string definition, bool served) => Assert.Equal(served, Definitions.IsEstablished(definition));
}
