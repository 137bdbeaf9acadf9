using System.Diagnostics;
using RagOperator.TestBed.Bed;

namespace RagOperator.TestBed;

/// <summary>The operator's own binary as a process, with its log in a file, to be killed and started again.</summary>
public sealed class OperatorProcess : IAsyncDisposable
{
    private readonly IReadOnlyList<string> _args;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string _file;
    private readonly Lock _lock = new();
    private Process? _process;

    private OperatorProcess(string file, string log, IReadOnlyList<string> args, IReadOnlyDictionary<string, string> environment) =>
        (_file, Log, _args, _environment) = (file, log, args, environment);

    /// <summary>Standard output and error of every start, appended.</summary>
    public string Log { get; }

    /// <summary>Its process id while it runs.</summary>
    public int? Pid
    {
        get
        {
            lock (_lock)
                return _process is { HasExited: false } process ? process.Id : null;
        }
    }

    /// <summary>How the last one ended, once it has.</summary>
    public int? ExitCode
    {
        get
        {
            lock (_lock)
                return _process is { HasExited: true } process ? process.ExitCode : null;
        }
    }

    /// <summary>Starts the operator: the binary that <c>OPERATOR_FILE</c> names, or what the solution's build left in artifacts/.</summary>
    /// <param name="log">Where its output goes.</param>
    /// <param name="args">Its arguments (configuration: <c>--Section:Key=value</c>).</param>
    /// <param name="environment">Added to this process' environment (configuration: <c>Section__Key</c>).</param>
    public static OperatorProcess Start(string log, IEnumerable<string>? args = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var operatorProcess = Prepare(log, args, environment);
        operatorProcess.Start();
        return operatorProcess;
    }

    /// <summary>As the other, but it does not run until <see cref="Start()"/>.</summary>
    /// <inheritdoc cref="Start(string, IEnumerable{string}?, IReadOnlyDictionary{string, string}?)"/>
    public static OperatorProcess Prepare(string log, IEnumerable<string>? args = null, IReadOnlyDictionary<string, string>? environment = null) => new(
        Environment.GetEnvironmentVariable("OPERATOR_FILE") is { Length: > 0 } file ? file : Path.Combine(ClusterBed.Repository, "artifacts/bin/RagOperator.Operator/debug/RagOperator.Operator"),
        log, [.. args ?? []], environment ?? new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>Starts it (again), as before.</summary>
    public void Start()
    {
        if (Pid is not null)
            return;
        if (!File.Exists(_file))
            throw new InvalidOperationException($"no operator at {_file}: build the solution first");
        // The log is the process' own file: complete also after SIGKILL.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true };
        foreach (var word in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", Log, _file, .. _args])
            start.ArgumentList.Add(word);
        foreach (var (key, value) in _environment)
            start.Environment[key] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        lock (_lock)
        {
            _process?.Dispose();
            _process = process;
        }
    }

    /// <summary>SIGKILL: what a crash is.</summary>
    public Task KillAsync() => EndAsync(Signals.Kill, TimeSpan.FromSeconds(5));

    /// <summary>SIGTERM, and SIGKILL after <paramref name="patience"/>.</summary>
    /// <returns>Its exit code, 137 where it had to be killed.</returns>
    public async Task<int> TerminateAsync(TimeSpan patience)
    {
        await EndAsync(Signals.Terminate, patience);
        return ExitCode ?? -1;
    }

    /// <summary>SIGSTOP.</summary>
    public void Pause() => Signal(Signals.Stop);

    /// <summary>SIGCONT.</summary>
    public void Resume() => Signal(Signals.Continue);

    /// <summary>Ends it now and starts it again.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        Start();
    }

    /// <summary>The log's lines that contain <paramref name="text"/>.</summary>
    public IReadOnlyList<string> LogLines(string text = "") =>
        File.Exists(Log) ? [.. File.ReadLines(Log).Where(line => line.Contains(text, StringComparison.Ordinal))] : [];

    /// <summary>Lines that tell of an exception which nobody foresaw: all but refusals and broken connections, which are told as they came.</summary>
    public IReadOnlyList<string> UnforeseenExceptions() =>
    [
        .. LogLines().Where(static line => line.Contains("nhandled exception", StringComparison.Ordinal)
            || (line.Contains("\"error\":\"", StringComparison.Ordinal)
                && !line.Contains("\"error\":\"RagOperator.Kubernetes.KubernetesException", StringComparison.Ordinal)
                // What a broken watch or a foreign writer left is data, however it is told.
                && !line.Contains("\"event\":\"LogGarbage\"", StringComparison.Ordinal) && !line.Contains("\"event\":\"LogUndecodable\"", StringComparison.Ordinal))),
    ];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process?.Dispose();
    }

    private void Signal(int signal)
    {
        if (Pid is { } pid)
            Signals.Send(pid, signal);
    }

    private async Task EndAsync(int signal, TimeSpan patience)
    {
        if (_process is not { HasExited: false } process)
            return;
        Signals.Send(process.Id, signal);
        Signals.Send(process.Id, Signals.Continue); // a paused one would not see a SIGTERM
        using var timeout = new CancellationTokenSource(patience, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            Signals.Send(process.Id, Signals.Kill);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }
}
