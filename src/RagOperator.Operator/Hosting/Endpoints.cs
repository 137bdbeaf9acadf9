using System.Text.Encodings.Web;
using System.Text.Json;
using RagOperator.Operator.Hosting.Health;
using RagOperator.Operator.Hosting.Metrics;

namespace RagOperator.Operator.Hosting;

/// <summary>What the process serves: probes, details and metrics. Nothing of it changes anything.</summary>
internal static class Endpoints
{
    // For people's eyes: a plus sign stays a plus sign.
    private static readonly HealthJsonContext Json = new(
        new JsonSerializerOptions(HealthJsonContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Adds them.</summary>
    public static void Map(WebApplication app)
    {
        app.MapGet("/healthz", context => AnswerAsync(context, context.RequestServices.GetRequiredService<HealthBoard>().Dead()));
        app.MapGet("/readyz", context => AnswerAsync(context, context.RequestServices.GetRequiredService<HealthBoard>().NotReady()));
        app.MapGet("/health/detailed", DetailsAsync);
        app.MapGet("/metrics", MetricsAsync);
    }

    private static Task AnswerAsync(HttpContext context, IReadOnlyList<string> missing)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.StatusCode = missing.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(missing.Count == 0 ? "ok\n" : $"not ok: {string.Join(", ", missing)}\n");
    }

    // Always 200: it tells how things are to people and dashboards; probes ask the others.
    private static Task DetailsAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        var details = context.RequestServices.GetRequiredService<HealthBoard>().Details();
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(details, Json.HealthDetails)).AsTask();
    }

    private static Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = MetricsExporter.ContentType;
        return context.Response.WriteAsync(context.RequestServices.GetRequiredService<MetricsExporter>().Write());
    }
}
