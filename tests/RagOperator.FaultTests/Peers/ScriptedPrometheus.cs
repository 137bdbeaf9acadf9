using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace RagOperator.FaultTests.Peers;

/// <summary>A metric source that says what a test wants: a number by default, or anything at all.</summary>
public sealed class ScriptedPrometheus : IAsyncDisposable
{
    private WebApplication? _app;
    private int _asked;

    private ScriptedPrometheus()
    {
    }

    /// <summary>Where it listens.</summary>
    public string Url { get; private set; } = "http://127.0.0.1:0";

    /// <summary>The value of a query; 0 by default. Null for an empty answer.</summary>
    public Func<string, double?> Value { get; set; } = static _ => 0;

    /// <summary>Answers a query in another way than by a number; false leaves it to <see cref="Value"/>.</summary>
    public Func<HttpContext, string, Task<bool>> Script { get; set; } = static (_, _) => Task.FromResult(false);

    /// <summary>The certificate that it shows from the next <see cref="UpAsync"/> on; null: it speaks no TLS, even where its address says so.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Questions so far.</summary>
    public int Asked => _asked;

    /// <summary>Starts one; its address is an https one if it has a certificate.</summary>
    public static async Task<ScriptedPrometheus> StartAsync(X509Certificate2? certificate = null)
    {
        var prometheus = new ScriptedPrometheus { Certificate = certificate };
        await prometheus.UpAsync();
        return prometheus;
    }

    /// <summary>Listens (again), at the same address.</summary>
    public async Task UpAsync()
    {
        if (_app is not null)
            return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, new Uri(Url).Port, listen =>
            {
                if (Certificate is { } certificate)
                    listen.UseHttps(certificate);
            });
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
        if (Url.EndsWith(":0", StringComparison.Ordinal))
            Url = _app.Urls.Single();
    }

    /// <summary>Listens no more: connections are refused until <see cref="UpAsync"/>.</summary>
    public async Task DownAsync()
    {
        if (_app is null)
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync() => await DownAsync();

    /// <summary>An answer as Prometheus gives it.</summary>
    public static string Vector(double value) =>
        $$"""{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[{{Now()}},"{{Number(value)}}"]}]} }""";

    /// <summary>A number as Prometheus writes it.</summary>
    public static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The time of an answer.</summary>
    public static string Now() => (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0).ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>The time that a question is for, asked by POST or, where that was refused, by GET.</summary>
    public static string TimeOf(HttpContext context) =>
        (context.Request.HasFormContentType ? context.Request.Form["time"] : context.Request.Query["time"]).ToString();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _asked);
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
        var query = form?["query"].ToString() is { Length: > 0 } text ? text : context.Request.Query["query"].ToString();
        try
        {
            if (await Script(context, query))
                return;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(
                Value(query) is { } value ? Vector(value) : """{"status":"success","data":{"resultType":"vector","result":[]}}""", context.RequestAborted);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            context.Abort();
        }
    }
}
