using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace RagOperator.ClusterTests.Mutations;

/// <summary>A metric source for each object, which is always content, and remembers what it was asked: queries, windows and components show in nothing else.</summary>
internal sealed class Questions : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _asked = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private Questions(WebApplication app) => _app = app;

    public static async Task<Questions> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var questions = new Questions(app);
        app.Run(questions.AnswerAsync);
        await app.StartAsync();
        return questions;
    }

    /// <summary>The operator's configuration: a source by the name of each object.</summary>
    public string[] Configuration(IEnumerable<string> slots) => [.. slots.SelectMany(slot => (string[])[$"--metricSources.{slot}.url", $"{_app.Urls.Single()}/{slot}"])];

    /// <summary>What was asked of one source since the last look.</summary>
    public IReadOnlyList<string> Of(string slot)
    {
        var found = new List<string>();
        while (_asked.TryGetValue(slot, out var queue) && queue.TryDequeue(out var query)) found.Add(query);
        return found;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
        var query = form?["query"].ToString() is { Length: > 0 } text ? text : context.Request.Query["query"].ToString();
        _asked.GetOrAdd($"{context.Request.Path}".Split('/')[1], static _ => []).Enqueue(query);
        context.Response.ContentType = "application/json";
        // Just as many requests as the sample asks for, and nothing wrong with any of them.
        await context.Response.WriteAsync(
            $$"""{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}},"{{(query.Contains("increase(", StringComparison.Ordinal) ? "100" : "0.005")}}"]}]} }""", context.RequestAborted);
    }
}
