using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes.LeaderElection;

/// <summary>Something that must be so before this process may lead, for instance that its caches are complete.</summary>
internal interface ILeaderPrerequisite
{
    /// <summary>Waits until it is so.</summary>
    Task WaitAsync(CancellationToken cancellationToken);
}

/// <summary>
/// Takes part in the election: carries out what <see cref="LeaseMachine"/> says, watches the Lease, and keeps <see cref="LeaderTerm"/> up to date.
/// </summary>
/// <remarks>
/// Expected flow: prerequisites, then standby, then one term. A term that is lost is not followed by another: the process ends.
/// Asked to stop it gives the Lease back; it is stopped after all that works under the term, so that nobody else begins before that has ended.
/// Errors: whatever the server answers is logged and tried again; nothing but the end of a term ends the process.
/// </remarks>
internal sealed partial class LeaderElector : OperatorLoop, IHealthSource
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly LeaderElectionConfig _config;
    private readonly ILeaseLock _lock;
    private readonly LeaderTerm _term;
    private readonly IReadOnlyList<ILeaderPrerequisite> _prerequisites;
    private readonly IEventRecorder _events;
    private readonly TimeProvider _time;
    private readonly Jitter _jitter;
    private readonly ILogger _logger;
    private readonly LeaseMachine _machine;
    private readonly Channel<News> _news = Channel.CreateUnbounded<News>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _watchLock = new();
    private CancellationTokenSource? _watch;
    private string? _toldHolder;
    private volatile string? _trouble;
    private volatile string? _leader;
    private volatile string _doing = "waits for its caches before it takes part";

    public LeaderElector(
        LeaderElectionConfig config,
        ILeaseLock leaseLock,
        LeaderTerm term,
        IEnumerable<ILeaderPrerequisite> prerequisites,
        IEventRecorder events,
        TimeProvider time,
        Jitter jitter,
        FatalError fatal,
        ILogger<LeaderElector> logger)
        : base(fatal)
    {
        (_config, _lock, _term, _events, _time, _jitter, _logger) = (config, leaseLock, term, events, time, jitter, logger);
        _prerequisites = [.. prerequisites];
        _machine = new LeaseMachine(config, jitter);
    }

    /// <inheritdoc/>
    protected override string Name => "The leader election";

    string IHealthSource.Name => "leader-election";

    private TimeSpan Now => _term.Now;

    private enum NewsKind
    {
        Seen,
        WatchOpened,
        WatchEnded,
    }

    private readonly record struct News(NewsKind Kind, LeaseRecord? Lease = null);

    /// <summary>Who leads, as far as is known; null when nobody does.</summary>
    public string? GetLeader() => _leader;

    HealthReport IHealthSource.Check() =>
        // The process should have ended by itself long ago.
        _term.OverFor > _config.LeaseDuration * 2 ? new(HealthVerdict.Unhealthy, "the term is over, and the process still runs")
        : _trouble is { } trouble ? new(HealthVerdict.Degraded, $"{_doing}; {trouble}")
        : new(HealthVerdict.Healthy, _doing);

    /// <summary>Asked to stop, once everything else has: gives the Lease back.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // Out of time: something may be at work still, and nobody else may begin before the Lease runs out by itself.
        if (cancellationToken.IsCancellationRequested || _term.IsOver) return;
        _term.End();
        if (_machine.MayBeHeld) await ReleaseAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        (_lock as IDisposable)?.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken stopping)
    {
        await Task.WhenAll(_prerequisites.Select(p => p.WaitAsync(stopping)));
        _doing = "takes part";
        var watch = WatchAsync(stopping);
        var elect = ElectAsync(stopping);
        // Whichever dies takes the process with it. Asked to stop, both have ended before the Lease is given back.
        await await Task.WhenAny(watch, elect).ContinueWith(
            first => stopping.IsCancellationRequested ? Task.WhenAll(watch, elect) : first.Result,
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    private async Task ElectAsync(CancellationToken stopping)
    {
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            while (_news.Reader.TryRead(out var news)) Take(news);
            var step = _machine.Next(Now);
            TellHolder();
            switch (step.Action)
            {
                case LeaseAction.Wait:
                    await WaitAsync(step.Until, stopping);
                    break;
                case LeaseAction.Stop:
                    _term.End();
                    _doing = $"no longer leads: {_machine.Lost}";
                    LogLost(_logger, _config.Identity, _config.Lease.ToString(), _machine.Lost!);
                    // Whoever guards the term ends the process. There is no second term.
                    await Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping);
                    break;
                default:
                    await AskAsync(step.Action, stopping);
                    break;
            }
        }
    }

    private async Task AskAsync(LeaseAction action, CancellationToken stopping)
    {
        var ledBefore = _machine.Leads;
        var before = _machine.Lease;
        _machine.Sending(action, Now);
        var answer = await (action switch
        {
            LeaseAction.Read => _lock.GetAsync(stopping),
            LeaseAction.Create => _lock.CreateAsync(LeaseRecord.New(_config, _time.GetUtcNow()), stopping),
            _ => _lock.UpdateAsync(before!.Held(_config, _time.GetUtcNow()), stopping),
        });
        switch (answer.Reason)
        {
            case ApiReason.None when action == LeaseAction.Read:
                _machine.Found(answer.Value, Now);
                break;
            case ApiReason.None:
                _machine.Held(answer.Value!, Now);
                if (!_machine.Leads) break;
                // The term's own clock has the last word: between its look at the clock and the machine's, time may have passed.
                if (!_term.Extend(_machine.TermEndsAt)) _machine.TooLate(ledBefore);
                else if (!ledBefore) Won(answer.Value!, before);
                break;
            case ApiReason.NotFound when action == LeaseAction.Read:
                _machine.Found(null, Now);
                break;
            case ApiReason.NotFound when action == LeaseAction.Update:
                _machine.Vanished(Now);
                break;
            case ApiReason.Conflict or ApiReason.AlreadyExists:
                _machine.Conflicted(Now);
                // A watch that works would have told; it may have died without a word.
                if (!ledBefore) RestartWatch();
                break;
            default:
                Failed(answer, ledBefore);
                return;
        }

        if (_trouble is null) return;
        _trouble = null;
        LogRecovered(_logger, _config.Lease.ToString());
    }

    private void Failed(ApiResult answer, bool leads)
    {
        // Rights, a namespace, a kind: somebody has to do something. Anything else may pass.
        var refused = answer.Reason is ApiReason.Forbidden or ApiReason.Unauthorized or ApiReason.NotFound or ApiReason.KindMissing or ApiReason.Invalid
            or ApiReason.BadRequest or ApiReason.MethodNotAllowed;
        _machine.Failed(refused, Now);
        if (refused) LogRefused(_logger, answer.ToString(), _config.Lease.ToString());
        else if (leads) LogNotRenewed(_logger, answer.ToString(), (_machine.TermEndsAt - Now).TotalSeconds);
        else LogNoAnswer(_logger, answer.ToString());
        // Last: whoever reads of it in /health/detailed finds the reason in the log.
        _trouble = answer.ToString();
    }

    private void Won(LeaseRecord now, LeaseRecord? before)
    {
        var how = before is null ? "there was none"
            : before.IsFree ? "it was free"
            : before.Holder == _config.Identity ? "an earlier try had no answer"
            : $"{before.Holder} was silent for {(before.Duration ?? _config.LeaseDuration).TotalSeconds:0} s";
        _doing = $"leads as {_config.Identity}";
        LogWon(_logger, _config.Identity, _config.Lease.ToString(), how);
        var lease = new V1Lease
        {
            ApiVersion = V1Lease.EntityMetadata.ApiVersion,
            Kind = V1Lease.EntityMetadata.Kind,
            Metadata = new V1ObjectMeta { Name = _config.Lease.Name, NamespaceProperty = _config.Lease.Namespace, Uid = now.Uid },
        };
        // As client-go words it, for those who look for it.
        _events.Publish(lease, EventType.Normal, "LeaderElection", "LeaderElection", $"{_config.Identity} became leader");
    }

    private void TellHolder()
    {
        var holder = _machine.Lease is { IsFree: false } held ? held.Holder : null;
        _leader = holder;
        if (holder is null || holder == _toldHolder) return;
        _toldHolder = holder;
        if (holder == _config.Identity) return;
        _doing = $"stands by as {_config.Identity}; {holder} leads";
        if (_machine.Lost is null) LogStandby(_logger, _config.Identity, _config.Lease.ToString(), holder);
    }

    private void Take(News news)
    {
        switch (news.Kind)
        {
            case NewsKind.Seen:
                _machine.Watched(news.Lease, Now);
                break;
            default:
                _machine.Watching(news.Kind == NewsKind.WatchOpened);
                break;
        }
    }

    private async Task WaitAsync(TimeSpan until, CancellationToken stopping)
    {
        var left = until - Now;
        if (left <= TimeSpan.Zero) return;
        // Whoever holds the Lease may have asked for years, which is more than a timer takes.
        using var limit = new CancellationTokenSource(left < LongestWait ? left : LongestWait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            await _news.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // It is time.
        }
    }

    private async Task WatchAsync(CancellationToken stopping)
    {
        await Task.Yield();
        var backoff = new Backoff(_time, _jitter);
        while (true)
        {
            using var watch = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            lock (_watchLock) _watch = watch;
            var opened = false;
            var began = _time.GetTimestamp();
            ApiResult? failure = null;
            try
            {
                failure = await _lock.WatchAsync(
                    lease => _news.Writer.TryWrite(new(NewsKind.Seen, lease)),
                    () => opened = _news.Writer.TryWrite(new(NewsKind.WatchOpened)),
                    watch.Token);
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                // Restarted.
            }
            finally
            {
                lock (_watchLock) _watch = null;
            }

            if (failure is not null) LogWatchFailed(_logger, failure.ToString());
            // One that ends at once again and again comes from something between us and the server: not without a pause.
            if (failure is null && opened && (watch.IsCancellationRequested || _time.GetElapsedTime(began) >= TimeSpan.FromSeconds(1))) continue;
            _news.Writer.TryWrite(new(NewsKind.WatchEnded));
            await Task.Delay(backoff.Next(), _time, stopping);
        }
    }

    private void RestartWatch()
    {
        lock (_watchLock) _watch?.Cancel();
    }

    private async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_config.RenewDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var lease = _machine.Lease;
            while (true)
            {
                if (lease?.Holder != _config.Identity)
                {
                    var found = await _lock.GetAsync(either.Token);
                    if (found.Reason == ApiReason.NotFound || (found.Value is { } read && read.Holder != _config.Identity)) return;
                    lease = found.Value;
                }

                if (lease is not null)
                {
                    var answer = await _lock.UpdateAsync(lease.Released(_time.GetUtcNow()), either.Token);
                    if (answer.IsSuccess)
                    {
                        _doing = "has given the Lease back";
                        LogReleased(_logger, _config.Identity, _config.Lease.ToString());
                        return;
                    }

                    lease = null;
                    if (answer.Reason == ApiReason.Conflict) continue;
                }

                await Task.Delay(_config.RetryPeriod / 4, _time, either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            LogNotReleased(_logger, _config.Lease.ToString(), _config.LeaseDuration.TotalSeconds);
        }
    }

    [LoggerMessage(80, LogLevel.Information, "{Identity} leads from now on by Lease {Lease}: {How}")]
    private static partial void LogWon(ILogger logger, string identity, string lease, string how);

    [LoggerMessage(81, LogLevel.Information, "{Identity} stands by: Lease {Lease} is held by {Holder}")]
    private static partial void LogStandby(ILogger logger, string identity, string lease, string holder);

    [LoggerMessage(82, LogLevel.Error, "{Identity} no longer leads by Lease {Lease}: {Why}")]
    private static partial void LogLost(ILogger logger, string identity, string lease, string why);

    [LoggerMessage(83, LogLevel.Error, "{Answer}. Without Lease {Lease} this process cannot lead: check the RBAC rules of its service account, and that the namespace exists")]
    private static partial void LogRefused(ILogger logger, string answer, string lease);

    [LoggerMessage(84, LogLevel.Warning, "The Lease could not be renewed, the term ends in {Left:0.0} s: {Answer}")]
    private static partial void LogNotRenewed(ILogger logger, string answer, double left);

    [LoggerMessage(85, LogLevel.Warning, "{Answer}; trying again after a pause")]
    private static partial void LogNoAnswer(ILogger logger, string answer);

    [LoggerMessage(86, LogLevel.Information, "Lease {Lease} can be reached again")]
    private static partial void LogRecovered(ILogger logger, string lease);

    [LoggerMessage(87, LogLevel.Warning, "The Lease cannot be watched, it is read now and then instead: {Answer}")]
    private static partial void LogWatchFailed(ILogger logger, string answer);

    [LoggerMessage(88, LogLevel.Information, "{Identity} has given Lease {Lease} back")]
    private static partial void LogReleased(ILogger logger, string identity, string lease);

    [LoggerMessage(89, LogLevel.Warning, "Lease {Lease} could not be given back: others wait for up to {Seconds:0} s")]
    private static partial void LogNotReleased(ILogger logger, string lease, double seconds);
}
