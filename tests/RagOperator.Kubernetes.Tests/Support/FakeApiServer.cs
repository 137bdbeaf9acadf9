using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RagOperator.Kubernetes.Tests.Support;

/// <summary>One request as it came.</summary>
internal sealed record SeenRequest(string Method, string Path, IReadOnlyDictionary<string, string> Query, string? ContentType, string? Authorization, string Body)
{
    public bool IsWatch => Query.ContainsKey("watch");
}

/// <summary>An API server that answers what a test tells it to: one step for each request, in order; the last one for all that follow.</summary>
internal sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Func<HttpContext, Task>> _steps = new();
    private Func<HttpContext, Task> _last = Status(503, "Unavailable", "no script");

    private FakeApiServer(X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is null) return;
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(certificate);
        }));
        builder.Services.Configure<HostOptions>(static o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>All requests so far.</summary>
    public ConcurrentQueue<SeenRequest> Seen { get; } = new();

    public Uri Address => new(_app.Urls.First());

    public static async Task<FakeApiServer> StartAsync(X509Certificate2? certificate = null, params Func<HttpContext, Task>[] steps)
    {
        var server = new FakeApiServer(certificate);
        server.Script(steps);
        await server._app.StartAsync();
        return server;
    }

    public void Script(params Func<HttpContext, Task>[] steps)
    {
        foreach (var step in steps) _steps.Enqueue(step);
    }

    public KubernetesClientConfiguration Configuration => new() { Host = Address, AccessToken = "secret-token" };

    public static Func<HttpContext, Task> Json(string body, int code = 200) => async context =>
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body);
    };

    public static Func<HttpContext, Task> Status(int code, string reason, string message = "no", int? retryAfter = null, string details = "{\"name\":\"x\"}") => async context =>
    {
        if (retryAfter is { } seconds) context.Response.Headers.RetryAfter = $"{seconds}";
        await Json($$"""{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"{{reason}}","message":"{{message}}","code":{{code}},"details":{{details}}}""", code)(context);
    };

    /// <summary>A list of ConfigMaps.</summary>
    public static Func<HttpContext, Task> List(string version, string next, params string[] items) =>
        Json(ListBody(version, next, items));

    public static string ListBody(string version, string next, params string[] items) =>
        $$$"""{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"{{{version}}}","continue":"{{{next}}}"},"items":[{{{string.Join(',', items)}}}]}""";

    public static string Item(string name, string version, string value = "", string uid = "u", string ns = "default") =>
        $$$"""{"metadata":{"name":"{{{name}}}","namespace":"{{{ns}}}","uid":"{{{uid}}}","resourceVersion":"{{{version}}}","managedFields":[{"manager":"m"}]},"data":{"value":"{{{value}}}"}}""";

    public static string Event(string type, string item) => $$"""{"type":"{{type}}","object":{{item}}}""" + "\n";

    public static string Bookmark(string version) =>
        Event("BOOKMARK", $$$"""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"{{{version}}}"}}""");

    public static string Error(int code, string reason) =>
        Event("ERROR", $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"{{reason}}","message":"too old","code":{{code}}}""");

    /// <summary>A watch that sends this text and then ends cleanly.</summary>
    public static Func<HttpContext, Task> Watch(params string[] lines) => async context =>
    {
        context.Response.ContentType = "application/json";
        foreach (var line in lines)
        {
            await context.Response.WriteAsync(line);
            await context.Response.Body.FlushAsync();
        }
    };

    /// <summary>A watch that sends this text and then stays open, mute.</summary>
    public Func<HttpContext, Task> Mute(params string[] lines) => async context =>
    {
        await Watch(lines)(context);
        await context.Response.Body.FlushAsync();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, context.RequestAborted);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
    };

    /// <summary>A watch that sends this text and, at a sign, breaks the connection.</summary>
    public static Func<HttpContext, Task> Cut(Task sign, params string[] lines) => async context =>
    {
        await Watch(lines)(context);
        await context.Response.Body.FlushAsync();
        await sign;
        context.Abort();
    };

    /// <summary>Takes the request and says nothing, not even a header, until the other side gives up.</summary>
    public static async Task MuteAsync(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);

    /// <summary>Sends half of an answer and then says nothing more.</summary>
    public static async Task StallAsync(HttpContext context, string body)
    {
        await Watch(body[..(body.Length / 2)])(context);
        await MuteAsync(context);
    }

    /// <summary>Sends each byte on its own, so that lines and characters arrive in pieces.</summary>
    public static async Task ByteByByteAsync(HttpContext context, string text)
    {
        context.Response.ContentType = "application/json";
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var i = 0; i < bytes.Length; i++)
        {
            await context.Response.Body.WriteAsync(bytes.AsMemory(i, 1));
            await context.Response.Body.FlushAsync();
        }
    }

    public static Task Reset(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _stop.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        Seen.Enqueue(new SeenRequest(
            context.Request.Method,
            context.Request.Path.Value!,
            context.Request.Query.ToDictionary(static q => q.Key, static q => q.Value.ToString(), StringComparer.Ordinal),
            context.Request.ContentType,
            context.Request.Headers.Authorization.FirstOrDefault(),
            body));
        if (_steps.TryDequeue(out var step)) _last = step;
        await _last(context);
    }
}
