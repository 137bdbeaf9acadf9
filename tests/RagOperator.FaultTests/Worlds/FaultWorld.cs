using System.Text;
using System.Text.Json;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Running;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Worlds;

/// <summary>What one run has for itself: a namespace on the real API server, an operator process behind a fault proxy, and a scripted metric source.</summary>
public sealed class FaultWorld : IAsyncDisposable
{
    /// <summary>How long anything may take that is not faulted, with many worlds on two cores.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private const string Routes = "/apis/gateway.networking.k8s.io/v1";
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(250);
    private readonly List<string> _unexpected = [];
    private readonly string _folder;
    private volatile int _starts = 1;
    private volatile bool _killing;
    private FaultProxy? _second;
    private bool _disposing;

    private FaultWorld(FaultBed bed, string ns, string folder, FaultProxy proxy, ScriptedPrometheus prometheus, OperatorProcess operatorProcess)
    {
        (Bed, Namespace, _folder, Proxy, Prometheus, Operator) = (bed, ns, folder, proxy, prometheus, operatorProcess);
        Proxy.Kill = KillAsync;
        Proxy.Witness = deed => Witness.OfAsync(Api, deed);
    }

    public FaultBed Bed { get; }

    public string Namespace { get; }

    public ApiAccess Api => Bed.Api;

    public FaultProxy Proxy { get; }

    public ScriptedPrometheus Prometheus { get; }

    public OperatorProcess Operator { get; }

    /// <summary>The Service of the first installed api revision: stable's, until something is promoted.</summary>
    public string FirstService { get; private set; } = "";

    /// <summary>Whether the flag was ever switched on for anybody.</summary>
    public bool IsFlagOn => Deeds.Any(static d => Says(d, "FEATURE_REPLAY=true"));

    /// <summary>Whether the flag was ever switched off.</summary>
    public bool IsFlagOff => Deeds.Any(static d => Says(d, "FEATURE_REPLAY=false"));

    /// <summary>What the other operator has written so far.</summary>
    public IReadOnlyList<Deed> SecondsWrites => [.. (_second?.Trajectory.All ?? []).Where(static d => d.Call.Counts)];

    /// <summary>Of all operators, each one's in order.</summary>
    private IEnumerable<Deed> Deeds => Proxy.Trajectory.All.Concat(_second?.Trajectory.All ?? []);

    private string ObjectPath => $"/apis/ragoperator.dev/v1alpha1/namespaces/{Namespace}/ragdeployments/assistant";

    /// <summary>Makes a world; its operator runs.</summary>
    /// <param name="bed">Where.</param>
    /// <param name="name">A word for it.</param>
    /// <param name="faults">What is to go wrong once it is armed.</param>
    /// <param name="arguments">More of the operator's configuration.</param>
    public static Task<FaultWorld> CreateAsync(FaultBed bed, string name, IEnumerable<Fault> faults, params string[] arguments) => CreateAsync(bed, name, faults, arguments, withLease: false);

    /// <summary>Makes a world; its operator runs.</summary>
    /// <param name="bed">Where.</param>
    /// <param name="name">A word for it.</param>
    /// <param name="faults">What is to go wrong once it is armed.</param>
    /// <param name="arguments">More of the operator's configuration.</param>
    /// <param name="withLease">Whether its Lease is in its namespace: there will be another one.</param>
    /// <param name="source">Its metric source, which is its own from now on; null for a new one.</param>
    public static async Task<FaultWorld> CreateAsync(FaultBed bed, string name, IEnumerable<Fault> faults, string[] arguments, bool withLease, ScriptedPrometheus? source = null)
    {
        ArgumentNullException.ThrowIfNull(bed);
        var ns = bed.NextName(name);
        var folder = Directory.CreateDirectory(Path.Combine(FaultBed.Results, ns)).FullName;
        await bed.Api.CreateAsync("/api/v1/namespaces", $$"""{"metadata":{"name":"{{ns}}"} }""");
        var proxy = await FaultProxy.StartAsync(bed.Api, folder, faults);
        var prometheus = source ?? await ScriptedPrometheus.StartAsync();
        var log = Path.Combine(folder, "operator.log");
        File.Delete(log);
        var process = OperatorProcess.Start(log,
        [
            "--kubeconfig", proxy.KubeConfig, "--namespace", ns, "--http.address", "127.0.0.1", "--http.port", "0",
            "--metricSources.default.url", prometheus.Url, "--metricSources.default.timeout", "2s", .. withLease ? ["--leaderElection.namespace", ns] : (string[])[], .. arguments,
        ]);
        return new FaultWorld(bed, ns, folder, proxy, prometheus, process);
    }

    private static bool Says(Deed deed, string line) => deed is { Accepted: true, Call: { Resource: "configmaps", Verb: "create" or "patch" } }
        && deed.Answer.TryGetProperty("data", out var data) && data.TryGetProperty("flags.env", out var env) && env.GetString()!.Contains(line, StringComparison.Ordinal);

    public async Task ApplyAsync(ServiceSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        await Api.ApplyAsync(ObjectPath, spec.ToJson());
    }

    /// <summary>Installs the first release and waits until nothing moves any more.</summary>
    public async Task InstallAsync(ServiceSpec spec)
    {
        var start = TimeProvider.System.GetTimestamp();
        await ApplyAsync(spec);
        try
        {
            await UntilAsync(static s => s.Phase == "Healthy", "installed");
        }
        finally
        {
            Lab.Installed(TimeProvider.System.GetElapsedTime(start));
        }

        FirstService = await StableServiceAsync();
        await QuietAsync(TimeSpan.FromSeconds(1));
    }

    /// <summary>The Service that the route names first: stable's.</summary>
    public async Task<string> StableServiceAsync() =>
        (await RouteAsync())!.Value.GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs")[0].GetProperty("name").GetString()!;

    public Task<JsonElement?> RouteAsync() => Api.GetAsync($"{Routes}/namespaces/{Namespace}/httproutes/assistant");

    /// <summary>The weight of everything but a Service in the route.</summary>
    public async Task<int> WeightBesideAsync(string service) => await RouteAsync() is { } route
        ? route.GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs").EnumerateArray().Where(b => b.GetProperty("name").GetString() != service).Sum(b => b.TryGetProperty("weight", out var w) ? w.GetInt32() : 1)
        : 0;

    /// <summary>The object, or null if it is gone.</summary>
    public Task<JsonElement?> ObjectAsync() => Api.GetAsync(ObjectPath);

    public async Task<StatusView> StatusAsync() => new(await ObjectAsync());

    /// <summary>Asks for something as a person does: <c>approve/current/half</c>.</summary>
    public Task RequestAsync(string request) =>
        Api.PatchAsync(ObjectPath, $$"""{"metadata":{"annotations":{"ragoperator.dev/request":"{{request}}"} } }""");

    public Task DeleteAsync(string policy = "Background") => Api.DeleteAsync($"{ObjectPath}?propagationPolicy={policy}");

    /// <summary>Polls the status of the newest generation until something holds.</summary>
    public async Task<StatusView> UntilAsync(Func<StatusView, bool> condition, string what, TimeSpan? patience = null)
    {
        var status = new StatusView(null);
        await UntilAsync(async () =>
        {
            status = await StatusAsync();
            return status.IsCurrent && condition(status);
        }, what, patience);
        return status;
    }

    /// <summary>Polls until something holds.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var start = TimeProvider.System.GetTimestamp();
        while (!await HoldsAsync(condition))
        {
            NoteUnexpectedEnd();
            if (TimeProvider.System.GetElapsedTime(start) > (patience ?? Patience))
                throw new NotReachedException($"not within {(patience ?? Patience).TotalSeconds:0} s: {what}; {await StatusAsync()}");
            await Task.Delay(s_poll, TimeProvider.System);
        }
    }

    /// <summary>A server that is too busy to answer one look is asked again.</summary>
    private static async Task<bool> HoldsAsync(Func<Task<bool>> condition)
    {
        try
        {
            return await condition();
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Waits until no write has come for a while, from an operator that is at work.</summary>
    public async Task QuietAsync(TimeSpan time)
    {
        // One that has just been started again has not yet had a chance to write.
        int starts;
        do
        {
            starts = _starts;
            await UntilAsync(() => Task.FromResult(Operator.LogLines("\"LogStarted\"").Count >= _starts), "the operator at work");
            var from = TimeProvider.System.GetTimestamp();
            // A new life lists, reads live, and only then writes.
            await UntilAsync(() => Task.FromResult(TimeProvider.System.GetElapsedTime(from) >= (starts > 1 ? time * 2 : time)), "time to write");
            await UntilQuietAsync(time);
        }
        while (starts != _starts);
    }

    private Task UntilQuietAsync(TimeSpan time) => UntilAsync(() => Task.FromResult(Proxy.Trajectory.QuietFor >= time), $"no write for {time.TotalSeconds:0} s");

    /// <summary>What went wrong with the process itself, so far.</summary>
    public IReadOnlyList<string> ProcessTroubles()
    {
        NoteUnexpectedEnd();
        return [.. _unexpected, .. Operator.UnforeseenExceptions().Take(3)];
    }

    /// <summary>Ends the operator as a cluster does.</summary>
    /// <returns>What is wrong with how it ended, or null.</returns>
    public async Task<string?> StopOperatorAsync()
    {
        NoteUnexpectedEnd();
        _disposing = true;
        var code = await Operator.TerminateAsync(TimeSpan.FromSeconds(30));
        return code == 0 ? null : $"asked to stop, the operator ended with {code}";
    }

    /// <summary>All that matters for whoever looks for the cause.</summary>
    public async Task<string> DescribeAsync()
    {
        var text = new StringBuilder();
        text.Append("--- faults that happened: ").AppendJoin(", ", Proxy.Struck).AppendLine();
        text.AppendLine("--- writes").AppendJoin('\n', Proxy.Trajectory.All.Where(d => d.Call.Counts).Select(d => d.ToString())).AppendLine();
        text.AppendLine("--- status").AppendLine((await ObjectAsync())?.ToString() ?? "(gone)");
        text.AppendLine("--- end of the operator's log").AppendJoin('\n', Operator.LogLines().TakeLast(60)).AppendLine();
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        _disposing = true;
        await Operator.DisposeAsync();
        await Proxy.DisposeAsync();
        if (_second is not null)
            await _second.DisposeAsync();
        await Prometheus.DisposeAsync();
        // Only what makes pods; the rest of the namespace is nobody's business.
        await DeleteAsync();
    }

    /// <summary>SIGKILL, and another one in its place.</summary>
    public Task RestartOperatorAsync() => KillAsync();

    /// <summary>Another operator beside it, behind a proxy of its own without faults, which has its Lease in the same place.</summary>
    public async Task<OperatorProcess> StartAnotherAsync(string[] arguments)
    {
        _second = await FaultProxy.StartAsync(Api, Directory.CreateDirectory(Path.Combine(_folder, "second")).FullName, [], Proxy.Trajectory);
        _second.Witness = deed => Witness.OfAsync(Api, deed);
        return OperatorProcess.Start(Path.Combine(_folder, "second.log"),
        [
            "--kubeconfig", _second.KubeConfig, "--namespace", Namespace, "--http.address", "127.0.0.1", "--http.port", "0",
            "--metricSources.default.url", Prometheus.Url, "--metricSources.default.timeout", "2s", "--leaderElection.namespace", Namespace, .. arguments,
        ]);
    }

    /// <summary>From now on the operator may end, and is not started again.</summary>
    public void LetEnd() => _killing = true;

    /// <summary>Removes what the run left on disk: it passed.</summary>
    public void Forget() => Directory.Delete(_folder, recursive: true);

    private async Task KillAsync()
    {
        NoteUnexpectedEnd();
        _killing = true;
        await Operator.KillAsync();
        if (!_disposing)
            Start();
    }

    private void Start()
    {
        // What the one before did not get to say counts as said: it is dead.
        _starts = Operator.LogLines("\"LogStarted\"").Count + 1;
        Operator.Start();
        _killing = false;
    }

    private void NoteUnexpectedEnd()
    {
        // While the plan kills it, its end is wanted.
        if (_disposing || _killing || Operator.ExitCode is not { } code || _killing)
            return;
        _unexpected.Add($"the operator ended by itself with {code}");
        Start();
    }
}

/// <summary>Something did not come in time.</summary>
public sealed class NotReachedException(string message) : Exception(message);
