using RagOperator.Kubernetes;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>Serves with the certificate that somebody else keeps in a folder, as cert-manager does in a mounted Secret, and follows its changes.</summary>
internal sealed partial class CertificateFolder(string folder, ServingCertificate serving, KeyMetrics metrics, TimeProvider time, ILogger<CertificateFolder> logger) : BackgroundService, IHealthSource
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private volatile string? _trouble = "nothing was read yet";

    /// <inheritdoc/>
    public string Name => "webhook-certificate";

    /// <inheritdoc/>
    public HealthReport Check() => _trouble is { } trouble
        ? new(HealthVerdict.Degraded, trouble)
        : new(HealthVerdict.Healthy, $"certificate until {serving.EndsAt:u}");

    /// <summary>One look at the folder.</summary>
    public void Look()
    {
        try
        {
            var pair = new PemPair(File.ReadAllText(Path.Combine(folder, "tls.crt")), File.ReadAllText(Path.Combine(folder, "tls.key")));
            if (serving.Use(pair)) LogServed(logger, folder, serving.EndsAt!.Value);
            _trouble = null;
        }
#pragma warning disable CA1031 // whatever it is, the next look may go well, and rollouts must not end for it
        catch (Exception e)
#pragma warning restore CA1031
        {
            metrics.Failed();
            // Seen half-way through a rotation: the next look finds it whole. The message of an exception about a key says nothing of the key.
            var trouble = $"{folder}: {e.GetType().Name}, {Sla.ShortText.Clean(e.Message)}";
            if (trouble != _trouble) LogUnreadable(logger, trouble);
            _trouble = trouble;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do Look();
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    [LoggerMessage(320, LogLevel.Information, "The webhook is served with the certificate of {Folder}, which ends at {End:u}")]
    private static partial void LogServed(ILogger logger, string folder, DateTimeOffset end);

    [LoggerMessage(321, LogLevel.Error, "The webhook's certificate cannot be read: {Trouble}; the one known already stays in use")]
    private static partial void LogUnreadable(ILogger logger, string trouble);
}
