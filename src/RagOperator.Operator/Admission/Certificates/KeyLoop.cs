using System.Threading.Channels;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>Looks after the keys whenever the Secret or a configuration changes, and when something is due.</summary>
/// <param name="keeper">Looks; what goes wrong in it is its own matter.</param>
/// <param name="changes">Each subscribes to one thing whose change calls for a look.</param>
/// <param name="time">The time.</param>
internal sealed class KeyLoop(KeyKeeper keeper, IReadOnlyList<Func<Action, IDisposable>> changes, TimeProvider time) : BackgroundService
{
    // One is enough: a look sees all that came before it.
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var subscriptions = changes.Select(c => c(() => _changes.Writer.TryWrite(true))).ToList();
        try
        {
            while (true)
            {
                var pause = await keeper.PassAsync(stoppingToken);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                var changed = _changes.Reader.WaitToReadAsync(limit.Token).AsTask();
                await Task.WhenAny(changed, Task.Delay(pause, time, limit.Token));
                await limit.CancelAsync();
                stoppingToken.ThrowIfCancellationRequested();
                _changes.Reader.TryRead(out _);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            foreach (var subscription in subscriptions) subscription.Dispose();
        }
    }
}
