using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RagOperator.Kubernetes;

/// <summary>
/// Ends the process when one of its loops has died: a process that looks alive and does nothing is worse than a restart.
/// </summary>
public sealed partial class FatalError(IHostApplicationLifetime lifetime, ILogger<FatalError> logger)
{
    /// <summary>The exit code of such an end: EX_SOFTWARE of sysexits.h.</summary>
    public const int ExitCode = 70;

    /// <summary>What ended the process; null as long as nothing did.</summary>
    public Exception? Cause { get; private set; }

    /// <summary>Logs, sets the exit code and stops the host.</summary>
    /// <param name="loop">Which loop.</param>
    /// <param name="cause">Why.</param>
    public void Report(string loop, Exception cause)
    {
        Cause ??= cause;
        LogFatal(logger, cause, loop);
        Environment.ExitCode = ExitCode;
        lifetime.StopApplication();
    }

    [LoggerMessage(40, LogLevel.Critical, "{Loop} has died; the process ends")]
    private static partial void LogFatal(ILogger logger, Exception cause, string loop);
}

/// <summary>A loop of the process. When it ends without being asked to, the process does.</summary>
/// <param name="fatal">Ends the process.</param>
internal abstract class OperatorLoop(FatalError fatal) : BackgroundService
{
    /// <summary>The loop's name, for the log.</summary>
    protected abstract string Name { get; }

    /// <summary>Runs until cancelled.</summary>
    protected abstract Task RunAsync(CancellationToken stopping);

    /// <inheritdoc/>
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Start-up code of one loop must not hold up the others.
        await Task.Yield();
        try
        {
            await RunAsync(stoppingToken);
            if (!stoppingToken.IsCancellationRequested) fatal.Report(Name, new InvalidOperationException($"{Name} ended without being asked to."));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
#pragma warning disable CA1031 // whatever it is, it ends the process
        catch (Exception e)
#pragma warning restore CA1031
        {
            fatal.Report(Name, e);
        }
    }
}
