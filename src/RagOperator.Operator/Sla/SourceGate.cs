using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <summary>How a metric source last answered.</summary>
/// <param name="Kind">What the answer was.</param>
/// <param name="Message">What it said, where it was not a number.</param>
/// <param name="Latency">How long it took.</param>
/// <param name="At">When it came.</param>
public sealed record SourceAnswer(AnswerKind Kind, string? Message, TimeSpan Latency, DateTimeOffset At);

/// <summary>The way to one metric source: so many questions at once, of each namespace by turns, each one counted. Every source has a gate of its own, so
/// that a slow one holds up nobody else.</summary>
/// <param name="name">The source's name.</param>
/// <param name="options">Its configuration.</param>
/// <param name="source">The source.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Counts the questions; null: nobody does.</param>
public sealed class SourceGate(
    string name, MetricSourceOptions options, IMetricSource source, TimeProvider time, SourceMetrics? metrics = null) : IDisposable
{
    private readonly FairGate _gate = new(options.MaxConcurrency);
    private volatile SourceAnswer? _last;

    /// <summary>The source's name.</summary>
    public string Name => name;

    /// <summary>The source's configuration.</summary>
    public MetricSourceOptions Options => options;

    /// <summary>The newest answer; null before the first.</summary>
    public SourceAnswer? Last => _last;

    /// <summary>Asks one query as soon as there is room.</summary>
    /// <param name="namespaceName">The namespace that asks: its questions wait for each other, and not those of others for them.</param>
    /// <param name="query">The query.</param>
    /// <param name="at">The time that it is evaluated at.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public async Task<MetricAnswer> AskAsync(string namespaceName, string query, DateTimeOffset at, CancellationToken cancellationToken)
    {
        using var place = await _gate.EnterAsync(namespaceName, cancellationToken);
        var start = time.GetTimestamp();
        try
        {
            var answer = await source.QueryAsync(namespaceName, query, at, cancellationToken);
            Note(answer, start);
            return answer;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A provider that throws is a defect, yet its outage must look like one: an Error, never a lost question.
            var answer = new MetricAnswer(AnswerKind.Error, Message: ShortText.Clean($"the question failed: {e.GetType().Name}"));
            Note(answer, start);
            return answer;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => (source as IDisposable)?.Dispose();

    private void Note(MetricAnswer answer, long start)
    {
        var latency = time.GetElapsedTime(start);
        _last = new(answer.Kind, answer.Message, latency, time.GetUtcNow());
        metrics?.Asked(name, answer.Kind, latency);
    }
}
