using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Writes events, one after another, so that those of one object stay in order.</summary>
internal sealed partial class EventWriter(
    EventRecorder recorder, IKubernetesClient client, KubernetesMetrics metrics, TimeProvider time, FatalError fatal, ILogger<EventWriter> logger)
    : OperatorLoop(fatal)
{
    // As client-go: two minutes in all. Only a missing answer is worth another try.
    private const int Tries = 12;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Tick = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly EventCorrelator _correlator = new();

    /// <inheritdoc/>
    protected override string Name => "The event writer";

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken stopping)
    {
        // Asked to stop, it writes what was said so far, if the server answers quickly: controllers have stopped before.
        using var work = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var registration = stopping.Register(() =>
        {
            recorder.Complete();
            work.CancelAfter(LastWords);
        });
        try
        {
            await WriteAllAsync(work.Token);
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested)
        {
            LogGivenUp(logger);
        }
    }

    private async Task WriteAllAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            while (recorder.Pending.TryRead(out var pending)) await HandleAsync(pending, cancellationToken);
            foreach (var series in _correlator.Due(time.GetUtcNow())) await WriteCountAsync(series, cancellationToken);

            using var tick = new CancellationTokenSource(Tick, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(tick.Token, cancellationToken);
            try
            {
                if (!await recorder.Pending.WaitToReadAsync(either.Token)) return;
            }
            catch (OperationCanceledException) when (tick.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // Time to look at the series.
            }
        }
    }

    private async Task HandleAsync(PendingEvent pending, CancellationToken cancellationToken)
    {
        if (_correlator.Judge(pending) is not { } verdict)
        {
            Count("dropped");
            return;
        }

        if (verdict.New is { } e)
        {
            var answer = await TryAsync(
                () => client.CreateAsync<Eventsv1Event>(recorder.Body(e), EventRecorder.NamespaceOf(e.Namespace), cancellationToken: cancellationToken),
                cancellationToken);
            // A try whose answer was lost may have been the one that made it.
            Settle(answer, answer.IsSuccess || answer.Reason == ApiReason.AlreadyExists);
        }
        else if (verdict.Repeated is { } series)
        {
            await WriteCountAsync(series, cancellationToken);
        }
    }

    private async Task WriteCountAsync(EventSeries series, CancellationToken cancellationToken)
    {
        // Noted first: an event that has been deleted meanwhile must not be asked for again and again.
        series.WrittenCount = series.Count;
        series.WrittenAt = time.GetUtcNow();
        var patch = new JsonObject
        {
            ["series"] = new JsonObject { ["count"] = series.Count, ["lastObservedTime"] = EventText.MicroTime(series.Last) },
        };
        var key = new NamespacedName(EventRecorder.NamespaceOf(series.Namespace), series.Name);
        var answer = await TryAsync(() => client.MergePatchAsync<Eventsv1Event>(patch, key, cancellationToken: cancellationToken), cancellationToken);
        Settle(answer, answer.IsSuccess);
    }

    private async Task<ApiResult<Eventsv1Event>> TryAsync(Func<Task<ApiResult<Eventsv1Event>>> write, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await write();
            if (answer.Reason != ApiReason.Transport || attempt >= Tries) return answer;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private void Settle(ApiResult<Eventsv1Event> answer, bool good)
    {
        Count(good ? "written" : "failed");
        if (good) return;
        // Its namespace is going, or somebody deleted it: nobody misses it. Or the term is over: others tell from now on.
        if (answer.Reason is ApiReason.NotFound or ApiReason.NotLeading || answer.Status?.Details?.Causes?.Exists(static c => c.Reason == "NamespaceTerminating") == true)
            LogPointless(logger, answer.ToString());
        else LogFailed(logger, answer.ToString());
    }

    private void Count(string outcome) => metrics.Events.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    [LoggerMessage(60, LogLevel.Warning, "An event could not be written: {Answer}")]
    private static partial void LogFailed(ILogger logger, string answer);

    [LoggerMessage(61, LogLevel.Debug, "An event could not be written: {Answer}")]
    private static partial void LogPointless(ILogger logger, string answer);

    [LoggerMessage(62, LogLevel.Information, "Some last events were not written: the API server did not answer in time")]
    private static partial void LogGivenUp(ILogger logger);
}
