using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <summary>Asks anything that speaks Prometheus' HTTP API: Prometheus, Thanos, Mimir, VictoriaMetrics.</summary>
/// <remarks>
/// Guarantees: one POST to <c>{url}/api/v1/query</c> per question (GET where the source forbids POST, which is remembered), to that address and no other (no redirect, no proxy from the
/// environment, no cookie); an answer within the timeout; at most <see cref="MetricSourceOptions.MaxBodyBytes"/> held; no secret in a message.
/// </remarks>
public sealed class PrometheusMetricSource : IMetricSource, IDisposable
{
    private const int MaxRefusalBytes = 64 * 1024;
    private const string CutHeader = "M3-Results-Limited";

    private readonly MetricSourceOptions _options;
    private readonly TimeProvider _time;
    private readonly SourceCredentials _credentials;
    private readonly HttpClient _http;
    private readonly Uri _address;
    private volatile bool _byGet;

    /// <summary>Makes a source; nothing is sent.</summary>
    /// <param name="options">Where it is and how it is asked.</param>
    /// <param name="time">For the timeout.</param>
    public PrometheusMetricSource(MetricSourceOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _credentials = new SourceCredentials(options);
        _address = QueryAddress(options.Url);
        _byGet = options.Method == SourceMethod.Get;
        _http = new HttpClient(Handler(options))
        {
            // The time limit is our own, over the body too.
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
        };
    }

    /// <inheritdoc/>
    public async Task<MetricAnswer> QueryAsync(string namespaceName, string query, DateTimeOffset at, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        IReadOnlyList<string> secrets = [];
        MetricAnswer answer;
        try
        {
            (answer, var status, secrets) = await AskAsync(namespaceName, query, at, _byGet, both.Token);
            if (status is HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed && !_byGet && _options.Method == SourceMethod.Auto)
            {
                var (second, refused, _) = await AskAsync(namespaceName, query, at, byGet: true, both.Token);
                // Refused both ways it is the source that may not be asked, whatever the method.
                if (refused is not (HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.Unauthorized or HttpStatusCode.NotFound))
                {
                    answer = second;
                    // Remembered once GET was answered: a failure in between tells nothing about the method.
                    _byGet = refused is { } said && ((int)said is >= 200 and < 300 || said is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            answer = new(AnswerKind.Error, Message: $"no answer within {_options.Timeout.TotalSeconds:0.###} s");
        }
        catch (OperationCanceledException)
        {
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // Cancelled connections surface as broken ones now and then.
            cancellationToken.ThrowIfCancellationRequested();
            answer = new(AnswerKind.Error, Message: limit.IsCancellationRequested ? $"no answer within {_options.Timeout.TotalSeconds:0.###} s" : Cause(e));
        }

        return answer.Message is { } message ? answer with { Message = ShortText.Clean(message, secrets) } : answer;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<(MetricAnswer Answer, HttpStatusCode? Status, IReadOnlyList<string> Secrets)> AskAsync(string namespaceName, string query, DateTimeOffset at, bool byGet, CancellationToken cancellationToken)
    {
        using var request = Request(query, at, byGet);
        var (secrets, problem) = await _credentials.ApplyAsync(namespaceName, request, cancellationToken);
        if (problem is not null) return (new(AnswerKind.Error, Message: problem), null, secrets);
        var (answer, status) = await SendAsync(request, at, cancellationToken);
        return (answer, status, secrets);
    }

    private async Task<(MetricAnswer Answer, HttpStatusCode Status)> SendAsync(HttpRequestMessage request, DateTimeOffset at, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        if (!response.IsSuccessStatusCode)
            return (PrometheusAnswer.OfRefusal(response.StatusCode, await RefusalTextAsync(response, mediaType, cancellationToken)), response.StatusCode);
        // M3 cuts what is too much for it, and says so in a header alone.
        if (response.Headers.Contains(CutHeader)) return (new(AnswerKind.Invalid, Message: $"the answer is partial: the source says so by {CutHeader}"), response.StatusCode);
        var answer = await BoundedBody.ReadAsync(response.Content, _options.MaxBodyBytes, cancellationToken) is { } body
            ? PrometheusAnswer.OfSuccess(mediaType, body, at)
            : new MetricAnswer(AnswerKind.Error, Message: $"the answer has more than {_options.MaxBodyBytes} bytes");
        return (answer, response.StatusCode);
    }

    /// <summary>The body of a refusal, only for its message: the status is verdict enough, so whatever fails here is passed over.</summary>
    private static async Task<byte[]> RefusalTextAsync(HttpResponseMessage response, string? mediaType, CancellationToken cancellationToken)
    {
        if (mediaType is null || !mediaType.EndsWith("json", StringComparison.OrdinalIgnoreCase)) return [];
        try
        {
            return await BoundedBody.ReadAsync(response.Content, MaxRefusalBytes, cancellationToken) ?? [];
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return [];
        }
    }

    private HttpRequestMessage Request(string query, DateTimeOffset at, bool byGet)
    {
        KeyValuePair<string, string>[] fields =
        [
            new("query", query),
            new("time", (at.ToUnixTimeMilliseconds() / 1000m).ToString("0.000", CultureInfo.InvariantCulture)),
            new("timeout", $"{(long)_options.Timeout.TotalMilliseconds}ms"),
            // VictoriaMetrics answers from a cache else; the others do not know the word.
            new("nocache", "1"),
        ];
        var request = byGet
            ? new HttpRequestMessage(HttpMethod.Get, new UriBuilder(_address) { Query = string.Join('&', [.. Own(_address), .. fields.Select(static f => $"{f.Key}={Uri.EscapeDataString(f.Value)}")]) }.Uri)
            // By POST, since no limit on the length of an address applies there.
            : new HttpRequestMessage(HttpMethod.Post, _address) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("rag-operator", null));
        return request;
    }

    private static string[] Own(Uri address) => address.Query.Length > 1 ? [address.Query[1..]] : [];

    private static SocketsHttpHandler Handler(MetricSourceOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = options.MaxConcurrency,
            MaxResponseHeadersLength = 64,
            // What is left of a body that was too large is not read to its end.
            MaxResponseDrainSize = 0,
            // A name may come to mean another address, and a CA file other roots.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ActivityHeadersPropagator = null,
        };
        if (options.InsecureSkipVerify)
        {
#pragma warning disable CA5359 // The configuration asks for it by name, and it is said at start.
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (options.CaFile is { } caFile)
        {
            var trust = new SourceTrust(caFile);
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => trust.Accepts(certificate, chain, errors);
        }

        return handler;
    }

    private static Uri QueryAddress(Uri url) =>
        new UriBuilder(url) { Path = $"{url.AbsolutePath.TrimEnd('/')}/api/v1/query", UserName = "", Password = "", Fragment = "" }.Uri;

    private static string Cause(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is AuthenticationException) return $"TLS: {inner.Message}";
            if (inner is SocketException socket)
            {
                return socket.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "connection refused",
                    SocketError.ConnectionReset => "the connection was reset",
                    SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "the source's name cannot be resolved",
                    _ => $"connection failed: {socket.SocketErrorCode}",
                };
            }
        }

        return e is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown and var error }
            ? error switch
            {
                HttpRequestError.ResponseEnded => "the connection ended before the answer did",
                HttpRequestError.InvalidResponse => "the answer is not HTTP",
                HttpRequestError.SecureConnectionError => "TLS failed",
                _ => $"the question failed: {error}",
            }
            : "the connection broke";
    }
}
