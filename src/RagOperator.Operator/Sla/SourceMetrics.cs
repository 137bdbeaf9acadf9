using System.Diagnostics.Metrics;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <summary>What is counted about metric sources; docs/metrics.md lists it.</summary>
public sealed class SourceMetrics : IDisposable
{
    private const string Name = "RagOperator.Sla";

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;

    /// <summary>Makes the instruments.</summary>
    /// <param name="factory">Owns the meter: what another host or test of the same process counts is not mixed in.</param>
    public SourceMetrics(IMeterFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _meter = factory.Create(Name);
        _requests = _meter.CreateCounter<long>(
            "ragoperator_metric_source_requests_total", null, "Questions to a metric source by result: number, no_data, invalid, error.");
        _duration = _meter.CreateHistogram(
            "ragoperator_metric_source_request_duration_seconds",
            "s",
            "How long a metric source took to answer one question.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>A question was answered.</summary>
    internal void Asked(string source, AnswerKind kind, TimeSpan latency)
    {
        var name = new KeyValuePair<string, object?>("source", source);
        _requests.Add(1, name, new("result", Result(kind)));
        _duration.Record(latency.TotalSeconds, name);
    }

    private static string Result(AnswerKind kind) => kind switch
    {
        AnswerKind.Number => "number",
        AnswerKind.NoData => "no_data",
        AnswerKind.Invalid => "invalid",
        _ => "error",
    };
}
