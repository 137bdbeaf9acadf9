using System.Collections.Concurrent;
using System.Net.Sockets;

namespace RagOperator.TestBed;

/// <summary>
/// A steady load: so many requests a second, each sent at its time whether or not earlier ones were answered, until it is stopped.
/// Latency counts from the time at which a request was due, so a stalled server shows as what it is. With <see cref="AtMost"/> under way it
/// waits, and leaves out what it missed: it is there to see where requests go, and a machine too slow for the rate would otherwise be buried
/// until its pods fail their probes.
/// </summary>
public sealed class LoadGenerator : IAsyncDisposable
{
    /// <summary>Requests under way at one time.</summary>
    public const int AtMost = 12;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);
    private readonly HttpClient _http;
    private readonly Uri _url;
    private readonly string _host;
    private readonly double _rate;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<LoadSample> _samples = new();
    private readonly ConcurrentDictionary<long, Task> _inFlight = new();
    private readonly Task _loop;

    private LoadGenerator(Uri url, string host, double rate)
    {
        (_url, _host, _rate) = (url, host, rate);
        // A connection for each request: one that is kept may be closed by the other side in the moment in which it is used again (as nginx
        // does when it reloads), and then what counts as lost would be this client's choice not to try again.
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero, ConnectTimeout = TimeSpan.FromSeconds(5) }) { Timeout = Timeout.InfiniteTimeSpan };
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>Begins.</summary>
    /// <param name="url">Requested by GET, with <c>{n}</c> in it replaced by the request's number.</param>
    /// <param name="host">The Host header: which route.</param>
    /// <param name="rate">Requests a second.</param>
    public static LoadGenerator Start(Uri url, string host, double rate) => new(url, host, rate);

    /// <summary>What was answered so far.</summary>
    public LoadResult Result => new([.. _samples]);

    /// <summary>Waits for what is on its way at this moment, and goes on sending: what was answered first is a biased sample of what was asked.</summary>
    public Task SettledAsync() => Task.WhenAll(_inFlight.Values);

    /// <summary>Sends no more, waits for what is on its way.</summary>
    public async Task<LoadResult> StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(_inFlight.Values);
        return Result;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        var missed = TimeSpan.Zero;
        for (long number = 0; ; number++)
        {
            var due = TimeSpan.FromSeconds(number / _rate) + missed;
            var wait = due - time.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                try
                {
                    await time.Delay(wait, _stop.Token);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            else if (_stop.IsCancellationRequested)
                return;
            while (_inFlight.Values is { Count: >= AtMost } underWay) // a copy: by the next look they may all have ended
            {
                await Task.WhenAny(underWay);
                if (time.GetElapsedTime(start) - due is { Ticks: > 0 } late)
                    (due, missed) = (due + late, missed + late);
            }

            var current = number;
            var request = SendAsync(current, start, due);
            _inFlight[current] = request;
            _ = request.ContinueWith(_ => _inFlight.TryRemove(current, out var _), TaskScheduler.Default);
        }
    }

    private async Task SendAsync(long number, long start, TimeSpan due)
    {
        await Task.Yield();
        var time = TimeProvider.System;
        var status = 0;
        var failure = "";
        using var patience = new CancellationTokenSource(s_timeout, time);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_url.OriginalString.Replace("{n}", $"{number}", StringComparison.Ordinal))) { Headers = { Host = _host, ConnectionClose = true } };
            using var response = await _http.SendAsync(request, patience.Token);
            await response.Content.CopyToAsync(Stream.Null, patience.Token);
            status = (int)response.StatusCode;
        }
        catch (OperationCanceledException)
        {
            failure = "timeout";
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            failure = (e.InnerException as SocketException ?? e.InnerException?.InnerException as SocketException)?.SocketErrorCode.ToString() ?? e.Message;
        }

        _samples.Enqueue(new LoadSample(due, time.GetElapsedTime(start) - due, status, failure));
    }
}

/// <summary>One request of a load.</summary>
/// <param name="Due">When it was to be sent, from the load's start.</param>
/// <param name="Latency">From then to the end of its answer.</param>
/// <param name="Status">HTTP status; 0 when there was no answer.</param>
/// <param name="Failure">Why there was none: <c>ConnectionReset</c>, <c>ConnectionRefused</c>, <c>timeout</c>, ...; empty when there was one.</param>
public sealed record LoadSample(TimeSpan Due, TimeSpan Latency, int Status, string Failure);

/// <summary>What became of a load.</summary>
/// <param name="Samples">Each request that has ended.</param>
public sealed record LoadResult(IReadOnlyList<LoadSample> Samples)
{
    /// <summary>By status, or by failure where there was no answer.</summary>
    public IReadOnlyDictionary<string, int> Counts =>
        Samples.GroupBy(sample => sample.Failure.Length > 0 ? sample.Failure : $"{sample.Status}", StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    /// <summary>Requests that the infrastructure lost: no answer at all, 502, 503, 504.</summary>
    public int Lost => Samples.Count(sample => sample.Status is 0 or 502 or 503 or 504);

    /// <summary>The latency that a share of the requests stayed below.</summary>
    /// <param name="quantile">0 to 1.</param>
    public TimeSpan Latency(double quantile)
    {
        var sorted = Samples.Select(sample => sample.Latency).Order().ToList();
        return sorted.Count == 0 ? TimeSpan.Zero : sorted[Math.Min(sorted.Count - 1, (int)(quantile * sorted.Count))];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Samples.Count} requests: {string.Join(", ", Counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} x{pair.Value}"))}; p95 {Latency(0.95).TotalMilliseconds:0} ms";
}
