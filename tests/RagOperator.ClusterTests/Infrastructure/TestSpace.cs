using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;

namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>What one test has for itself on the shared cluster: a namespace, a hostname at the gateway, and an operator process that watches nothing else.</summary>
public sealed class TestSpace : IAsyncDisposable
{
    /// <summary>How long pods may take where nothing is wrong, on two busy cores.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(250);
    private static readonly Lazy<Task> s_definition = new(InstallDefinitionAsync);
    private static int s_ports = 18000;
    private BedPart? _prometheus;

    private TestSpace(string name, ClusterBed bed, ApiAccess api, OperatorProcess operatorProcess, int port) =>
        (Namespace, Bed, Api, Operator, Port) = (name, bed, api, operatorProcess, port);

    public string Namespace { get; }

    /// <summary>What requests name to get to this namespace's service.</summary>
    public string Host => $"{Namespace}.example.com";

    public ClusterBed Bed { get; }

    /// <summary>The test's own Prometheus.</summary>
    /// <exception cref="InvalidOperationException">It has none: <see cref="CreateWithPrometheusAsync"/>.</exception>
    public BedPart Prometheus => _prometheus ?? throw new InvalidOperationException("all tests share a Prometheus; this one has asked for none of its own");

    public ApiAccess Api { get; }

    public OperatorProcess Operator { get; }

    /// <summary>Where this operator serves probes and metrics.</summary>
    public int Port { get; }

    /// <summary>A namespace and an operator for it. Without a cluster that runs pods the test is skipped.</summary>
    /// <param name="name">The namespace: a word for the test.</param>
    /// <param name="arguments">More of the operator's configuration.</param>
    public static Task<TestSpace> CreateAsync(string name, params string[] arguments)
    {
        Skip.IfNot(ClusterBed.HasPods, "needs a cluster with real pods: tests/run.sh cluster");
        return StartAsync(name, arguments);
    }

    /// <summary>As <see cref="CreateAsync"/>, for tests whose pods need not run: any bed will do.</summary>
    /// <param name="name">The namespace: a word for the test.</param>
    /// <param name="arguments">More of the operator's configuration.</param>
    public static Task<TestSpace> CreateWithoutPodsAsync(string name, params string[] arguments)
    {
        Skip.IfNot(ClusterBed.IsInside, "needs a cluster: tests/run.sh cluster");
        return StartAsync(name, arguments);
    }

    /// <summary>As <see cref="CreateWithoutPodsAsync"/>, for tests that bring operators of their own: this one does not run.</summary>
    /// <param name="name">The namespace: a word for the test.</param>
    public static Task<TestSpace> CreateWithoutOperatorAsync(string name)
    {
        Skip.IfNot(ClusterBed.IsInside, "needs a cluster: tests/run.sh cluster");
        return PrepareAsync(name, []);
    }

    /// <summary>As <see cref="CreateAsync"/>, with a Prometheus of the test's own, that it may stop, pause and start.</summary>
    /// <param name="name">The namespace: a word for the test.</param>
    public static async Task<TestSpace> CreateWithPrometheusAsync(string name)
    {
        Skip.IfNot(ClusterBed.HasPods, "needs a cluster with real pods: tests/run.sh cluster");
        using var bed = ClusterBed.FromEnvironment();
        var (part, url) = await bed.OwnPrometheusAsync(name);
        var space = await PrepareAsync(name, [], url);
        space._prometheus = part;
        space.Operator.Start();
        return space;
    }

    private static async Task<TestSpace> StartAsync(string name, string[] arguments)
    {
        var space = await PrepareAsync(name, arguments);
        space.Operator.Start();
        return space;
    }

    private static async Task<TestSpace> PrepareAsync(string name, string[] arguments, Uri? prometheus = null)
    {
        var bed = ClusterBed.FromEnvironment();
        await s_definition.Value;
        await bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        var port = Interlocked.Increment(ref s_ports);
        var logs = Directory.CreateDirectory(Path.Combine(ClusterBed.Repository, "artifacts/cluster-tests")).FullName;
        var log = Path.Combine(logs, $"{name}.log");
        File.Delete(log);
        var operatorProcess = OperatorProcess.Prepare(log,
        [
            "--kubeconfig", bed.KubeConfig, "--namespace", name, "--http.address", "127.0.0.1", "--http.port", $"{port}",
            "--metricSources.default.url", (prometheus ?? bed.PrometheusUrl).ToString().TrimEnd('/'), .. arguments,
        ]);
        return new TestSpace(name, bed, new ApiAccess(bed.KubeConfig), operatorProcess, port);
    }

    /// <summary>The sample service in this namespace, as it is first installed.</summary>
    public RagService Service() => new() { Namespace = Namespace, Host = Host };

    public Task ApplyAsync(RagService service) => Bed.ApplyAsync(service.ToYaml());

    /// <summary>Applies a service and waits until it is installed and the gateway answers for it.</summary>
    public async Task<RagDeploymentStatus> InstallAsync(RagService service)
    {
        await ApplyAsync(service);
        var status = await UntilAsync(s => s.Phase == "Healthy", Patience, "installed", service.Name);
        await UntilAsync(async () => (await AskAsync()).Status == 200, TimeSpan.FromSeconds(20), "the gateway answers");
        return status;
    }

    /// <summary>The revision of a component of the release that spec names.</summary>
    public static string Revision(RagDeploymentStatus status, string component = "api") => status.Components!.Single(c => c.Name == component).Revision!;

    public Task<(int Status, string Body)> AskAsync(string path = "/ask?q=chain") => Bed.AskAsync(Host, path);

    /// <summary>A steady load on this namespace's service.</summary>
    public LoadGenerator StartLoad(double rate = 50) => LoadGenerator.Start(new Uri(Bed.GatewayUrl, "/ask?q=chain"), Host, rate);

    /// <summary>What the gateway counted for the service since a mark.</summary>
    public GatewayCounts Counts(GatewayMark mark, string name = "assistant") => Bed.Gateway.Since(mark, $"{Namespace}/{name}");

    /// <summary>The Service of a component revision as the gateway names it.</summary>
    public string GatewayService(string service) => $"{Namespace}/{service}";

    public async Task<RagDeployment> GetAsync(string name = "assistant") =>
        (await Api.GetAsync($"/apis/ragoperator.dev/v1alpha1/namespaces/{Namespace}/ragdeployments/{name}"))?.Deserialize(ApiJsonContext.Default.RagDeployment)
        ?? throw new InvalidOperationException($"no RagDeployment {name}");

    public async Task<RagDeploymentStatus> StatusAsync(string name = "assistant") => (await GetAsync(name)).Status ?? new RagDeploymentStatus();

    /// <summary>Polls the status of the newest generation until something holds.</summary>
    public async Task<RagDeploymentStatus> UntilAsync(Func<RagDeploymentStatus, bool> condition, TimeSpan deadline, string what, string name = "assistant")
    {
        RagDeploymentStatus? status = null;
        await UntilAsync(async () =>
        {
            var current = await GetAsync(name);
            status = current.Status;
            return status is not null && status.ObservedGeneration == current.Metadata.Generation && condition(status);
        }, deadline, what);
        return status!;
    }

    /// <summary>Polls until something holds; fails with the state of the namespace otherwise.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition, TimeSpan deadline, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        var seen = "";
        while (true)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or JsonException or KeyNotFoundException or IOException or TaskCanceledException)
            {
                seen = e.Message;
            }

            if (TimeProvider.System.GetElapsedTime(start) > deadline)
                throw new TimeoutException($"not within {deadline.TotalSeconds:0.#} s: {what}\n{seen}\n{await DescribeAsync()}");
            await Task.Delay(s_poll, TimeProvider.System);
        }
    }

    /// <summary>Watches that something goes on holding for a while.</summary>
    public async Task StaysAsync(Func<Task<bool>> condition, TimeSpan time, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < time)
        {
            if (!await condition())
                Assert.Fail($"no longer: {what}\n{await DescribeAsync()}");
            await Task.Delay(s_poll, TimeProvider.System);
        }
    }

    /// <summary>Fails with the state of the namespace unless something holds.</summary>
    public async Task CheckAsync(bool holds, string what)
    {
        if (!holds)
            Assert.Fail($"{what}\n{await DescribeAsync()}");
    }

    public async Task<JsonElement> RouteAsync(string name = "assistant") =>
        await Api.GetAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{Namespace}/httproutes/{name}") ?? throw new InvalidOperationException($"no HTTPRoute {name}");

    /// <summary>The items of a list: <c>pods</c>, <c>services</c>, <c>configmaps</c>, <c>deployments</c>, <c>controllerrevisions</c>.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string resource, string selector = "")
    {
        var group = resource is "deployments" or "controllerrevisions" ? "/apis/apps/v1" : "/api/v1";
        var list = await Api.GetAsync($"{group}/namespaces/{Namespace}/{resource}?labelSelector={Uri.EscapeDataString(selector)}");
        return [.. list!.Value.GetProperty("items").EnumerateArray()];
    }

    /// <summary>Pods of a component that are not about to end, by uid.</summary>
    public async Task<IReadOnlyList<string>> PodsAsync(string component, string? revision = null) =>
        [.. (await ListAsync("pods", $"ragoperator.dev/component={component}{(revision is null ? "" : $",ragoperator.dev/revision={revision}")}"))
            .Where(pod => !pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _))
            .Select(pod => pod.GetProperty("metadata").GetProperty("uid").GetString()!).Order(StringComparer.Ordinal)];

    /// <summary>The flags that a component revision's file says are on, and the version of the ConfigMap that it comes from.</summary>
    public async Task<(IReadOnlyDictionary<string, bool> Flags, string Version)> FlagFileAsync(string component, string revision)
    {
        var map = await Api.GetAsync($"/api/v1/namespaces/{Namespace}/configmaps/assistant-{component}-{revision}-flags") ?? throw new InvalidOperationException($"no flags of {component} {revision}");
        var lines = map.GetProperty("data").GetProperty("flags.env").GetString()!.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('='));
        return (lines.Where(line => line[0].StartsWith("FEATURE_", StringComparison.Ordinal)).ToDictionary(line => line[0]["FEATURE_".Length..].Replace('_', '-').ToLowerInvariant(), line => line[1] == "true", StringComparer.Ordinal),
            map.GetProperty("metadata").GetProperty("resourceVersion").GetString()!);
    }

    /// <summary>What the operator told about the object, oldest first: reason and note.</summary>
    public async Task<IReadOnlyList<(string Reason, string Note)>> EventsAsync()
    {
        var list = await Api.GetAsync($"/apis/events.k8s.io/v1/namespaces/{Namespace}/events");
        return [.. list!.Value.GetProperty("items").EnumerateArray()
            .Where(e => e.GetProperty("regarding").GetProperty("kind").GetString() == "RagDeployment")
            .OrderBy(e => e.TryGetProperty("eventTime", out var time) && time.ValueKind == JsonValueKind.String ? time.GetDateTimeOffset() : e.GetProperty("metadata").GetProperty("creationTimestamp").GetDateTimeOffset())
            .Select(e => (e.GetProperty("reason").GetString()!, e.TryGetProperty("note", out var note) ? note.GetString()! : ""))];
    }

    /// <summary>The writes that the API server accepted in this namespace.</summary>
    public IReadOnlyList<AcceptedWrite> Writes() => AuditLog.Of(Bed.AuditLog, Namespace);

    /// <summary>Asks the operator for something, as a person does: <c>retry/current</c>.</summary>
    public async Task RequestAsync(string request, string name = "assistant") =>
        (await Bed.KubectlAsync("annotate", "--overwrite", "ragdeployment", name, "-n", Namespace, $"ragoperator.dev/request={request}")).OrThrow();

    /// <summary>The state of the namespace, for a failure's message.</summary>
    public async Task<string> DescribeAsync()
    {
        var text = new StringBuilder();
        foreach (var args in (string[][])[["get", "ragd", "-o", "yaml"], ["get", "httproutes", "-o", "yaml"], ["get", "deployments,pods,endpoints", "-o", "wide"], ["get", "events"]])
        {
            var result = await Bed.KubectlAsync([.. args, "-n", Namespace]);
            var lines = (result.Ok ? result.Out : result.Error).Split('\n').Where(line => !line.Contains("f:", StringComparison.Ordinal) && !line.Contains("last-applied", StringComparison.Ordinal)
                && !line.StartsWith("      {\"apiVersion", StringComparison.Ordinal)).ToList();
            text.Append($"--- kubectl {string.Join(' ', args)}\n").AppendJoin('\n', lines.TakeLast(300)).Append('\n');
        }

        return text.Append("--- end of the operator's log\n").AppendJoin('\n', Operator.LogLines().TakeLast(40)).Append('\n').ToString();
    }

    public async ValueTask DisposeAsync()
    {
        // Not waited for: the pods' end is nobody's business any more.
        await Bed.KubectlAsync("delete", "namespace", Namespace, "--wait=false");
        await Operator.DisposeAsync();
        if (_prometheus is { } prometheus)
            await prometheus.StopAsync();
        Api.Dispose();
        Bed.Dispose();
    }

    private static async Task InstallDefinitionAsync()
    {
        using var bed = ClusterBed.FromEnvironment();
        // An API server of 1.20 does not know CEL rules, and its kubectl refuses what it does not know.
        (await bed.KubectlAsync("apply", "--validate=false", "-f", Path.Combine(ClusterBed.Repository, "crds"))).OrThrow();
        await Definitions.EstablishedAsync(bed.KubectlAsync, "ragdeployments.ragoperator.dev");
    }
}
