using System.Globalization;

namespace RagOperator.Engine.Sla;

/// <summary>Numbers as status shows them: plain, in Prometheus' base units, six digits that count.</summary>
public static class MetricText
{
    /// <summary>The number as text.</summary>
    /// <param name="value">The number.</param>
    public static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    /// <summary>The number of a text of <see cref="Number"/>, or null.</summary>
    /// <param name="text">The text, or null.</param>
    public static double? Parse(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
}
