using System.Globalization;
using System.Text;

namespace RagOperator.Operator.Hosting.Metrics;

/// <summary>Types of Prometheus' text format.</summary>
internal enum FamilyType
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>All series of one name. Not thread-safe: the exporter's lock guards it.</summary>
internal sealed class MetricFamily(string name, string help, FamilyType type, double[] bounds)
{
    // Of two measurements with the same labels the order of labels does not matter, so they are sorted into the key.
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    /// <summary>The name as Prometheus shows it.</summary>
    public string Name => name;

    /// <summary>What it means.</summary>
    public string Help => help;

    /// <summary>Its type.</summary>
    public FamilyType Type => type;

    /// <summary>Takes one measurement.</summary>
    /// <param name="value">The value.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="adds">Whether it is added to what is there, or replaces it.</param>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels, bool adds)
    {
        var key = LabelText.Of(labels);
        if (!_series.TryGetValue(key, out var series)) _series[key] = series = new Series(type == FamilyType.Histogram ? new long[bounds.Length + 1] : []);
        if (type == FamilyType.Histogram) series.Observe(value, bounds);
        else series.Value = adds ? series.Value + value : value;
    }

    /// <summary>Forgets all series: what is still there is observed again.</summary>
    public void Clear() => _series.Clear();

    /// <summary>Writes it; nothing where it has no series.</summary>
    public void Write(StringBuilder text)
    {
        if (_series.Count == 0) return;
        text.Append("# HELP ").Append(name).Append(' ').Append(LabelText.EscapeHelp(help)).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(type switch { FamilyType.Counter => "counter", FamilyType.Gauge => "gauge", _ => "histogram" }).Append('\n');
        foreach (var (labels, series) in _series)
        {
            if (type == FamilyType.Histogram) WriteHistogram(text, labels, series);
            else Line(text, "", labels, null, Number(series.Value));
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        var sum = 0L;
        for (var i = 0; i < series.Buckets.Length; i++)
        {
            sum += series.Buckets[i];
            Line(text, "_bucket", labels, i < bounds.Length ? Number(bounds[i]) : "+Inf", sum.ToString(CultureInfo.InvariantCulture));
        }

        Line(text, "_sum", labels, null, Number(series.Value));
        Line(text, "_count", labels, null, sum.ToString(CultureInfo.InvariantCulture));
    }

    private void Line(StringBuilder text, string suffix, string labels, string? le, string value)
    {
        text.Append(name).Append(suffix);
        if (labels.Length > 0 || le is not null)
        {
            text.Append('{').Append(labels);
            if (le is not null) text.Append(labels.Length > 0 ? "," : "").Append("le=\"").Append(le).Append('"');
            text.Append('}');
        }

        text.Append(' ').Append(value).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.NaN => "NaN",
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private sealed class Series(long[] buckets)
    {
        public double Value { get; set; }

        public long[] Buckets => buckets;

        public void Observe(double value, double[] bounds)
        {
            // A NaN would spoil the sum for ever.
            if (double.IsNaN(value)) return;
            var bucket = Array.BinarySearch(bounds, value);
            buckets[bucket < 0 ? ~bucket : bucket]++;
            Value += value;
        }
    }
}

/// <summary>Labels as Prometheus' text format has them.</summary>
internal static class LabelText
{
    /// <summary><c>a="b",c="d"</c>, sorted by name; empty without labels.</summary>
    public static string Of(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (labels.IsEmpty) return "";
        var sorted = labels.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        var text = new StringBuilder();
        foreach (var (name, value) in sorted)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(MetricNames.Label(name)).Append("=\"");
            Escape(text, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quote: true);
            text.Append('"');
        }

        return text.ToString();
    }

    /// <summary>A help text on one line.</summary>
    public static string EscapeHelp(string help)
    {
        var text = new StringBuilder(help.Length);
        Escape(text, help, quote: false);
        return text.ToString();
    }

    private static void Escape(StringBuilder text, string value, bool quote)
    {
        foreach (var c in value)
        {
            _ = c switch
            {
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '"' when quote => text.Append("\\\""),
                _ => text.Append(c),
            };
        }
    }
}
