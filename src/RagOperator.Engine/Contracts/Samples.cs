namespace RagOperator.Engine.Contracts;

/// <summary>What a metric source made of one query.</summary>
public enum AnswerKind
{
    /// <summary>One number, possibly infinite.</summary>
    Number,

    /// <summary>Empty, NaN or absent.</summary>
    NoData,

    /// <summary>An answer that says that the question is wrong, or that cannot be used as one number.</summary>
    Invalid,

    /// <summary>No answer: refused, timed out, too large, not JSON, a failure of the source.</summary>
    Error,
}

/// <summary>The answer to one query.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">The number, where it is one.</param>
/// <param name="Message">What the source said, bounded and without secrets, where it is not a number.</param>
public sealed record MetricAnswer(AnswerKind Kind, double Value = double.NaN, string? Message = null)
{
    /// <summary>The time that the source says the number is of; null where it says none.</summary>
    public DateTimeOffset? PointAt { get; init; }

    /// <summary>A number.</summary>
    /// <param name="value">The number; NaN counts as no data.</param>
    public static MetricAnswer Of(double value) =>
        double.IsNaN(value) ? new(AnswerKind.NoData, Message: "the query answered NaN") { IsNaN = true } : new(AnswerKind.Number, value);

    /// <summary>The number, or null.</summary>
    public double? Number => Kind == AnswerKind.Number ? Value : null;

    /// <summary>Whether no data is a number that is none: 0/0, as without requests. The series are there, so the question is right.</summary>
    public bool IsNaN { get; init; }
}

/// <summary>The answers about one metric, all for the same query time.</summary>
public sealed record MetricSample
{
    /// <summary>The metric's name.</summary>
    public required string Metric { get; init; }

    /// <summary>The hash of the release that <see cref="Value"/> is about.</summary>
    public required string Release { get; init; }

    /// <summary>Whether this is about stable before the first weight.</summary>
    public bool Baseline { get; init; }

    /// <summary>The time that the queries were evaluated at.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The metric's value.</summary>
    public required MetricAnswer Value { get; init; }

    /// <summary>Stable's value, where it was asked for.</summary>
    public MetricAnswer? Stable { get; init; }

    /// <summary>The number of requests, where it was asked for.</summary>
    public MetricAnswer? Volume { get; init; }

    /// <summary>Stable's number of requests, where it was asked for.</summary>
    public MetricAnswer? StableVolume { get; init; }

    /// <summary>In a baseline: the last finite bucket bound of the histogram that the query asks for, where it asks for one and the source
    /// knows it. A quantile never goes beyond it, so that a limit at or beyond it can never be breached.</summary>
    public double? LastBucket { get; init; }

    /// <summary>In a baseline without data: what the source says of the series that the query asks for.</summary>
    public ProbeFindings? Probe { get; init; }
}

/// <summary>Questions to a metric source that are wanted now or soon.</summary>
public sealed record SlaLook
{
    /// <summary>The metric source's name.</summary>
    public required string Source { get; init; }

    /// <summary>The hash of the release that the questions are about.</summary>
    public required string Release { get; init; }

    /// <summary>Whether they are about stable before the first weight.</summary>
    public bool Baseline { get; init; }

    /// <summary>How often they are asked: retries must end within it.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Asked before the metrics that need it; null where no number of requests is asked for.</summary>
    public string? VolumeQuery { get; init; }

    /// <summary>The same for stable: for relative limits, and to tell a canary that gets no requests from a quiet night.</summary>
    public string? StableVolumeQuery { get; init; }

    /// <summary>The metrics.</summary>
    public required IReadOnlyList<MetricQuestion> Metrics { get; init; }
}

/// <summary>One metric's questions, variables put in.</summary>
/// <param name="Metric">The metric's name.</param>
/// <param name="DueAt">Not asked before this.</param>
/// <param name="Query">About the release.</param>
/// <param name="StableQuery">About stable, where a relative limit needs it.</param>
/// <param name="NeedsVolume">Whether the number of requests is asked for first.</param>
public sealed record MetricQuestion(string Metric, DateTimeOffset DueAt, string Query, string? StableQuery, bool NeedsVolume)
{
    /// <summary>Asked in a baseline that has no data, to find out why.</summary>
    public SeriesProbe? Probe { get; init; }
}
