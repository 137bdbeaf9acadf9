using System.Diagnostics.Metrics;
using RagOperator.Operator.Hosting.Metrics;

namespace RagOperator.Operator.Tests.Hosting;

public sealed class MetricsExporterTests : IDisposable
{
    private readonly Meter _meter = new($"Test.{Guid.NewGuid():N}");
    private readonly MetricsExporter _exporter;

    public MetricsExporterTests() => _exporter = new MetricsExporter(_meter.Name, scope: null);

    public void Dispose()
    {
        _exporter.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Write_all_types_exactly()
    {
        var requests = _meter.CreateCounter<long>("kubernetes.client.requests", "{request}", "Requests.\nTwo lines, one \\.");
        var duration = _meter.CreateHistogram("some.thing.duration", "s", "Time.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        var level = _meter.CreateUpDownCounter<int>("plain_level");
        _meter.CreateObservableGauge("plain_values", () => new Measurement<double>[]
        {
            new(double.NaN, new KeyValuePair<string, object?>("kind", "nan")),
            new(double.PositiveInfinity, new KeyValuePair<string, object?>("kind", "inf")),
            new(1e-9, new KeyValuePair<string, object?>("kind", "quote \" slash \\ line \n end")),
        });
        _meter.CreateCounter<long>("never_counted");

        requests.Add(1, new("verb", "get"), new KeyValuePair<string, object?>("code", 200));
        requests.Add(2, new("code", 200), new KeyValuePair<string, object?>("verb", "get"));
        duration.Record(0.1);
        duration.Record(0.5);
        duration.Record(7);
        duration.Record(double.NaN);
        level.Add(5);
        level.Add(-2);

        Assert.Equal(
            """
            # HELP plain_level 
            # TYPE plain_level gauge
            plain_level 3
            # HELP plain_values 
            # TYPE plain_values gauge
            plain_values{kind="inf"} +Inf
            plain_values{kind="nan"} NaN
            plain_values{kind="quote \" slash \\ line \n end"} 1E-09
            # HELP ragoperator_api_requests_total Requests.\nTwo lines, one \\.
            # TYPE ragoperator_api_requests_total counter
            ragoperator_api_requests_total{code="200",verb="get"} 3
            # HELP ragoperator_some_thing_duration_seconds Time.
            # TYPE ragoperator_some_thing_duration_seconds histogram
            ragoperator_some_thing_duration_seconds_bucket{le="0.1"} 1
            ragoperator_some_thing_duration_seconds_bucket{le="1"} 2
            ragoperator_some_thing_duration_seconds_bucket{le="+Inf"} 3
            ragoperator_some_thing_duration_seconds_sum 7.6
            ragoperator_some_thing_duration_seconds_count 3

            """,
            _exporter.Write());
    }

    [Fact]
    public void Write_series_no_longer_observed_are_gone()
    {
        var objects = new List<string> { "a", "b" };
        _meter.CreateObservableGauge("objects", () => objects.Select(o => new Measurement<int>(1, new KeyValuePair<string, object?>("name", o))));
        Assert.Contains("objects{name=\"b\"} 1", _exporter.Write(), StringComparison.Ordinal);

        objects.Remove("b");

        var text = _exporter.Write();
        Assert.Contains("objects{name=\"a\"} 1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"b\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_many_threads_lose_no_count()
    {
        var counter = _meter.CreateCounter<long>("hits");

        Parallel.For(0, 10_000, i =>
        {
            counter.Add(1, new KeyValuePair<string, object?>("shard", i % 3));
            if (i % 1000 == 0) _exporter.Write();
        });

        var sum = _exporter.Write().Split('\n').Where(l => l.StartsWith("hits{", StringComparison.Ordinal)).Sum(l => int.Parse(l.Split(' ')[1]));
        Assert.Equal(10_000, sum);
    }
}
