using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using RagOperator.Kubernetes;
using RagOperator.Operator.Hosting.Options;

namespace RagOperator.Operator.Hosting;

/// <summary>Sends metrics and traces by OTLP, where the configuration asks for it. <c>/metrics</c> does not depend on it.</summary>
internal sealed class Telemetry : IHostedService, IDisposable
{
    private readonly HostSettings _settings;
    private MeterProvider? _meters;
    private TracerProvider? _traces;

    /// <summary>Nothing is sent before the start.</summary>
    public Telemetry(HostSettings settings) => _settings = settings;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_settings.OtlpEndpoint is null) return Task.CompletedTask;
        var resource = ResourceBuilder.CreateDefault().AddService("rag-operator", serviceVersion: BuildInfo.Version);
        _meters = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter("RagOperator*")
            .AddOtlpExporter(o => Configure(o, "/v1/metrics"))
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(KubernetesMetrics.MeterName)
            .AddOtlpExporter(o => Configure(o, "/v1/traces"))
            .Build();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        // What is left is sent, but an absent collector must not hold up the end.
        _traces?.Shutdown(2000);
        _meters?.Shutdown(2000);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces?.Dispose();
        _meters?.Dispose();
    }

    private void Configure(OtlpExporterOptions options, string path)
    {
        options.Protocol = _settings.OtlpGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        // Set by code, an HTTP endpoint is taken as it is: the signal's path is ours to add.
        var endpoint = _settings.OtlpEndpoint!;
        options.Endpoint = _settings.OtlpGrpc ? endpoint : new Uri(endpoint.AbsoluteUri.TrimEnd('/') + path);
    }
}
