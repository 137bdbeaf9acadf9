using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using RagOperator.Kubernetes;
using RagOperator.Operator.Admission;
using RagOperator.Operator.Admission.Certificates;
using RagOperator.Operator.Hosting.Metrics;
using RagOperator.Operator.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Admission;

/// <summary>Nothing that goes wrong with the webhook's keys ends the loop, and with it the process.</summary>
public sealed class KeyLoopTests : IMeterFactory, ILogger<KeyKeeper>
{
    private readonly FakeApi _api = new();
    private readonly FakeTimeProvider _time = new();
    private readonly RequestStamps _stamps = new();
    private readonly List<(LogLevel Level, string Text, Exception? Cause)> _log = [];

    [Fact]
    public async Task Unforeseen_exception_is_told_once_counted_shown_and_tried_again_at_growing_intervals()
    {
        using var exporter = new MetricsExporter("RagOperator", this);
        using var metrics = new KeyMetrics(this);
        var keeper = new KeyKeeper(_api, new("rag", "webhook"), new KeyPlan([]), null, null, _stamps, metrics, _time, this);
        _api.Fault = static _ => throw new CryptographicException("nobody thought of this");
        using var loop = new KeyLoop(keeper, [], _time);

        await loop.StartAsync(default);
        for (var failures = 1; failures <= 8; failures++)
        {
            var text = $"\nragoperator_webhook_key_failures_total {failures}\n";
            await Eventually.HoldsAsync(() => exporter.Write().Contains(text, StringComparison.Ordinal) && _time.NextTimer is not null);
            var pause = TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, failures - 1)));
            Assert.Equal(pause, _time.NextTimer!.Value - _time.GetUtcNow());
            Assert.Equal((HealthVerdict.Degraded, "CryptographicException: nobody thought of this"), (keeper.Check().Status, keeper.Check().Detail));
            if (failures == 8) _api.Fault = static _ => null;
            _time.Advance(pause);
        }

        await Eventually.HoldsAsync(() => keeper.Check().Status == HealthVerdict.Healthy);
        Assert.True(_stamps.HasKey);
        var told = Assert.Single(_log, static l => l.Level == LogLevel.Error);
        Assert.IsType<CryptographicException>(told.Cause);
        Assert.False(loop.ExecuteTask!.IsCompleted);
        await loop.StopAsync(default);
        Assert.True(loop.ExecuteTask.IsCompletedSuccessfully);
    }

    Meter IMeterFactory.Create(MeterOptions options) => new(options.Name, null, null, this);

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _log.Add((logLevel, formatter(state, exception), exception));

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    void IDisposable.Dispose()
    {
    }
}
