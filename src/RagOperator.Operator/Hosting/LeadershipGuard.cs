using RagOperator.Kubernetes;

namespace RagOperator.Operator.Hosting;

/// <summary>Ends the process when it loses its term: whoever leads next must not find us still at work.</summary>
internal sealed class LeadershipGuard(ILeadership leadership, FatalError fatal) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await leadership.WaitForLeadershipAsync(stoppingToken);
            await using (leadership.TermToken.UnsafeRegister(static s => ((TaskCompletionSource)s!).TrySetResult(), ended))
                await ended.Task.WaitAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }

        fatal.Report("The term of leadership", new InvalidOperationException("Leadership was lost."));
    }
}
