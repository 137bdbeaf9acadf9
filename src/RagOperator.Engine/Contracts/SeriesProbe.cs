namespace RagOperator.Engine.Contracts;

/// <summary>Questions about the series that a query asks for, variables put in. Each answers one number.</summary>
/// <param name="Name">The series' name.</param>
/// <param name="Own">The matchers that pick the component out: <c>service="assistant-api-1a2b"</c>.</param>
/// <param name="NameQuery">How many series have the name.</param>
/// <param name="SeriesQuery">How many of them are the component's.</param>
/// <param name="SamplesQuery">The most samples that one of those has within the window; null where the query looks at no window.</param>
/// <param name="LabelQueries">How many of those have a label that the query filters by, by label.</param>
public sealed record SeriesProbe(
    string Name, string Own, string NameQuery, string SeriesQuery, string? SamplesQuery, IReadOnlyList<(string Label, string Query)> LabelQueries);

/// <summary>What the source says to a <see cref="SeriesProbe"/>; null where it was not asked or did not say.</summary>
public sealed record ProbeFindings
{
    /// <summary>What was asked.</summary>
    public required SeriesProbe Probe { get; init; }

    /// <summary>Whether there is a series of that name.</summary>
    public bool? HasName { get; init; }

    /// <summary>Whether there is one of the component.</summary>
    public bool? HasSeries { get; init; }

    /// <summary>Whether the window holds the two samples that a rate takes.</summary>
    public bool? HasTwoSamples { get; init; }

    /// <summary>Labels that the query filters by and that no series of the component has.</summary>
    public IReadOnlyList<string> MissingLabels { get; init; } = [];
}
