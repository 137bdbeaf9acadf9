namespace RagOperator.Api.Values;

/// <summary>What kind of thing a unit measures.</summary>
public enum LimitDimension
{
    /// <summary>A bare number.</summary>
    Number,

    /// <summary>A fraction written in percent.</summary>
    Fraction,

    /// <summary>Time; seconds underneath.</summary>
    Time,

    /// <summary>A size or count with a prefix; the bare number underneath.</summary>
    Size,
}

/// <summary>The unit that a limit is written in, so that values compared with it can be shown alike.</summary>
/// <param name="Suffix">As written, for instance <c>%</c>, <c>ms</c> or <c>Mi</c>; empty for a bare number.</param>
/// <param name="Factor">What one of it is in Prometheus' base units: 0.01, 0.001 or 1048576.</param>
/// <param name="Dimension">What it measures.</param>
public readonly record struct LimitUnit(string Suffix, decimal Factor, LimitDimension Dimension)
{
    /// <summary>A bare number.</summary>
    public static LimitUnit None { get; } = new("", 1m, LimitDimension.Number);

    internal static IReadOnlyList<LimitUnit> All { get; } =
    [
        None,
        new("%", 0.01m, LimitDimension.Fraction),
        new("ms", 0.001m, LimitDimension.Time),
        new("s", 1m, LimitDimension.Time),
        new("k", 1e3m, LimitDimension.Size),
        new("M", 1e6m, LimitDimension.Size),
        new("G", 1e9m, LimitDimension.Size),
        new("T", 1e12m, LimitDimension.Size),
        new("P", 1e15m, LimitDimension.Size),
        new("E", 1e18m, LimitDimension.Size),
        new("Ki", 1024m, LimitDimension.Size),
        new("Mi", 1048576m, LimitDimension.Size),
        new("Gi", 1073741824m, LimitDimension.Size),
        new("Ti", 1099511627776m, LimitDimension.Size),
        new("Pi", 1125899906842624m, LimitDimension.Size),
        new("Ei", 1152921504606846976m, LimitDimension.Size),
    ];
}
