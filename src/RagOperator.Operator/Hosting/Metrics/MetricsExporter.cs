using System.Diagnostics.Metrics;
using System.Text;

namespace RagOperator.Operator.Hosting.Metrics;

/// <summary>Collects the instruments of this process and writes them in Prometheus' text format.</summary>
/// <remarks>
/// Guarantees: gauges and counters that are observed show exactly what is there at the moment of a scrape, so that the series of a deleted
/// object go with it; what is counted by events stays until the process ends, and has no label that names an object.
/// </remarks>
internal sealed class MetricsExporter : IDisposable
{
    /// <summary>The type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly double[] DefaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly HashSet<MetricFamily> _observed = [];
    private readonly MeterListener _listener = new();
    private readonly string _prefix;
    private readonly object? _scope;

    /// <summary>Starts to collect.</summary>
    /// <param name="meterPrefix">Meters whose names begin so are collected.</param>
    /// <param name="scope">Meters made by a factory are collected only where it is this one: several hosts may share a process.</param>
    public MetricsExporter(string meterPrefix, IMeterFactory? scope)
    {
        _prefix = meterPrefix;
        _scope = scope;
        _listener.InstrumentPublished = OnPublished;
        _listener.SetMeasurementEventCallback<int>(static (_, value, labels, state) => ((Sink)state!).Record(value, labels));
        _listener.SetMeasurementEventCallback<long>(static (_, value, labels, state) => ((Sink)state!).Record(value, labels));
        _listener.SetMeasurementEventCallback<double>(static (_, value, labels, state) => ((Sink)state!).Record(value, labels));
        _listener.Start();
    }

    /// <summary>Every family known so far, also those without a series.</summary>
    public IReadOnlyList<(string Name, FamilyType Type, string Help)> Families
    {
        get
        {
            lock (_lock) return [.. _families.Values.Select(static f => (f.Name, f.Type, f.Help))];
        }
    }

    /// <summary>Everything as text, sorted by name and labels.</summary>
    public string Write()
    {
        lock (_lock)
        {
            foreach (var family in _observed) family.Clear();
            // Callbacks record under this same lock, on this thread.
            _listener.RecordObservableInstruments();
            var text = new StringBuilder(4096);
            foreach (var family in _families.Values) family.Write(text);
            return text.ToString();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void OnPublished(Instrument instrument, MeterListener listener)
    {
        if (!instrument.Meter.Name.StartsWith(_prefix, StringComparison.Ordinal)) return;
        if (instrument.Meter.Scope is { } scope && !ReferenceEquals(scope, _scope)) return;
        var type = TypeOf(instrument);
        var name = MetricNames.Of(instrument, type);
        Sink sink;
        lock (_lock)
        {
            if (!_families.TryGetValue(name, out var family))
                _families[name] = family = new MetricFamily(name, instrument.Description ?? "", type, type == FamilyType.Histogram ? Bounds(instrument) : []);
            if (instrument.IsObservable) _observed.Add(family);
            sink = new Sink(this, family, adds: !instrument.IsObservable && instrument is not (Gauge<int> or Gauge<long> or Gauge<double>));
        }

        listener.EnableMeasurementEvents(instrument, sink);
    }

    private static FamilyType TypeOf(Instrument instrument) => instrument switch
    {
        Counter<int> or Counter<long> or Counter<double> => FamilyType.Counter,
        ObservableCounter<int> or ObservableCounter<long> or ObservableCounter<double> => FamilyType.Counter,
        Histogram<int> or Histogram<long> or Histogram<double> => FamilyType.Histogram,
        _ => FamilyType.Gauge,
    };

    private static double[] Bounds(Instrument instrument) =>
        instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? [.. bounds.Order()] : DefaultBounds;

    /// <summary>Where one instrument's measurements go.</summary>
    private sealed class Sink(MetricsExporter owner, MetricFamily family, bool adds)
    {
        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
        {
            lock (owner._lock) family.Record(value, labels, adds);
        }
    }
}
