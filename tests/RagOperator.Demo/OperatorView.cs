using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RagOperator.TestBed;

namespace RagOperator.Demo;

/// <summary>The operator under show: its own process, and what its metrics say between two writes of status.</summary>
internal sealed class OperatorView : IAsyncDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(3) };
    private readonly OperatorProcess _process;
    private readonly Uri _address;

    private OperatorView(OperatorProcess process, Uri address) => (_process, _address) = (process, address);

    public string Log => _process.Log;

    public bool Runs => _process.Pid is not null;

    public static OperatorView Start(Site site)
    {
        var log = Path.Combine(Directory.CreateDirectory(Path.Combine(Site.Repository, "artifacts/demo")).FullName, "operator.log");
        File.Delete(log);
        var port = FreePort();
        var process = OperatorProcess.Start(log,
        [
            "--namespace", Site.Namespace, "--http.address", "127.0.0.1", "--http.port", port.ToString(CultureInfo.InvariantCulture),
            "--metricSources.default.url", site.Prometheus.ToString(),
        ]);
        return new OperatorView(process, new Uri($"http://127.0.0.1:{port}"));
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken) => await GetAsync("/readyz", cancellationToken) is not null;

    /// <summary>The newest values of the SLA's metrics, and the sum of all reaction times so far, in seconds.</summary>
    public async Task<(IReadOnlyDictionary<string, double> Values, double? Reactions)> MetricsAsync(CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        double? reactions = null;
        foreach (var line in (await GetAsync("/metrics", cancellationToken) ?? "").Split('\n'))
        {
            if (!double.TryParse(line.AsSpan(line.LastIndexOf(' ') + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                continue;
            if (line.StartsWith("ragoperator_sla_value{", StringComparison.Ordinal) && line.IndexOf("metric=\"", StringComparison.Ordinal) is > 0 and var at)
                values[line[(at + 8)..line.IndexOf('"', at + 8)]] = value;
            else if (line.StartsWith("ragoperator_rollback_reaction_seconds_sum", StringComparison.Ordinal))
                reactions = value;
        }

        return (values, reactions);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.TerminateAsync(TimeSpan.FromSeconds(10));
        await _process.DisposeAsync();
        _http.Dispose();
    }

    private async Task<string?> GetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri(_address, path), cancellationToken);
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(cancellationToken) : null;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
