using System.Globalization;
using System.Text;
using System.Text.Json;
using RagOperator.TestBed.Bed;

namespace RagOperator.TestBed;

/// <summary>The bed as tests and the demo see it that run inside one (<c>testbed run -- COMMAND</c>), made from the environment they find.</summary>
public sealed class ClusterBed : IDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);
    private static int s_prometheuses;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };

    private ClusterBed(string folder)
    {
        Folder = folder;
        Prometheus = new BedPart("prometheus");
        ApiServer = new BedPart("apiserver");
        Gateway = new GatewayView(Path.Combine(folder, "gateway"));
    }

    /// <summary>Whether this process runs inside a bed. Tests that need one are skipped by name otherwise.</summary>
    public static bool IsInside => Environment.GetEnvironmentVariable("BED_DIR") is { Length: > 0 };

    /// <summary>Whether pods really run here; false on hollow nodes and without nodes.</summary>
    public static bool HasPods => IsInside && Environment.GetEnvironmentVariable("BED_NODES") == "real";

    /// <summary>The bed's folder: kubeconfig, logs.</summary>
    public string Folder { get; }

    /// <summary>An administrator's kubeconfig.</summary>
    public string KubeConfig => BedPaths.KubeConfig;

    /// <summary>Prometheus' address, reachable from processes and from pods.</summary>
    public Uri PrometheusUrl { get; } = new(Environment.GetEnvironmentVariable("BED_PROMETHEUS_URL") ?? $"http://{BedPaths.NodeAddress}:9090");

    /// <summary>Where the gateway takes requests, for all hosts.</summary>
    public Uri GatewayUrl { get; } = new(Environment.GetEnvironmentVariable("BED_GATEWAY_URL") ?? $"http://{BedPaths.NodeAddress}:8080");

    /// <summary>Each write that the API server answered, as JSON lines (audit.k8s.io/v1), with bodies for what matters here.</summary>
    public string AuditLog => BedPaths.AuditLog;

    /// <summary>The metric source that all share.</summary>
    public BedPart Prometheus { get; }

    /// <summary>The API server, to be restarted.</summary>
    public BedPart ApiServer { get; }

    /// <summary>What went through the gateway, and what it is to do wrong.</summary>
    public GatewayView Gateway { get; }

    /// <summary>The project's folder.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The bed that this process runs in.</summary>
    /// <exception cref="InvalidOperationException">It runs in none.</exception>
    public static ClusterBed FromEnvironment() => Environment.GetEnvironmentVariable("BED_DIR") is { Length: > 0 } folder
        ? new ClusterBed(folder)
        : throw new InvalidOperationException("not inside a test bed: testbed run -- COMMAND");

    /// <summary>Runs kubectl to its end.</summary>
    public Task<CommandResult> KubectlAsync(params string[] args) => Shell.RunAsync("kubectl", args);

    /// <summary>Runs kubectl with <paramref name="input"/> on its standard input.</summary>
    public Task<CommandResult> KubectlWithInputAsync(string input, params string[] args) => Shell.RunAsync("kubectl", args, input);

    /// <summary>kubectl apply; throws with kubectl's words if it is refused.</summary>
    public async Task ApplyAsync(string yaml, params string[] more) => (await KubectlWithInputAsync(yaml, ["apply", "-f", "-", .. more])).OrThrow();

    /// <summary>An object as JSON, or null if it is not there.</summary>
    public async Task<JsonElement?> GetAsync(string resource, string name, string namespaceName = "default")
    {
        var result = await KubectlAsync("get", resource, name, "-n", namespaceName, "-o", "json", "--ignore-not-found");
        return result.OrThrow().Out.Length == 0 ? null : JsonElement.Parse(result.Out);
    }

    /// <summary>The items of a list as JSON.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string resource, string namespaceName = "default", string selector = "")
    {
        var result = await KubectlAsync("get", resource, "-n", namespaceName, "-l", selector, "-o", "json");
        return [.. JsonElement.Parse(result.OrThrow().Out).GetProperty("items").EnumerateArray()];
    }

    /// <summary>An instant query's first value; null when the answer is empty.</summary>
    public async Task<double?> QueryAsync(string query)
    {
        using var response = await _http.GetAsync(new Uri(PrometheusUrl, $"/api/v1/query?query={Uri.EscapeDataString(query)}"));
        var body = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"Prometheus: {(int)response.StatusCode} {body}");
        var data = JsonElement.Parse(body).GetProperty("data").GetProperty("result");
        return data.GetArrayLength() == 0 ? null : double.Parse(data[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
    }

    /// <summary>Starts a Prometheus that nobody else asks, to be stopped, paused and started. It scrapes the pods of one namespace each second, and the operators that the shared one does.</summary>
    /// <exception cref="InvalidOperationException">There are no more.</exception>
    public async Task<(BedPart Part, Uri Url)> OwnPrometheusAsync(string namespaceName)
    {
        var number = Interlocked.Increment(ref s_prometheuses);
        if (number > BedPaths.SparePrometheuses)
            throw new InvalidOperationException($"no more than {BedPaths.SparePrometheuses} Prometheuses for tests: BedPaths.SparePrometheuses");
        var part = new BedPart(BedPaths.SparePrometheus(number));
        var url = new Uri($"http://{BedPaths.NodeAddress}:{BedPaths.SparePrometheusPort(number)}");
        await File.WriteAllTextAsync(Path.Combine(Folder, $"{BedPaths.SparePrometheus(number)}.yaml"), BedConfigurations.Prometheus("1s", namespaceName));
        // Not only started: one of an earlier command in this bed may still run.
        await part.RestartAsync();
        await WaitUntilAsync(async () =>
        {
            using var response = await _http.GetAsync(new Uri(url, "/-/ready"));
            return response.IsSuccessStatusCode;
        }, TimeSpan.FromSeconds(60), "a Prometheus of the test's own");
        return (part, url);
    }

    /// <summary>Lets Prometheus scrape a process of this machine, as <c>honor_labels</c> does: what it says of a namespace counts.</summary>
    /// <param name="name">A name that nobody else uses.</param>
    /// <param name="port">Where it serves <c>/metrics</c>, on 127.0.0.1.</param>
    public Task ScrapeAsync(string name, int port) => File.WriteAllTextAsync(Path.Combine(BedPaths.Scraped, $"{name}.json"), $$"""[{"targets": ["127.0.0.1:{{port}}"]}]""");

    /// <summary>Requests <paramref name="path"/> of <paramref name="host"/> through the gateway.</summary>
    /// <returns>Status and body.</returns>
    public async Task<(int Status, string Body)> AskAsync(string host, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(GatewayUrl, path)) { Headers = { Host = host } };
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Polls until <paramref name="condition"/> holds.</summary>
    /// <param name="condition">Asked again and again; may fail while things change.</param>
    /// <param name="deadline">How long at most.</param>
    /// <param name="what">What is waited for: the failure's first words.</param>
    /// <param name="operatorLog">An operator's log, whose end is shown on failure.</param>
    public Task WaitUntilAsync(Func<Task<bool>> condition, TimeSpan deadline, string what, string? operatorLog = null) =>
        WaitUntilAsync(async () => (await condition(), ""), deadline, what, operatorLog);

    /// <summary>Polls until the condition holds; it says also what it saw, for the failure's message.</summary>
    /// <inheritdoc cref="WaitUntilAsync(Func{Task{bool}}, TimeSpan, string, string?)"/>
    public async Task WaitUntilAsync(Func<Task<(bool Done, string Seen)>> condition, TimeSpan deadline, string what, string? operatorLog = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        var seen = "";
        while (true)
        {
            try
            {
                (var done, seen) = await condition();
                if (done)
                    return;
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or JsonException or KeyNotFoundException or IOException or TaskCanceledException)
            {
                seen = e.Message;
            }

            if (TimeProvider.System.GetElapsedTime(start) > deadline)
                throw new TimeoutException($"not within {deadline.TotalSeconds:0.#} s: {what}\nlast seen: {seen}\n{await DescribeAsync(operatorLog)}");
            await TimeProvider.System.Delay(s_poll);
        }
    }

    /// <summary>The state of things, for a failure's message: RagDeployments, routes, pods, events, the operator's last lines.</summary>
    public async Task<string> DescribeAsync(string? operatorLog = null)
    {
        var text = new StringBuilder();
        foreach (var args in (string[][])
            [
                ["get", "ragdeployments.ragoperator.dev", "-A", "-o", "yaml"],
                ["get", "httproutes.gateway.networking.k8s.io", "-A", "-o", "yaml"],
                ["get", "deployments,pods", "-A", "-o", "wide"],
                ["get", "events", "-A", "--sort-by=.metadata.creationTimestamp"],
            ])
        {
            var result = await KubectlAsync(args);
            var lines = (result.Ok ? result.Out : result.Error).Split('\n').Where(line => !line.Contains("f:", StringComparison.Ordinal)).ToList();
            text.Append($"--- kubectl {string.Join(' ', args)}\n").AppendJoin('\n', lines.Count > 250 ? lines[^250..] : lines).Append('\n');
        }

        if (operatorLog is not null && File.Exists(operatorLog))
            text.Append("--- end of the operator's log\n").AppendJoin('\n', File.ReadLines(operatorLog).TakeLast(40)).Append('\n');
        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "RagOperator.sln")))
                return folder.FullName;
        return Directory.GetCurrentDirectory();
    }
}
