using System.Diagnostics;

namespace RagOperator.TestBed.Bed;

/// <summary>One part of the bed: a process with a log, that can be stopped, paused and started again.</summary>
internal sealed class Daemon(string name, string file, params string[] args)
{
    private readonly Lock _lock = new();
    private Process? _process;
    private volatile bool _mayEnd;

    public string Name => name;

    public static string LogOf(string name) => $"{BedPaths.Root}/{name}.log";

    /// <summary>The process, or null while it is not running.</summary>
    public int? Pid
    {
        get
        {
            lock (_lock)
                return _process is { HasExited: false } process ? process.Id : null;
        }
    }

    public Daemon Start()
    {
        lock (_lock)
        {
            if (_process is { HasExited: false })
                return this;
            // Through sh, so that the log is a file that the process writes to itself: no pipe to be drained, complete when it is killed.
            var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = BedPaths.Root };
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add("log=$1; shift; exec \"$@\" >>\"$log\" 2>&1");
            start.ArgumentList.Add("sh");
            start.ArgumentList.Add(LogOf(name));
            start.ArgumentList.Add(file);
            foreach (var arg in args)
                start.ArgumentList.Add(arg);
            _mayEnd = false;
            var process = _process = Process.Start(start)!;
            process.StandardInput.Close();
            // A part that died unnoticed makes tests fail far from the cause.
            process.Exited += (_, _) => TellEnd(process);
            process.EnableRaisingEvents = true;
            return this;
        }
    }

    public async Task StopAsync()
    {
        Process? process;
        lock (_lock)
            process = _process;
        if (process is null or { HasExited: true })
            return;
        _mayEnd = true;
        Signals.Send(process.Id, Signals.Terminate);
        Signals.Send(process.Id, Signals.Continue); // a paused one would never see it
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Signals.Send(process.Id, Signals.Kill);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Sends <paramref name="signal"/>; false when it is not running.</summary>
    public bool Signal(int signal)
    {
        if (Pid is not { } pid)
            return false;
        _mayEnd |= signal is Signals.Kill or Signals.Terminate;
        Signals.Send(pid, signal);
        return true;
    }

    private void TellEnd(Process process)
    {
        if (_mayEnd)
            return;
        // Of a Go program's end the first words count; after them come the stacks of all it did.
        var words = File.Exists(LogOf(name)) ? File.ReadLines(LogOf(name)).Where(static l => l.StartsWith("fatal error", StringComparison.Ordinal) || l.StartsWith("panic:", StringComparison.Ordinal) || l.StartsWith('F')).TakeLast(3) : [];
        Console.Error.WriteLine($"bed: {name} has ended by itself with {process.ExitCode}: {string.Join(" / ", words)}");
    }
}
