using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Tests.Sla;

/// <summary>The same table against a real Prometheus, where one is installed.</summary>
public sealed class RealPrometheusTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ragop-prometheus-").FullName;
    private Process? _process;
    private Uri? _url;

    public async Task InitializeAsync()
    {
        var tool = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "prometheus")).FirstOrDefault(File.Exists);
        if (tool is null) return;
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        var config = Path.Combine(_directory, "prometheus.yml");
        await File.WriteAllTextAsync(
            config, $"scrape_configs: [{{job_name: self, scrape_interval: 100ms, scrape_timeout: 100ms, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]");
        _process = Process.Start(new ProcessStartInfo(
            tool,
            [$"--config.file={config}", $"--storage.tsdb.path={_directory}/data", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        { UseShellExecute = false });
        _url = new Uri($"http://127.0.0.1:{port}");
        using var http = new HttpClient();
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if ((await http.GetAsync(new Uri(_url, "/-/ready"))).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30))
            {
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    public Task DisposeAsync()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }

    [SkippableFact]
    public async Task QueryAsync_every_answer_of_the_real_thing()
    {
        Skip.If(_url is null, "prometheus is not installed");
        using var source = new PrometheusMetricSource(new() { Url = _url! }, TimeProvider.System);
        var at = TimeProvider.System.GetUtcNow();

        Assert.Equal(2, (await AskAsync("1 + 1")).Number);
        Assert.Equal(0.5, (await AskAsync("vector(0.5)")).Number);
        Assert.Equal(double.PositiveInfinity, (await AskAsync("vector(1) / 0")).Number);
        Assert.Equal(at.ToUnixTimeMilliseconds() / 1000d, (await AskAsync("time()")).Number);
        Assert.Equal(AnswerKind.NoData, (await AskAsync("vector(0) / 0")).Kind);
        Assert.Equal(AnswerKind.NoData, (await AskAsync("no_such_series")).Kind);
        Assert.Equal(new MetricAnswer(AnswerKind.Invalid, Message: "the query gives a text; one number is needed"), await AskAsync("\"text\""));
        Assert.Equal(new MetricAnswer(AnswerKind.Invalid, Message: "the query gives a range of values; one number is needed"), await AskAsync("no_such_series[1m]"));
        Assert.Equal(
            new MetricAnswer(AnswerKind.Invalid, Message: "the query gives 2 series; one is needed"),
            await AskAsync("label_replace(vector(1), \"a\", \"x\", \"\", \"\") or vector(2)"));
        var unreadable = await AskAsync("sum((");
        Assert.Equal(AnswerKind.Invalid, unreadable.Kind);
        Assert.StartsWith("HTTP 400: bad_data: ", unreadable.Message, StringComparison.Ordinal);

        Task<MetricAnswer> AskAsync(string query) => source.QueryAsync("rag", query, at, default);
    }

    [SkippableFact]
    public async Task BoundQuery_finds_the_last_finite_bucket()
    {
        Skip.If(_url is null, "prometheus is not installed");
        using var source = new PrometheusMetricSource(new() { Url = _url! }, TimeProvider.System);
        const string Sla = "histogram_quantile(0.95, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket{handler=\"/metrics\"}[1m])))";

        var answer = new MetricAnswer(AnswerKind.NoData);
        for (var i = 0; i < 200 && answer.Number is null; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            answer = await source.QueryAsync("rag", HistogramBuckets.BoundQuery(Sla)!, TimeProvider.System.GetUtcNow(), default);
        }

        // Prometheus' own histogram ends at two minutes.
        Assert.Equal(120, answer.Number);
    }

    /// <summary>Prometheus' own requests have the label code; what has no such label is what a service that calls it status looks like.</summary>
    [SkippableFact]
    public async Task Preset_of_errors_is_a_share_where_the_label_is_there_and_no_data_where_it_is_not()
    {
        Skip.If(_url is null, "prometheus is not installed");
        using var source = new PrometheusMetricSource(new() { Url = _url! }, TimeProvider.System);
        var preset = Api.MetricPresets.BuiltIn[Api.MetricPresets.HttpErrorRate]
            .Replace("http_requests_total{service=\"$(service)\"", "prometheus_http_requests_total{handler=\"/metrics\"", StringComparison.Ordinal)
            .Replace("$(window)", "1m", StringComparison.Ordinal);

        var answer = new MetricAnswer(AnswerKind.NoData);
        for (var i = 0; i < 200 && answer.Number is null; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            answer = await AskAsync(preset);
        }

        Assert.Equal(0, answer.Number);
        Assert.Equal(1, (await AskAsync(preset.Replace("5..", "2..", StringComparison.Ordinal))).Number);
        Assert.Equal(new MetricAnswer(AnswerKind.NoData, Message: "the query answered nothing"), await AskAsync(preset.Replace("code", "status", StringComparison.Ordinal)));

        Task<MetricAnswer> AskAsync(string query) => source.QueryAsync("rag", query, TimeProvider.System.GetUtcNow(), default);
    }

    [SkippableFact]
    public async Task QueryAsync_wrong_prefix_is_invalid()
    {
        Skip.If(_url is null, "prometheus is not installed");
        using var source = new PrometheusMetricSource(new() { Url = new(_url!, "/wrong") }, TimeProvider.System);

        Assert.Equal(new MetricAnswer(AnswerKind.Invalid, Message: "HTTP 404"), await source.QueryAsync("rag", "1", TimeProvider.System.GetUtcNow(), default));
    }
}
