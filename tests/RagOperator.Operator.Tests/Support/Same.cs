using System.Text.Json.Nodes;

namespace RagOperator.Operator.Tests.Support;

internal static class Same
{
    /// <summary>Asserts that two pieces of JSON say the same, and shows both where they do not.</summary>
    public static void Json(string expected, JsonNode? actual)
    {
        var wanted = JsonNode.Parse(expected);
        if (!JsonNode.DeepEquals(wanted, actual)) Assert.Equal(wanted?.ToJsonString(), actual?.ToJsonString());
    }
}
