using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>One request, before it is sent.</summary>
internal sealed record ApiRequest(ApiCall Call, HttpMethod Method, string PathAndQuery)
{
    public ReadOnlyMemory<byte> Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public TimeSpan? Timeout { get; init; }

    /// <summary>Reads the body of a success as it arrives; null: it is handed over whole. Called again where the request is repeated.</summary>
    public Func<Stream, CancellationToken, Task>? Reader { get; init; }

    /// <summary>Not repeated, whatever the answer.</summary>
    public bool Once { get; init; }
}

/// <summary>Sends requests: authenticates, retries what may be retried, bounds time and size, and turns every answer into a value.</summary>
internal sealed partial class RequestSender(
    KubernetesClientConfiguration config,
    Transport transport,
    ICredentialSource credentials,
    TimeProvider time,
    ClientMetrics metrics,
    Jitter jitter,
    ILogger logger,
    SemaphoreSlim? concurrency = null,
    ILeadership? leadership = null)
{
    // As client-go.
    private const int MaxRetries = 10;

    private static readonly TimeSpan LongestTransportPause = TimeSpan.FromSeconds(5);

    public KubernetesClientConfiguration Config => config;

    public TimeProvider Time => time;

    /// <summary>When the server last answered anything at all; null when it never did.</summary>
    public ServerContact Contact { get; } = new(time);

    /// <summary>Sends and reads the whole body.</summary>
    public async Task<ApiResult<byte[]>> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        var timeout = request.Timeout ?? config.RequestTimeout;
        var started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            if (concurrency is not null) await concurrency.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return NoAnswer(request, $"no free slot for a request within {timeout.TotalSeconds:0.#} s", null);
        }

        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var (result, pause) = await AttemptAsync(request, timeout, attempt, either.Token, cancellationToken);
                if (request.Once || pause is not { } wait || attempt >= MaxRetries || time.GetElapsedTime(started) + wait >= timeout) return result;
                LogRetry(logger, result.ToString(), wait.TotalMilliseconds);
                await Task.Delay(wait, time, cancellationToken);
            }
        }
        finally
        {
            concurrency?.Release();
        }
    }

    /// <summary>Sends and hands over the open answer; the caller disposes it. A failure has been read and is a value.</summary>
    public async Task<(HttpResponseMessage? Stream, ApiResult<byte[]> Failure)> OpenAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        Credential? used = null;
        try
        {
            used = await credentials.GetAsync(cancellationToken);
            var response = await transport.Get(used).SendAsync(Message(request, used), cancellationToken);
            Contact.Answered();
            metrics.Request(request.Call, (int)response.StatusCode, time.GetElapsedTime(began));
            if (response.IsSuccessStatusCode) return (response, new ApiResult<byte[]> { Call = request.Call, StatusCode = (int)response.StatusCode });
            using (response)
            {
                var failure = await ReadAsync(request, response, cancellationToken);
                if (failure.StatusCode == (int)HttpStatusCode.Unauthorized) credentials.Reject(used);
                return (null, failure);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (IsTransport(e))
        {
            metrics.Request(request.Call, 0, time.GetElapsedTime(began));
            return (null, NoAnswer(request, Reasons(e), e));
        }
    }

    private async Task<(ApiResult<byte[]> Result, TimeSpan? RetryAfter)> AttemptAsync(
        ApiRequest request, TimeSpan timeout, int attempt, CancellationToken either, CancellationToken caller)
    {
        var began = time.GetTimestamp();
        var isGet = request.Method == HttpMethod.Get;
        Credential? used = null;
        try
        {
            used = await credentials.GetAsync(either);
            // Each write, each try of it, at the last moment: up to here it may have waited for a slot, a pause or a plugin, or the whole
            // process may have been stopped beyond its term. Asked of the clock, as no timer may have fired yet.
            if (!isGet && leadership is { IsLeader: false }) return (NotSent(request), null);
            using var response = await transport.Get(used).SendAsync(Message(request, used), either);
            Contact.Answered();
            var result = await ReadAsync(request, response, either);
            metrics.Request(request.Call, result.StatusCode, time.GetElapsedTime(began));
            switch (result.StatusCode)
            {
                case (int)HttpStatusCode.Unauthorized:
                    credentials.Reject(used);
                    return (result, isGet && attempt == 0 ? TimeSpan.Zero : null);
                case (int)HttpStatusCode.TooManyRequests:
                    LogThrottled(logger, request.Call.ToString(), Header(response, "X-Kubernetes-PF-FlowSchema-UID") ?? "");
                    return (result, result.RetryAfter);
                case >= 500:
                    // A version that this server has not reached yet: a list from the newest state helps, waiting may not.
                    return (result, ApiReasons.NeedsFreshList(result.Reason, result.Status) ? null : result.RetryAfter);
                default:
                    return (result, null);
            }
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e)
        {
            metrics.Request(request.Call, 0, time.GetElapsedTime(began));
            return (NoAnswer(request, $"no answer within {timeout.TotalSeconds:0.#} s", e), null);
        }
        catch (Exception e) when (IsTransport(e))
        {
            metrics.Request(request.Call, 0, time.GetElapsedTime(began));
            // Only a read may be repeated without asking: a write may have happened.
            var pause = Math.Min(50 * Math.Pow(2, attempt), LongestTransportPause.TotalMilliseconds) * (1 + jitter.Next());
            var again = isGet && e is (HttpRequestException or IOException);
            return (NoAnswer(request, Reasons(e), e), again ? TimeSpan.FromMilliseconds(pause) : null);
        }
    }

    private HttpRequestMessage Message(ApiRequest request, Credential credential)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(config.Host.GetLeftPart(UriPartial.Path).TrimEnd('/') + request.PathAndQuery))
        {
            // Plain http has no way to agree on HTTP/2.
            Version = config.DisableHttp2 || config.Host.Scheme == Uri.UriSchemeHttp ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.UserAgent.TryParseAdd(config.UserAgent);
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        message.Headers.Authorization = credential.Header;
        // SocketsHttpHandler takes the name for SNI and for the certificate check from the Host header (SslOptions.TargetHost is ignored).
        if (config.TlsServerName is { } name) message.Headers.Host = name;
        if (request.Body.Length > 0 || request.Method == HttpMethod.Post || request.Method == HttpMethod.Patch)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
        }

        return message;
    }

    private async Task<ApiResult<byte[]>> ReadAsync(ApiRequest request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var code = (int)response.StatusCode;
        var audit = Header(response, "Audit-Id");
        byte[] body;
        try
        {
            if (response.IsSuccessStatusCode && request.Reader is { } read)
            {
                await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
                await read(stream, cancellationToken);
                body = [];
            }
            else
            {
                body = await ReadBodyAsync(response, cancellationToken);
            }
        }
        catch (JsonException e)
        {
            return new ApiResult<byte[]>
            {
                Call = request.Call,
                StatusCode = code,
                AuditId = audit,
                Reason = ApiReason.Malformed,
                Error = e,
                Message = $"the answer could not be read: {e.Message}",
            };
        }
        catch (BodyTooLargeException e)
        {
            return new ApiResult<byte[]>
            {
                Call = request.Call,
                StatusCode = code,
                AuditId = audit,
                Reason = ApiReason.Malformed,
                Error = e,
                Message = e.Message,
            };
        }

        if (response.IsSuccessStatusCode) return new ApiResult<byte[]> { Call = request.Call, StatusCode = code, AuditId = audit, Value = body };

        var status = StatusOf(body);
        var retry = response.Headers.RetryAfter?.Delta
            ?? (status?.Details?.RetryAfterSeconds is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null);
        return new ApiResult<byte[]>
        {
            Call = request.Call,
            StatusCode = code,
            Status = status,
            Reason = ApiReasons.From(code, status),
            Message = status?.Message is { Length: > 0 } message ? message : Excerpt(body, response.ReasonPhrase),
            RetryAfter = retry,
            AuditId = audit,
        };
    }

    private async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var buffer = new MemoryStream((int)Math.Clamp(response.Content.Headers.ContentLength ?? 4096, 0, 1 << 20));
        var chunk = new byte[16384];
        while (await stream.ReadAsync(chunk, cancellationToken) is > 0 and var count)
        {
            if (buffer.Length + count > config.MaxResponseBytes)
                throw new BodyTooLargeException($"the answer is larger than {config.MaxResponseBytes} bytes");
            buffer.Write(chunk, 0, count);
        }

        return buffer.ToArray();
    }

    internal static V1Status? StatusOf(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body[0] != '{') return null;
        try
        {
            var status = JsonSerializer.Deserialize(body, AbstractionsJsonContext.Default.V1Status);
            return status?.Kind == "Status" ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ApiResult<byte[]> NoAnswer(ApiRequest request, string why, Exception? e) => new()
    {
        Call = request.Call,
        Reason = ApiReason.Transport,
        Message = why,
        Error = e,
    };

    private static ApiResult<byte[]> NotSent(ApiRequest request) => new()
    {
        Call = request.Call,
        Reason = ApiReason.NotLeading,
        Message = "not sent: this process does not lead",
    };

    private static bool IsTransport(Exception e) => e is HttpRequestException or IOException or OperationCanceledException
        or KubeConfigException or System.Security.Cryptography.CryptographicException or UnauthorizedAccessException;

    private static string Reasons(Exception e) =>
        e.InnerException is { } inner && !e.Message.Contains(inner.Message, StringComparison.Ordinal) ? $"{e.Message} ({inner.Message})" : e.Message;

    private static string Excerpt(byte[] body, string? phrase)
    {
        var text = System.Text.Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 200))).Trim();
        return text.Length > 0 ? text : phrase ?? "";
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    [LoggerMessage(10, LogLevel.Debug, "{Call}; again in {Milliseconds:0} ms")]
    private static partial void LogRetry(ILogger logger, string call, double milliseconds);

    [LoggerMessage(11, LogLevel.Information, "{Call}: the API server asks to slow down (flow schema {FlowSchema})")]
    private static partial void LogThrottled(ILogger logger, string call, string flowSchema);

    private sealed class BodyTooLargeException(string message) : Exception(message);
}

/// <summary>Whether the API server answers.</summary>
internal sealed class ServerContact(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    private long _last = -1;

    public void Answered() => Volatile.Write(ref _last, time.GetTimestamp());

    /// <summary>Time since the last answer; since the start when there was none.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _last) is >= 0 and var last ? last : _origin);

    public bool Ever => Volatile.Read(ref _last) >= 0;
}
