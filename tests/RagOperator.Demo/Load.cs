using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;

namespace RagOperator.Demo;

/// <summary>One answered request. Who answered is a component revision's name; empty where that cannot be told.</summary>
/// <param name="Arrived">Unix seconds.</param>
/// <param name="Revision">Of the traffic component.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Replayed">Whether the answer shows the flag experience-replay.</param>
internal sealed record Served(double Arrived, string Revision, int Status, bool Replayed);

/// <summary>People who ask the service questions, about 50 a second, and read the answers.</summary>
internal sealed class Load : IAsyncDisposable
{
    public const double Rate = 50;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly string[] s_questions = ["chain", "brakes squeal", "flat tyre", "tubeless sealant", "saddle height", "wheel true", "gears jump", "headset play", "winter storage", "torque"];
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<long, Task> _inFlight = new();
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Uri _gateway;
    private Task _loop = Task.CompletedTask;
    private int _lost;

    public Load(Site site) => _gateway = site.Gateway;

    /// <summary>Each request that was answered, oldest first.</summary>
    public ConcurrentQueue<Served> Answers { get; } = new();

    public int Total => _counts.Values.Sum();

    /// <summary>Requests that the infrastructure lost: 502, 503, 504, no answer at all.</summary>
    public int Lost => _lost;

    /// <summary>By status, or by failure.</summary>
    public string Summary => string.Join(", ", _counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}"));

    public int Errors => _counts.GetValueOrDefault("500");

    public void Start() => _loop = Task.Run(LoopAsync);

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(_inFlight.Values);
    }

    /// <summary>Asks one question now.</summary>
    public async Task<(int Status, string Body)> AskAsync(string question, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_gateway, $"/ask?q={Uri.EscapeDataString(question)}")) { Headers = { Host = Site.Host } };
        using var response = await _http.SendAsync(request, cancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

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
        for (long number = 0; !_stop.IsCancellationRequested; number++)
        {
            var wait = TimeSpan.FromSeconds(number / Rate) - time.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time);
            var current = number;
            var request = Task.Run(() => SendAsync(current));
            _inFlight[current] = request;
            _ = request.ContinueWith(_ => _inFlight.TryRemove(current, out var _), TaskScheduler.Default);
        }
    }

    private async Task SendAsync(long number)
    {
        var arrived = Now();
        var outcome = "";
        var lost = false;
        using var patience = new CancellationTokenSource(s_patience, TimeProvider.System);
        try
        {
            var (status, body) = await AskAsync(s_questions[number % s_questions.Length], patience.Token);
            outcome = $"{status}";
            lost = status is 502 or 503 or 504;
            Answers.Enqueue(new Served(arrived, Text(body, "revision"), status, body.Contains("\"replayed\":", StringComparison.Ordinal)));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            outcome = e is OperationCanceledException ? "timeout" : (e.InnerException as SocketException ?? e.InnerException?.InnerException as SocketException)?.SocketErrorCode.ToString() ?? e.Message;
            lost = true;
        }

        _counts.AddOrUpdate(outcome, 1, (_, count) => count + 1);
        if (lost)
            Interlocked.Increment(ref _lost);
    }

    /// <summary>A property of an answer, or empty where the answer is none of the service's.</summary>
    public static string Text(string body, string property)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } answer && answer.TryGetProperty(property, out var value) ? value.ToString() : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    public static double Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}
