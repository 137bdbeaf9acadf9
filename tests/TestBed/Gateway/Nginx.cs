using System.Globalization;
using RagOperator.TestBed.Bed;

namespace RagOperator.TestBed.Gateway;

/// <summary>nginx with a configuration that changes: reloads it without losing a request, and knows when the new one is the only one.</summary>
internal sealed class Nginx(string folder, Daemon daemon)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private string? _last;

    public static string[] Arguments(string folder) => ["-p", folder, "-c", Path.Combine(folder, "nginx.conf"), "-e", Path.Combine(folder, "error.log")];

    /// <summary>Serves <paramref name="configuration"/>; returns when no worker with an older one takes requests any more.</summary>
    public async Task ApplyAsync(string configuration, CancellationToken cancellationToken)
    {
        if (configuration == _last)
            return;
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), configuration, cancellationToken);
        var test = await Shell.RunAsync("nginx", ["-t", "-q", .. Arguments(folder)], cancellationToken: cancellationToken);
        if (!test.Ok)
            throw new InvalidOperationException($"nginx refuses the configuration: {test.Error}");
        if (_last is null)
        {
            daemon.Start();
            await UntilAsync(() => Workers().Count > 0, "nginx does not start", cancellationToken);
        }
        else
        {
            var old = Workers();
            daemon.Signal(Signals.Hangup);
            // A worker that shuts down has closed its listening sockets and its idle connections: from then on it only finishes what it has.
            await UntilAsync(() => Workers() is { Count: > 0 } now && !now.Overlaps(old), "nginx does not take the new configuration", cancellationToken);
            // What the old worker still has in hand was routed by the old weights. Most answers take no longer than this; one that does is
            // no reason to keep the route's status waiting.
            var start = TimeProvider.System.GetTimestamp();
            while (old.Any(pid => Title(pid).Length > 0) && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMilliseconds(250))
                await TimeProvider.System.Delay(TimeSpan.FromMilliseconds(10), cancellationToken);
        }

        _last = configuration;
    }

    /// <summary>Workers that take requests: a child of the master whose title does not say that it shuts down.</summary>
    private HashSet<int> Workers() =>
        daemon.Pid is not { } master ? [] : [.. Signals.ChildrenOf(master).Where(pid => Title(pid).StartsWith("nginx: worker process", StringComparison.Ordinal) && !Title(pid).Contains("shutting down", StringComparison.Ordinal))];

    private static string Title(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task UntilAsync(Func<bool> condition, string complaint, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > s_patience)
                throw new TimeoutException(complaint);
            await TimeProvider.System.Delay(TimeSpan.FromMilliseconds(10), cancellationToken);
        }
    }
}
