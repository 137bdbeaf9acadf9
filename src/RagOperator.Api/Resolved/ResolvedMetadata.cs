namespace RagOperator.Api.Resolved;

/// <summary>Labels and annotations that generated objects get beside the operator's own, each sorted by key.</summary>
/// <param name="Labels">Labels.</param>
/// <param name="Annotations">Annotations.</param>
public sealed record ResolvedMetadata(IReadOnlyList<KeyValuePair<string, string>> Labels, IReadOnlyList<KeyValuePair<string, string>> Annotations)
{
    /// <summary>None of either.</summary>
    public static ResolvedMetadata None { get; } = new([], []);
}
