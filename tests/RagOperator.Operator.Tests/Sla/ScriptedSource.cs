using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace RagOperator.Operator.Tests.Sla;

/// <summary>A server on a socket of its own that answers each request exactly as the test says, byte for byte.</summary>
internal sealed class ScriptedSource : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Stream, Request, CancellationToken, Task> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly ConcurrentQueue<Request> _requests = new();
    private readonly Task _accepting;

    public ScriptedSource(Func<Stream, Request, CancellationToken, Task> answer, X509Certificate2? certificate = null)
    {
        _answer = answer;
        _certificate = certificate;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public ScriptedSource(string status, string contentType, string body)
        : this((stream, _, ct) => stream.WriteAsync(Http(status, contentType, body), ct).AsTask())
    {
    }

    public int Port { get; }

    public Uri Url => new($"{(_certificate is null ? "http" : "https")}://localhost:{Port}");

    public IReadOnlyList<Request> Requests => [.. _requests];

    public static ScriptedSource Success(string resultType, string result, string more = "") =>
        new("200 OK", "application/json", $$"""{"status":"success","data":{"resultType":"{{resultType}}","result":{{result}}}{{more}}}""");

    public static byte[] Http(string status, string contentType, string body) =>
        Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
        _certificate?.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                stream = tls;
            }

            while (await ReadAsync(stream, _stop.Token) is { } request)
            {
                _requests.Enqueue(request);
                await _answer(stream, request, _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
        }
    }

    private static async Task<Request?> ReadAsync(Stream stream, CancellationToken ct)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, ct) == 0) return null;
            text.Append((char)one[0]);
        }

        var lines = text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase);
        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"))];
        await stream.ReadExactlyAsync(body, ct);
        return new Request(lines[0], headers, Encoding.UTF8.GetString(body));
    }

    internal sealed record Request(string Line, IReadOnlyDictionary<string, string> Headers, string Body)
    {
        /// <summary>A field of the form.</summary>
        public string? Field(string name) =>
            Body.Split('&').Select(f => f.Split('=', 2)).Where(f => f[0] == name).Select(f => WebUtility.UrlDecode(f[1])).FirstOrDefault();
    }
}
