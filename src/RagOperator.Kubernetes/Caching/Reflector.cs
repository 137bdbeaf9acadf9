using System.Text.Json;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>
/// Keeps an <see cref="ObjectCache{T}"/> like the server: lists, watches from there, and begins anew when a watch cannot go on.
/// </summary>
/// <remarks>
/// Expected flow: list, then watch after watch from the last version seen. A watch that ends cleanly is followed by the next at once; 410 and
/// whatever leaves doubt about completeness lead to a new list; other failures to a pause and another watch.
/// Guarantees: the cache is replaced as a whole by a list, and never holds a state older than one it held. A missing kind has no objects: as long
/// as the cache has some, the server's word for it is doubted for half a minute, and for ever where the kind may not be missing. A process that has
/// just begun does not know whether there are any: it believes it after ten seconds.
/// Three independent ends to a watch: the server's (timeoutSeconds), our deadline a little later, and silence after bookmarks were seen.
/// </remarks>
internal sealed partial class Reflector<T>(KubernetesClient client, ObjectCache<T> cache, CacheOptions<T> options, TimeProvider time, Jitter jitter, ILogger logger)
    where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    // A missing CRD is cheap to ask for, and people wait for it to be found.
    private static readonly TimeSpan MissingKindPause = TimeSpan.FromSeconds(10);

    // The objects of a kind that goes are told as deleted before it does. A server that has just begun says of any definition that it has not
    // read yet that it does not serve it: whoever believed that would take all its objects for gone.
    private static readonly TimeSpan MissingKindDoubt = TimeSpan.FromSeconds(30);

    // A machine that has just started has a server and an operator that have both just begun. Shorter, since people wait for the word where it is true.
    private static readonly TimeSpan FirstDoubt = TimeSpan.FromSeconds(10);

    // Only an upgrade of the server brings a kind of its own.
    private static readonly TimeSpan MissingBuiltInPause = TimeSpan.FromMinutes(10);

    private readonly Backoff _backoff = new(time, jitter);
    private bool _versionUnavailable;
    private long? _missingSince;

    private static string Kind => T.EntityMetadata.Kind;

    private enum Next
    {
        WatchAgain,
        WatchAfterPause,
        ListAgain,
        ListAfterPause,
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var next = Next.ListAgain;
        try
        {
            if (options.StartAfter is { } first) await first(cancellationToken);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (next is Next.WatchAfterPause or Next.ListAfterPause) await PauseAsync(cancellationToken);
                next = next is Next.ListAgain or Next.ListAfterPause ? await ListAsync(cancellationToken) : await WatchAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            cache.Enter(CacheState.Stopped, "");
        }
    }

    private async Task PauseAsync(CancellationToken cancellationToken)
    {
        var pause = _backoff.Next();
        if (options.IsBuiltIn && cache.State == CacheState.KindMissing) pause = MissingBuiltInPause * (1 + jitter.Next());
        else if (_missingSince is not null && pause > MissingKindPause) pause = MissingKindPause * (1 + jitter.Next());
        await Task.Delay(pause, time, cancellationToken);
    }

    private async Task<Next> ListAsync(CancellationToken cancellationToken)
    {
        // While a kind is missing or forbidden the state keeps saying so, until a list succeeds.
        if (cache.State is not (CacheState.KindMissing or CacheState.Forbidden)) cache.Enter(CacheState.Listing, "");
        var list = await client.ListAsync<T>(
            new ListOptions
            {
                Namespace = options.Namespace,
                LabelSelector = options.LabelSelector,
                FieldSelector = options.FieldSelector,
                PageSize = options.PageSize,
                Trim = cache.FitAnew(),
                // Not older than what was seen; the very first from a quorum, since the server's cache may be older than our last run's writes.
                ResourceVersion = _versionUnavailable ? "" : cache.LastSyncResourceVersion,
            },
            cancellationToken);
        if (list.IsSuccess)
        {
            _versionUnavailable = false;
            _missingSince = null;
            client.Metrics.Instruments?.Relists.Add(1, new KeyValuePair<string, object?>("kind", Kind));
            foreach (var key in list.Value!.Undecodable) Undecodable(key.ToString(), null);
            cache.Replace(list.Value);
            LogListed(logger, Kind, list.Value.Items.Count, list.Value.ResourceVersion);
            return Next.WatchAgain;
        }

        if (ApiReasons.NeedsFreshList(list.Reason, list.Status) && !_versionUnavailable)
        {
            _versionUnavailable = true;
            return Next.ListAgain;
        }

        Failed(list);
        return Next.ListAfterPause;
    }

    private void Failed(ApiResult answer)
    {
        switch (answer.Reason)
        {
            case ApiReason.KindMissing when IsDoubted(time.GetElapsedTime(_missingSince ??= time.GetTimestamp())):
                LogFailed(logger, answer.ToString());
                cache.Enter(CacheState.BackingOff, $"the server says that it does not serve {T.EntityMetadata.ApiVersion} {Kind}{(cache.Items.Count > 0 ? ", of which there were objects" : "")}; it is asked again");
                break;
            case ApiReason.KindMissing:
                if (cache.Items.Count > 0) cache.Replace(new ObjectList<T>([], cache.LastSyncResourceVersion, []));
                if (cache.State != CacheState.KindMissing) LogKindMissing(logger, Kind, T.EntityMetadata.ApiVersion);
                cache.Enter(CacheState.KindMissing, $"the server does not serve {T.EntityMetadata.ApiVersion} {Kind}");
                break;
            case ApiReason.Forbidden or ApiReason.Unauthorized:
                _missingSince = null;
                LogForbidden(logger, answer.ToString());
                cache.Enter(CacheState.Forbidden, answer.ToString());
                break;
            default:
                _missingSince = null;
                LogFailed(logger, answer.ToString());
                cache.Enter(CacheState.BackingOff, answer.ToString());
                break;
        }
    }

    /// <summary>Whether the server's word that it does not serve the kind is not believed yet. Where the kind may not be missing and nothing was ever
    /// seen of it, there is nothing to lose.</summary>
    private bool IsDoubted(TimeSpan missing) => cache.Items.Count > 0
        ? missing < MissingKindDoubt || !options.MayBeMissing
        : missing < FirstDoubt && options is { MayBeMissing: true, IsBuiltIn: false } && !cache.HasSynced;

    private async Task<Next> WatchAsync(CancellationToken cancellationToken)
    {
        var seconds = (int)(options.MinWatchTimeout.TotalSeconds * (1 + jitter.Next()));
        // Some proxies send the headers only with the first event: silence before them is no failure, so all of it runs under the same deadline.
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds) + options.WatchDeadlineSlack, time);
        using var idle = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, idle.Token, cancellationToken);
        var began = time.GetTimestamp();
        var events = 0;
        var idleArmed = false;
        try
        {
            var path = ResourcePath.WithQuery(
                ResourcePath.Collection(T.EntityMetadata, options.Namespace),
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("resourceVersion", cache.LastSyncResourceVersion),
                ("timeoutSeconds", $"{seconds}"),
                ("labelSelector", options.LabelSelector),
                ("fieldSelector", options.FieldSelector));
            var call = new ApiCall("watch", T.EntityMetadata.PluralName, new(options.Namespace ?? "", ""));
            cache.Enter(CacheState.Watching, "");
            var (response, failure) = await client.Watches.OpenAsync(new ApiRequest(call, HttpMethod.Get, path), any.Token);
            if (response is null) return Ended(failure);

            using (response)
            {
                await using var stream = new WatchStream(
                    await response.Content.ReadAsStreamAsync(any.Token), client.Watches.Config.MaxWatchEventBytes);
                while (await stream.ReadAsync(any.Token) is { } line)
                {
                    events++;
                    cache.Alive();
                    if (line.Type == WatchEventType.Bookmark || idleArmed)
                    {
                        idleArmed = true;
                        idle.CancelAfter(options.WatchIdleLimit);
                    }

                    if (Take(line) is { } end) return end;
                }
            }

            if (events > 0 || time.GetElapsedTime(began) >= TimeSpan.FromSeconds(1))
            {
                Restarted("closed");
                return Next.WatchAgain;
            }

            Restarted("short");
            cache.Enter(CacheState.BackingOff, "a watch ended at once without an event");
            return Next.WatchAfterPause;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            // Nothing came although something should have: the connection is dead. What was missed comes with the next watch.
            Restarted(deadline.IsCancellationRequested ? "deadline" : "idle");
            LogStalled(logger, Kind, time.GetElapsedTime(began).TotalSeconds);
            return Next.WatchAgain;
        }
        catch (WatchFormatException e)
        {
            Restarted("garbage");
            LogGarbage(logger, e, Kind);
            cache.Enter(CacheState.BackingOff, e.Message);
            return Next.ListAfterPause;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            Restarted("broken");
            LogBroken(logger, Kind, e.Message);
            cache.Enter(CacheState.BackingOff, e.Message);
            return Next.WatchAfterPause;
        }
    }

    /// <summary>Takes over one event. Not null when the watch is to end.</summary>
    private Next? Take(WatchLine line)
    {
        try
        {
            switch (line.Type)
            {
                case WatchEventType.Added or WatchEventType.Modified or WatchEventType.Deleted:
                    var item = JsonSerializer.Deserialize(line.Object.Span, client.Json.TypeInfo<T>()) ?? throw new JsonException("null");
                    cache.Apply(item.Complete(), deleted: line.Type == WatchEventType.Deleted);
                    return null;
                case WatchEventType.Bookmark:
                    cache.Bookmark(VersionOf(line.Object));
                    return null;
                case WatchEventType.Error:
                    var status = RequestSender.StatusOf(line.Object.Span);
                    return Ended(new ApiResult<byte[]>
                    {
                        Call = new ApiCall("watch", T.EntityMetadata.PluralName, default),
                        StatusCode = status?.Code ?? 500,
                        Status = status,
                        Reason = ApiReasons.From(status?.Code ?? 500, status),
                        Message = status?.Message ?? "the watch ended with an error",
                    });
                default:
                    LogUnknownEvent(logger, Kind);
                    return null;
            }
        }
        catch (JsonException e) when (line.Type is WatchEventType.Added or WatchEventType.Modified or WatchEventType.Deleted && ObjectHead.Of(line.Object.Span) is { Key.Name.Length: > 0, ResourceVersion.Length: > 0 } head)
        {
            // Whoever writes it again and again must not have everything else listed anew each time.
            Undecodable(head.Key.ToString(), e);
            cache.Pass(head.Key, head.ResourceVersion, deleted: line.Type == WatchEventType.Deleted);
            return null;
        }
        catch (JsonException e)
        {
            // The object did change, in a way that cannot be read: a list brings everything else up to date for certain.
            Undecodable("", e);
            Restarted("undecodable");
            cache.Enter(CacheState.BackingOff, $"an object could not be read: {e.Message}");
            return Next.ListAfterPause;
        }
    }

    private Next Ended(ApiResult<byte[]> answer)
    {
        if (ApiReasons.NeedsFreshList(answer.Reason, answer.Status))
        {
            Restarted("expired");
            LogExpired(logger, Kind, answer.Message);
            // What is too old for a watch is too old to ask for in a list, too.
            _versionUnavailable = true;
            return Next.ListAgain;
        }

        Restarted(answer.Reason switch
        {
            ApiReason.Transport => "refused",
            ApiReason.TooManyRequests => "throttled",
            _ => "error",
        });
        Failed(answer);
        return answer.Reason is ApiReason.Transport or ApiReason.TooManyRequests ? Next.WatchAfterPause : Next.ListAfterPause;
    }

    private static string VersionOf(ReadOnlyMemory<byte> body)
    {
        using var json = JsonDocument.Parse(body);
        return json.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? throw new JsonException("no version");
    }

    private void Undecodable(string key, Exception? e)
    {
        client.Metrics.Instruments?.Undecodable.Add(1, new KeyValuePair<string, object?>("kind", Kind));
        LogUndecodable(logger, e, Kind, key);
    }

    private void Restarted(string reason) =>
        client.Metrics.Instruments?.WatchRestarts.Add(1, new KeyValuePair<string, object?>("kind", Kind), new("reason", reason));

    [LoggerMessage(20, LogLevel.Debug, "Listed {Kind}: {Count} at {Version}")]
    private static partial void LogListed(ILogger logger, string kind, int count, string version);

    [LoggerMessage(21, LogLevel.Warning, "The API server does not serve {ApiVersion} {Kind}; asking again until it does")]
    private static partial void LogKindMissing(ILogger logger, string kind, string apiVersion);

    [LoggerMessage(22, LogLevel.Error, "{Answer}. Check the RBAC rules of this service account")]
    private static partial void LogForbidden(ILogger logger, string answer);

    [LoggerMessage(23, LogLevel.Warning, "{Answer}; trying again after a pause")]
    private static partial void LogFailed(ILogger logger, string answer);

    [LoggerMessage(24, LogLevel.Information, "The watch of {Kind} went silent after {Seconds:0} s; opening another")]
    private static partial void LogStalled(ILogger logger, string kind, double seconds);

    [LoggerMessage(25, LogLevel.Warning, "The watch of {Kind} sent garbage; listing again")]
    private static partial void LogGarbage(ILogger logger, Exception e, string kind);

    [LoggerMessage(26, LogLevel.Information, "The watch of {Kind} broke: {Reason}")]
    private static partial void LogBroken(ILogger logger, string kind, string reason);

    [LoggerMessage(27, LogLevel.Information, "The watch of {Kind} cannot go on ({Reason}); listing again")]
    private static partial void LogExpired(ILogger logger, string kind, string reason);

    [LoggerMessage(28, LogLevel.Warning, "The watch of {Kind} sent an event of an unknown type; skipped")]
    private static partial void LogUnknownEvent(ILogger logger, string kind);

    [LoggerMessage(29, LogLevel.Error, "{Kind} {Key} could not be read; what was known of it stays in use")]
    private static partial void LogUndecodable(ILogger logger, Exception? e, string kind, string key);
}
