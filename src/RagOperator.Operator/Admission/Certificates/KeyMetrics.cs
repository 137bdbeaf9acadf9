using System.Diagnostics.Metrics;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>What is counted about the webhook's keys; docs/metrics.md lists it.</summary>
internal sealed class KeyMetrics : IDisposable
{
    private const string Name = "RagOperator.Admission";

    private readonly Meter _meter;
    private readonly Counter<long> _failures;

    /// <summary>Makes the instrument.</summary>
    /// <param name="factory">Owns the meter: what another host or test of the same process counts is not mixed in.</param>
    public KeyMetrics(IMeterFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _meter = factory.Create(Name);
        _failures = _meter.CreateCounter<long>("ragoperator_webhook_key_failures_total", null, "Looks after the webhook's keys and certificates that failed; /health/detailed says why.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>A look failed.</summary>
    public void Failed() => _failures.Add(1);
}
