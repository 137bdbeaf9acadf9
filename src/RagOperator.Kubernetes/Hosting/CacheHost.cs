namespace RagOperator.Kubernetes;

/// <summary>Runs all caches, from before the first controller until after the last. Standbys run them too, so that a new leader is warm.</summary>
internal sealed class CacheHost(IEnumerable<IHostedCache> caches, FatalError fatal) : OperatorLoop(fatal)
{
    /// <inheritdoc/>
    protected override string Name => "The host of the caches";

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken stopping)
    {
        var running = caches.Select(cache => cache.RunAsync(stopping)).ToList();
        if (running.Count == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
            return;
        }

        // The first to end takes the process with it, unless that is what was asked for.
        await await Task.WhenAny(running);
        if (stopping.IsCancellationRequested) await Task.WhenAll(running);
    }
}
