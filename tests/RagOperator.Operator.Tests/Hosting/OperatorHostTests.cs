using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using RagOperator.Abstractions;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Hosting;
using RagOperator.Operator.Hosting.Metrics;
using RagOperator.Operator.Hosting.Options;
using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Tests.Hosting;

/// <summary>The whole process, with an API server that refuses every connection and a metric source likewise.</summary>
public sealed partial class OperatorHostTests : IAsyncLifetime, IDisposable
{
    private readonly MemoryStream _log = new();
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    public OperatorHostTests()
    {
        var settings = new HostSettings
        {
            HttpAddress = "127.0.0.1",
            HttpPort = 0,
            MetricSources = new Dictionary<string, MetricSourceOptions> { ["default"] = new() { Url = new("http://127.0.0.1:1") } },
        };
        _app = OperatorHost.Build(settings, new KubernetesClientConfiguration { Host = new("http://127.0.0.1:1") }, _log);
    }

    public async Task InitializeAsync()
    {
        await _app.StartAsync();
        _http.BaseAddress = new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Probes_alive_but_not_ready_without_an_api_server()
    {
        Assert.Equal("ok\n", await _http.GetStringAsync(new Uri("/healthz", UriKind.Relative)));

        var ready = await _http.GetAsync(new Uri("/readyz", UriKind.Relative));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.StartsWith("not ok: cache-ragdeployments", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Details_name_each_part_and_the_last_answer_of_each_source()
    {
        await _app.Services.GetRequiredService<IReadOnlyDictionary<string, SourceGate>>()["default"].AskAsync("rag", "up", DateTimeOffset.UnixEpoch, default);

        var json = JsonDocument.Parse(await _http.GetStringAsync(new Uri("/health/detailed", UriKind.Relative))).RootElement;

        Assert.Equal("Degraded", json.GetProperty("status").GetString());
        Assert.False(json.GetProperty("ready").GetBoolean());
        Assert.True(json.GetProperty("leader").GetBoolean());
        var parts = json.GetProperty("parts").EnumerateArray().Select(p => p.GetProperty("name").GetString()!).ToList();
        Assert.Superset(new HashSet<string> { "api-server", "cache-ragdeployments", "cache-httproutes", "cache-pods", "queue-ragdeployments" }, parts.ToHashSet());
        var source = Assert.Single(json.GetProperty("metricSources").EnumerateArray());
        Assert.Equal(("default", "Error", "connection refused"), (Value(source, "name"), Value(source, "lastResult"), Value(source, "lastMessage")));
        Assert.True(source.GetProperty("lastLatencySeconds").GetDouble() >= 0);
    }

    [Fact]
    public async Task Metrics_are_those_of_the_documentation_and_no_others()
    {
        await UseEverythingAsync();
        var documented = Documented();

        var served = _app.Services.GetRequiredService<MetricsExporter>().Families.ToDictionary(f => f.Name, f => f.Type.ToString().ToLowerInvariant());
        Assert.Equal(documented.Select(d => $"{d.Key} {d.Value.Type}").Order(), served.Select(s => $"{s.Key} {s.Value}").Order());

        var text = await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        foreach (var line in text.Split('\n').Where(l => l.Length > 0 && l[0] != '#'))
        {
            var name = Suffix().Replace(line.Split('{', ' ')[0], "");
            var labels = LabelNames().Matches(line).Select(m => m.Groups[1].Value).Where(l => l != "le").Order();
            Assert.True(labels.SequenceEqual(documented[documented.ContainsKey(line.Split('{', ' ')[0]) ? line.Split('{', ' ')[0] : name].Labels.Order()), line);
        }
    }

    [SkippableFact]
    public async Task Metrics_pass_promtool()
    {
        var tool = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "promtool")).FirstOrDefault(File.Exists);
        Skip.If(tool is null, "promtool is not installed");
        await UseEverythingAsync();
        using var process = Process.Start(new ProcessStartInfo(tool!, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;

        var said = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.StandardInput.WriteAsync(await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
        process.StandardInput.Close();

        Assert.Equal("", string.Concat(await said));
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Stop_is_quick_and_clean()
    {
        var start = TimeProvider.System.GetTimestamp();
        await _app.StopAsync();

        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
        Assert.Null(_app.Services.GetRequiredService<FatalError>().Cause);
    }

    /// <summary>Gives as many families as possible a series.</summary>
    private async Task UseEverythingAsync()
    {
        var at = DateTimeOffset.UnixEpoch;
        await _app.Services.GetRequiredService<IReadOnlyDictionary<string, SourceGate>>()["default"].AskAsync("rag", "up", at, default);
        var metrics = _app.Services.GetRequiredService<IRolloutMetrics>();
        var key = new NamespacedName("rag", "assistant");
        var sla = new MetricStatus { Name = "m", Verdict = "Pass", Value = "1", StableValue = "2", Baseline = "2", Limit = "max 5" };
        metrics.Published(key, new() { Phase = "Healthy", Weight = 5, Step = new(), Sla = [sla] }, Array.Empty<EngineEvent>(), at);
        metrics.Published(key, new() { Phase = "Healthy", Weight = 5, Step = new(), Sla = [sla], Flags = [new() { Name = "f", Canary = true }], History = [new() { Outcome = "Promoted", StartedAt = at, FinishedAt = at }] }, [], at);
        metrics.RolledBack(key, TimeSpan.FromSeconds(1));
    }

    private static Dictionary<string, (string Type, string[] Labels)> Documented()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "RagOperator.sln"))) folder = folder.Parent!;
        return File.ReadLines(Path.Combine(folder.FullName, "docs", "metrics.md"))
            .Select(l => Row().Match(l))
            .Where(m => m.Success)
            .ToDictionary(m => m.Groups[1].Value, m => (m.Groups[2].Value, m.Groups[3].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries)));
    }

    private static string? Value(JsonElement element, string name) => element.GetProperty(name).GetString();

    [GeneratedRegex(@"^\| `([a-z_0-9]+)` \| (counter|gauge|histogram) \| ([a-z, ]*?) ?\|")]
    private static partial Regex Row();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex("([a-z_]+)=\"")]
    private static partial Regex LabelNames();
}
