using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Hosting.Metrics;

/// <summary>The process itself, by the names that Prometheus' own libraries use.</summary>
internal sealed class ProcessMetrics : IDisposable
{
    private readonly Meter _meter;

    /// <summary>Makes the instruments.</summary>
    public ProcessMetrics(IMeterFactory? factory, ILeadership leadership)
    {
        const string Name = "RagOperator.Process";
        _meter = factory?.Create(Name) ?? new Meter(Name);
        using var self = Process.GetCurrentProcess();
        var startedAt = new DateTimeOffset(self.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000d;
        _meter.CreateObservableCounter("process_cpu_seconds_total", static () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time used.");
        _meter.CreateObservableGauge("process_resident_memory_bytes", static () => Environment.WorkingSet, "By", "Memory in use.");
        _meter.CreateObservableGauge("ragoperator_memory_limit_bytes", static () => MemoryLimit.Read(), "By", "What the container may use; absent without a limit.");
        _meter.CreateObservableGauge("process_start_time_seconds", () => startedAt, "s", "When the process started, in seconds since 1970.");
        _meter.CreateObservableGauge("ragoperator_leader", () => leadership.IsLeader ? 1 : 0, null, "1 while this process may act, 0 on standby.");
        _meter.CreateObservableGauge(
            "ragoperator_build_info",
            static () => new Measurement<int>(1, new("version", BuildInfo.Version), new KeyValuePair<string, object?>("runtime", RuntimeInformation.FrameworkDescription)),
            null,
            "1; the labels say what runs.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
