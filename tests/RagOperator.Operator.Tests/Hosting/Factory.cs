using System.Diagnostics.Metrics;

namespace RagOperator.Operator.Tests.Hosting;

/// <summary>Meters of one test alone.</summary>
internal sealed class Factory : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => _meters.ForEach(m => m.Dispose());
}
