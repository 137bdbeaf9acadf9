using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>The queue of one controller, which others may put keys into.</summary>
internal sealed class ControllerQueue<TEntity> : IReconcileTrigger<TEntity>, IHealthSource, IDisposable
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    // Beyond this something is stuck: a reconcile that does not return, or far too many objects.
    private static readonly TimeSpan AgeLimit = TimeSpan.FromMinutes(5);

    public ControllerQueue(TimeProvider time, KubernetesMetrics metrics)
    {
        Keys = new WorkQueue<NamespacedName>(time);
        metrics.ObserveQueue(T, () => Keys.Count, () => Keys.OldestAge);
    }

    public WorkQueue<NamespacedName> Keys { get; }

    string IHealthSource.Name => $"queue-{TEntity.EntityMetadata.PluralName}";

    private static string T => TEntity.EntityMetadata.PluralName;

    public void Enqueue(NamespacedName key) => Keys.Add(key);

    public void EnqueueAfter(NamespacedName key, TimeSpan delay) => Keys.AddAfter(key, delay);

    HealthReport IHealthSource.Check()
    {
        var (count, age) = (Keys.Count, Keys.OldestAge);
        var detail = count == 0 ? "empty" : $"{count} waiting, the oldest for {age.TotalSeconds:0} s";
        return new(age > AgeLimit ? HealthVerdict.Degraded : HealthVerdict.Healthy, detail);
    }

    public void Dispose() => Keys.Dispose();
}

/// <summary>
/// Runs one controller: keys from its own objects, from what they own and from what they depend on; N workers within terms of leadership.
/// </summary>
internal sealed partial class ControllerHost<TController, TEntity>(
    IServiceProvider services,
    ControllerPlan<TEntity> plan,
    ControllerQueue<TEntity> queue,
    IObjectCache<TEntity> cache,
    ILeadership leadership,
    OperatorOptions options,
    ITraceIdSource traceIds,
    KubernetesMetrics metrics,
    TimeProvider time,
    FatalError fatal,
    ILogger<TController> logger) : OperatorLoop(fatal)
    where TController : class, IEntityController<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    private static readonly ActivitySource Source = new(KubernetesMetrics.MeterName);

    // A conflict means that the cache is a moment behind, however often others failed before.
    private static readonly TimeSpan LongestConflictPause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<NamespacedName, TEntity> _deleted = [];
    private readonly TController _controller = services.GetRequiredService<TController>();
    private volatile bool _began;

    private static string Kind => TEntity.EntityMetadata.PluralName;

    /// <inheritdoc/>
    protected override string Name => $"The controller of {Kind}";

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken stopping)
    {
        var subscriptions = new List<IDisposable> { cache.Subscribe(OnChange) };
        try
        {
            subscriptions.AddRange(plan.Sources.Select(source => source(services, Enqueue)));
            await plan.WaitForCachesAsync(services, stopping);
            while (!stopping.IsCancellationRequested)
            {
                await leadership.WaitForLeadershipAsync(stopping);
                await RunTermAsync(leadership.TermToken, stopping);
            }
        }
        finally
        {
            queue.Keys.ShutDown();
            foreach (var subscription in subscriptions) subscription.Dispose();
        }
    }

    private async Task RunTermAsync(CancellationToken term, CancellationToken stopping)
    {
        var workers = plan.Workers ?? options.Workers;
        LogStarted(logger, Kind, workers);
        // From here on changes are queued; what there is already is queued now. A change in between is both, or in the cache.
        _began = true;
        foreach (var entity in cache.Items) queue.Keys.Add(entity.Key());
        // Takes no further key once asked to stop; what runs then gets some time before it is cancelled. The end of a term leaves no time.
        using var intake = CancellationTokenSource.CreateLinkedTokenSource(term, stopping);
        using var work = CancellationTokenSource.CreateLinkedTokenSource(term);
        var running = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => GuardAsync()));
        await using (stopping.Register(() => work.CancelAfter(options.DrainTimeout))) await running;
        LogStopped(logger, Kind);

        async Task GuardAsync()
        {
            try
            {
                await WorkAsync(intake.Token, work.Token);
            }
            catch
            {
                // One worker that died ends them all, and so the process: fewer workers than thought would go unnoticed.
                await intake.CancelAsync();
                throw;
            }
        }
    }

    private async Task WorkAsync(CancellationToken intake, CancellationToken work)
    {
        // A loop must not carry the context of whoever started it.
        await Task.Yield();
        while (!intake.IsCancellationRequested)
        {
            WorkQueue<NamespacedName>.Item item;
            try
            {
                item = await queue.Keys.GetAsync(intake);
            }
            catch (OperationCanceledException) when (intake.IsCancellationRequested)
            {
                return;
            }

            if (!item.HasKey) return;
            try
            {
                // Between the wait and now the term may have ended.
                if (intake.IsCancellationRequested) queue.Keys.Add(item.Key);
                else await PassAsync(item.Key, work);
            }
            finally
            {
                queue.Keys.Done(item.Key);
            }
        }
    }

    private async Task PassAsync(NamespacedName key, CancellationToken work)
    {
        var entity = cache.Get(key);
        TEntity? deleted = null;
        lock (_deleted)
        {
            if (entity is not null) _deleted.Remove(key);
            else if (!_deleted.TryGetValue(key, out deleted)) return;
        }

        using var activity = Source.StartActivity($"reconcile {Kind}");
        var traceId = activity?.TraceId.ToHexString() ?? traceIds.Next();
        ReconcileContext.Current = new ReconcileContext(traceId, key, queue.Keys.NumRequeues(key));
        using var scope = logger.BeginScope(new KeyValuePair<string, object?>[]
        {
            new("traceId", traceId), new("controller", Kind), new("namespace", key.Namespace), new("name", key.Name),
        });
        var began = time.GetTimestamp();
        ReconciliationResult<TEntity> result;
        try
        {
            result = entity is not null ? await _controller.ReconcileAsync(entity, work) : await _controller.DeletedAsync(deleted!, work);
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested)
        {
            // The next leader, or the next process, looks at every object anyway; the key stays for another term of this one.
            queue.Keys.Add(key);
            Count("cancelled", began);
            return;
        }
#pragma warning disable CA1031 // a controller may throw anything; the key must not be lost
        catch (Exception e)
#pragma warning restore CA1031
        {
            result = ReconciliationResult<TEntity>.Failure(e.Message, e);
        }
        finally
        {
            ReconcileContext.Current = null;
        }

        Settle(key, deleted, result, began, activity);
    }

    private void Settle(NamespacedName key, TEntity? deleted, ReconciliationResult<TEntity> result, long began, Activity? activity)
    {
        if (result.IsSuccess)
        {
            queue.Keys.Forget(key);
            if (result.RequeueAfter is { } after) queue.Keys.AddAfter(key, after);
            if (deleted is not null) Forget(key, deleted);
            Count("success", began);
        }
        else if (result.Error is KubernetesException { Reason: ApiReason.NotLeading })
        {
            // As when it is cancelled, only that the clock said so before the token did.
            queue.Keys.Add(key);
            Count("cancelled", began);
        }
        else if (result.Error is KubernetesException { Reason: ApiReason.Conflict })
        {
            LogConflict(logger, key.ToString(), result.ErrorMessage);
            RequeueSoon(key);
            Count("conflict", began);
        }
        else
        {
            // What a server said, or that it said nothing, is told whole by the message; a stack is for what nobody foresaw.
            var answer = result.Error as KubernetesException;
            LogFailed(logger, answer is null ? result.Error : null, key.ToString(), queue.Keys.NumRequeues(key) + 1, answer?.Message ?? result.ErrorMessage);
            activity?.SetStatus(ActivityStatusCode.Error, result.ErrorMessage);
            queue.Keys.AddRateLimited(key, result.RequeueAfter ?? default);
            metrics.ReconcileErrors.Add(1, new KeyValuePair<string, object?>("controller", Kind));
            Count("error", began);
        }
    }

    private void RequeueSoon(NamespacedName key)
    {
        var pause = WorkQueue<NamespacedName>.FirstBackoff * Math.Pow(2, Math.Min(queue.Keys.NumRequeues(key), 10));
        // Counts like a failure, so that a conflict that never ends does not become a hot loop; yet the wait stays short.
        queue.Keys.AddRateLimited(key);
        queue.Keys.AddAfter(key, pause < LongestConflictPause ? pause : LongestConflictPause);
    }

    private void Forget(NamespacedName key, TEntity deleted)
    {
        lock (_deleted)
        {
            // Unless it came and went once more meanwhile.
            if (_deleted.TryGetValue(key, out var held) && ReferenceEquals(held, deleted)) _deleted.Remove(key);
        }
    }

    // Before the first term nobody takes keys out: a standby of months would collect those of all objects that ever were.
    private void Enqueue(NamespacedName key)
    {
        if (_began) queue.Keys.Add(key);
    }

    private void OnChange(ObjectChange<TEntity> change)
    {
        if (!_began) return;
        var key = change.Object.Key();
        if (change.New is null)
            lock (_deleted) _deleted[key] = change.Old!;
        queue.Keys.Add(key);
    }

    private void Count(string result, long began)
    {
        var controller = new KeyValuePair<string, object?>("controller", Kind);
        metrics.Reconciles.Add(1, controller, new("result", result));
        metrics.ReconcileDuration.Record(time.GetElapsedTime(began).TotalSeconds, controller);
    }

    [LoggerMessage(50, LogLevel.Information, "The controller of {Kind} runs with {Workers} workers")]
    private static partial void LogStarted(ILogger logger, string kind, int workers);

    [LoggerMessage(51, LogLevel.Information, "The controller of {Kind} has stopped")]
    private static partial void LogStopped(ILogger logger, string kind);

    [LoggerMessage(52, LogLevel.Information, "{Key} changed meanwhile; trying again: {Message}")]
    private static partial void LogConflict(ILogger logger, string key, string? message);

    [LoggerMessage(53, LogLevel.Error, "Reconciling {Key} failed (attempt {Attempt}): {Message}")]
    private static partial void LogFailed(ILogger logger, Exception? e, string key, int attempt, string? message);
}
