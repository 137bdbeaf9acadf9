namespace RagOperator.SampleService;

/// <summary>Counting, and the faults that the image's tag asks for, around an endpoint.</summary>
internal static class CountedEndpoints
{
    private static long s_requests;

    public static void Counted(this RouteHandlerBuilder endpoint, string handler, string method = "POST")
    {
        endpoint.Add(builder =>
        {
            var services = builder.ApplicationServices;
            var metrics = services.GetRequiredService<RequestMetrics>();
            var tag = services.GetRequiredService<ImageTag>();
            var time = services.GetRequiredService<TimeProvider>();
            var next = builder.RequestDelegate!;
            metrics.Announce(handler, method);
            builder.RequestDelegate = async context =>
            {
                var start = time.GetTimestamp();
                try
                {
                    if (tag.Delay > TimeSpan.Zero)
                        await Task.Delay(tag.Delay, time, context.RequestAborted);
                    if (tag.FailEvery > 0 && Interlocked.Increment(ref s_requests) % tag.FailEvery == 0)
                    {
                        context.Response.StatusCode = 500;
                        await context.Response.WriteAsync("{\"error\":\"this image fails now and then\"}");
                    }
                    else
                    {
                        await next(context);
                    }
                }
                catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
                {
                    context.Response.StatusCode = 499; // the client went away: no answer of ours
                }
                finally
                {
                    metrics.Record(handler, context.Request.Method, context.Response.StatusCode, time.GetElapsedTime(start));
                }
            };
        });
    }
}
