using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using RagOperator.TestBed.Bed;

namespace RagOperator.TestBed.Faults;

/// <summary>Stands between one operator and the real API server: sees each request and each watch line, keeps the trajectory, and does what its
/// faults say. It asks the server with the administrator's rights.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private const int MaxBody = 8 << 20;
    private const string LateKind = "httproutes";
    private static readonly TimeSpan s_late = TimeSpan.FromSeconds(5);
    private readonly ApiAccess _api;
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Fault> _faults;
    private readonly ConcurrentDictionary<string, int> _left = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte[]> _firstLists = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _struck = new();
    private readonly ConcurrentDictionary<(string Resource, string Connection), bool> _connections = new();
    private readonly Lock _lock = new();
    private volatile int _life = 1;
    private bool _serverBegins;
    private long? _serverBegan;

    private FaultProxy(ApiAccess api, WebApplication app, string kubeConfig, IEnumerable<Fault> faults, Trajectory? beside)
    {
        (_api, _app, KubeConfig) = (api, app, kubeConfig);
        Trajectory = new Trajectory(TimeProvider.System, beside);
        _faults = new(faults.ToDictionary(fault => fault.Place, StringComparer.Ordinal), StringComparer.Ordinal);
    }

    /// <summary>What the operator is given.</summary>
    public string KubeConfig { get; }

    /// <summary>All writes so far.</summary>
    public Trajectory Trajectory { get; }

    /// <summary>Kills the operator and starts it again; returns when it is dead.</summary>
    public Func<Task> Kill { get; set; } = static () => Task.CompletedTask;

    /// <summary>Looks at the world right before a write goes to the server; what it returns becomes <see cref="Deed.Witness"/>.</summary>
    public Func<Deed, Task<object?>> Witness { get; set; } = static _ => Task.FromResult<object?>(null);

    /// <summary>A standing refusal: the status code that a request is answered with instead of being forwarded, or null.</summary>
    public Func<ApiCall, int?> Refuse { get; set; } = static _ => null;

    /// <summary>Faults by chance rather than by plan: the action for a request, or null.</summary>
    public Func<ApiCall, string?> Chance { get; set; } = static _ => null;

    /// <summary>The same for each line of the watches of a kind.</summary>
    public Func<string, string?> LineChance { get; set; } = static _ => null;

    /// <summary>Which life of the operator it is, from 1.</summary>
    public int Life => _life;

    /// <summary>Which connections were used for which resource, by reads, writes and watches alike.</summary>
    public IReadOnlyCollection<(string Resource, string Connection)> Connections => [.. _connections.Keys];

    /// <summary>The faults that have happened, with their places.</summary>
    public IReadOnlyCollection<string> Struck => _struck;

    /// <summary>Starts a proxy on a free port of loopback.</summary>
    /// <param name="api">The server behind it.</param>
    /// <param name="folder">Where its kubeconfig is written to.</param>
    /// <param name="faults">What is to go wrong; one fault at a place.</param>
    /// <param name="beside">What another operator writes, where the order of both is to be told.</param>
    public static async Task<FaultProxy> StartAsync(ApiAccess api, string folder, IEnumerable<Fault> faults, Trajectory? beside = null)
    {
        ArgumentNullException.ThrowIfNull(api);
        using var certificates = new Certificates();
        var (certificatePem, keyPem) = certificates.Issue("CN=proxy");
        using var pem = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(certificate);
            });
        });
        var app = builder.Build();
        var file = Path.Combine(folder, "kubeconfig");
        var proxy = new FaultProxy(api, app, file, faults, beside);
        app.Run(proxy.HandleAsync);
        await app.StartAsync();
        await File.WriteAllTextAsync(file, $$"""
            apiVersion: v1
            kind: Config
            clusters: [{name: proxy, cluster: {server: "{{app.Urls.Single()}}", certificate-authority-data: {{Convert.ToBase64String(Encoding.ASCII.GetBytes(certificates.AuthorityPem))}} } }]
            users: [{name: operator, user: {token: none} }]
            contexts: [{name: proxy, context: {cluster: proxy, user: operator} }]
            current-context: proxy
            """);
        return proxy;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            var body = await BodyAsync(context.Request);
            var call = ApiCall.Of(context.Request.Method, context.Request.Path, context.Request.QueryString.Value ?? "", body);
            _connections.TryAdd((call.Resource, context.Connection.Id), true);
            if (call.Verb == "watch")
                await WatchAsync(context, call);
            else
                await RequestAsync(context, call, body);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            context.Abort();
        }
    }

    /// <summary>A refusal that stands, or that of a server which has begun a moment before.</summary>
    private int? RefusalOf(ApiCall call)
    {
        if (Refuse(call) is { } refused)
            return refused;
        lock (_lock)
        {
            if (_serverBegins)
                (_serverBegins, _serverBegan) = (false, TimeProvider.System.GetTimestamp());
            return call.Kind == LateKind && _serverBegan is { } began && TimeProvider.System.GetElapsedTime(began) < s_late ? 404 : null;
        }
    }

    private async Task RequestAsync(HttpContext context, ApiCall call, byte[] body)
    {
        var deed = Trajectory.Begin(call, body, _life);
        try
        {
            await CarryOutAsync(context, deed, body);
        }
        finally
        {
            Trajectory.Leave(deed);
        }
    }

    private async Task CarryOutAsync(HttpContext context, Deed deed, byte[] body)
    {
        var call = deed.Call;
        if (RefusalOf(call) is { } refused)
        {
            await RefuseAsync(context, deed, refused);
            return;
        }

        var fault = call.Verb == "list" && Trajectory.Armed && _firstLists.ContainsKey(call.Kind) && Take($"old-list {call.Kind}") is { } old ? old : Take(deed.Place);
        if (fault is null && Chance(call) is { } action)
            fault = new Fault { Place = deed.Place, Action = action };
        deed.Fault = fault?.Action;
        switch (fault?.Action)
        {
            case FaultAction.KillBefore:
                await KillAsync();
                context.Abort();
                return;
            case FaultAction.ResetBefore:
                context.Abort();
                return;
            case FaultAction.OldList when _firstLists.TryGetValue(call.Kind, out var first):
                await AnswerAsync(context, 200, first, null);
                return;
            case FaultAction.NotFound:
                await AnswerAsync(context, 404, RefusalBody(404, call.Name), null);
                return;
            case { } code when int.TryParse(code, out var status):
                await RefuseAsync(context, deed, status);
                return;
            default:
                break;
        }

        if (call.Counts)
            deed.Witness = await Witness(deed);
        var (answerStatus, answer, retryAfter) = await ForwardAsync(context, body);
        Trajectory.End(deed, answerStatus, answer);
        if (call.Verb == "list" && answerStatus == 200)
            _firstLists.TryAdd(call.Kind, answer);
        switch (fault?.Action)
        {
            case FaultAction.KillLost:
                await KillAsync();
                context.Abort();
                break;
            case FaultAction.ResetAfter:
                context.Abort();
                break;
            default:
                await AnswerAsync(context, answerStatus, answer, retryAfter);
                if (fault?.Action is FaultAction.KillAfter or FaultAction.KillBoth)
                {
                    await context.Response.CompleteAsync();
                    await KillAsync();
                    lock (_lock)
                        _serverBegins |= fault.Action == FaultAction.KillBoth;
                }

                break;
        }
    }

    private async Task WatchAsync(HttpContext context, ApiCall call)
    {
        if (RefusalOf(call) is { } refused)
        {
            await AnswerAsync(context, refused, RefusalBody(refused), null);
            return;
        }

        if (Take($"410-answer {call.Kind}") is not null)
        {
            await AnswerAsync(context, 410, RefusalBody(410), null);
            return;
        }

        if (Take($"open {call.Kind}") is { } opening)
        {
            if (int.TryParse(opening.Action[FaultAction.Open.Length..], out var code))
                await AnswerAsync(context, code, RefusalBody(code), code == 429 ? "1" : null);
            else
                context.Abort();
            return;
        }

        using var request = Upstream(context, []);
        using var response = await _api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        await context.Response.StartAsync(context.RequestAborted);
        await using var stream = await response.Content.ReadAsStreamAsync(context.RequestAborted);
        using var reader = new StreamReader(stream);
        await new WatchRelay(context, call.Kind, Trajectory.CountLine, place => Take(place) ?? ByChance(call.Kind, place), Plant).RunAsync(reader);
    }

    /// <summary>The fault of a place, once for each of its times.</summary>
    private Fault? Take(string place)
    {
        if (place.Length == 0 || !_faults.TryGetValue(place, out var fault))
            return null;
        var left = _left.AddOrUpdate(place, fault.Times - 1, static (_, n) => n - 1);
        if (left < 0)
            return null;
        _struck.Enqueue(place);
        if (left > 0 && place.LastIndexOf('#') is > 0 and var hash && int.TryParse(place[(hash + 1)..], out var count))
            Plant(fault with { Place = $"{place[..hash]}#{count + 1}", Times = left });
        return fault;
    }

    private Fault? ByChance(string kind, string place) => LineChance(kind) is { } action ? new Fault { Place = place, Action = action } : null;

    private void Plant(Fault fault) => _faults[fault.Place] = fault;

    private async Task KillAsync()
    {
        Interlocked.Increment(ref _life);
        await Kill();
    }

    private async Task<(int Status, byte[] Body, string? RetryAfter)> ForwardAsync(HttpContext context, byte[] body)
    {
        using var request = Upstream(context, body);
        // Not tied to the client: what the server was asked for it does, whether or not somebody still waits.
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
        using var response = await _api.Http.SendAsync(request, timeout.Token);
        var answer = await response.Content.ReadAsByteArrayAsync(timeout.Token);
        return ((int)response.StatusCode, answer, response.Headers.RetryAfter?.ToString());
    }

    private static HttpRequestMessage Upstream(HttpContext context, byte[] body)
    {
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), context.Request.Path + context.Request.QueryString);
        foreach (var name in (string[])["Accept", "User-Agent"])
            if (context.Request.Headers.TryGetValue(name, out var value))
                request.Headers.TryAddWithoutValidation(name, value.ToString());
        if (body.Length > 0)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        }

        return request;
    }

    private static async Task<byte[]> BodyAsync(HttpRequest request)
    {
        using var memory = new MemoryStream();
        await request.Body.CopyToAsync(memory, request.HttpContext.RequestAborted);
        return memory.ToArray();
    }

    private async Task RefuseAsync(HttpContext context, Deed deed, int status)
    {
        deed.Fault ??= $"{status}";
        await AnswerAsync(context, status, RefusalBody(status), status == 429 ? "1" : null);
    }

    private static async Task AnswerAsync(HttpContext context, int status, byte[] body, string? retryAfter)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        if (retryAfter is not null)
            context.Response.Headers.RetryAfter = retryAfter;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>What an API server says with a status code, in its own form.</summary>
    private static byte[] RefusalBody(int status, string name = "")
    {
        var reason = status switch
        {
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            422 => "Invalid",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            _ => "InternalError",
        };
        var details = name.Length == 0 ? "" : $$""","details":{"name":"{{name}}"}""";
        return Encoding.UTF8.GetBytes($$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"injected: {{reason}}","reason":"{{reason}}","code":{{status}}{{details}} }""");
    }
}
