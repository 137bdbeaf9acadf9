using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared.Mutations;

/// <summary>A spec with one thing, or a few, changed.</summary>
/// <param name="Path">Where the last change was made: <c>spec.components[0].ports[0].port</c>.</param>
/// <param name="What">What was done there.</param>
/// <param name="Spec">The spec afterwards.</param>
/// <param name="Words">What a refusal may name: the fields on the way, the value before and after.</param>
public sealed record Mutant(string Path, string What, JsonObject Spec, IReadOnlyList<string> Words)
{
    public override string ToString() => $"{Path}: {What}";
}
