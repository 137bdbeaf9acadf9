using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace RagOperator.Operator.Admission;

/// <summary>Answers the API server's questions at <c>/validate</c> and <c>/mutate</c>, and nothing else. Standbys answer like the leader: nothing is written.</summary>
internal sealed partial class AdmissionEndpoint(SpecCheck specs, RequestCheck requests, TimeProvider time, ILogger<AdmissionEndpoint> logger) : IDisposable
{
    /// <summary>Bytes of a question at most: two objects of the size that an API server reads (3 MiB), and what is around them.</summary>
    public const int MostBytes = 8 << 20;

    // Read at one time, so that a flood of them costs neither the memory nor the process that takes bad releases back.
    private const int AtOnce = 4;

    // The API server gives up after ten seconds by default. An answer that comes then helps nobody.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(9);

    private readonly SemaphoreSlim _room = new(AtOnce);

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();

    /// <summary>Answers one request.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        if (path is not ("/validate" or "/mutate"))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (!HttpMethods.IsPost(context.Request.Method) || !context.Request.HasJsonContentType())
        {
            context.Response.StatusCode = HttpMethods.IsPost(context.Request.Method) ? StatusCodes.Status415UnsupportedMediaType : StatusCodes.Status405MethodNotAllowed;
            return;
        }

        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = MostBytes;
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await _room.WaitAsync(either.Token);
            try
            {
                await ReadAndAnswerAsync(context, path, either.Token);
            }
            finally
            {
                _room.Release();
            }
        }
        catch (BadHttpRequestException e)
        {
            context.Response.StatusCode = e.StatusCode;
        }
        catch (JsonException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
        catch (OperationCanceledException) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }

    private async Task ReadAndAnswerAsync(HttpContext context, string path, CancellationToken cancellationToken)
    {
        var review = await JsonSerializer.DeserializeAsync(context.Request.Body, AdmissionJsonContext.Default.AdmissionReview, cancellationToken);
        if (review is not { ApiVersion: AdmissionReview.Version, Kind: nameof(AdmissionReview), Request: { Uid.Length: > 0 } question })
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var answer = await DecideAsync(path, question, cancellationToken);
        if (!answer.Allowed) LogRefused(logger, question.Operation, question.Namespace ?? "", question.Name ?? "", question.UserInfo.Username, answer.Status!.Code ?? 0, Sla.ShortText.Clean(answer.Status.Message ?? ""));
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new AdmissionReview { ApiVersion = AdmissionReview.Version, Kind = nameof(AdmissionReview), Response = answer with { Uid = question.Uid } },
            AdmissionJsonContext.Default.AdmissionReview);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, cancellationToken);
    }

    private async Task<AdmissionResponse> DecideAsync(string path, AdmissionRequest question, CancellationToken cancellationToken)
    {
        // Asked only for what the configuration of the webhook names; whatever else comes is not ours to keep out.
        if (question.Operation is not ("CREATE" or "UPDATE") || !string.IsNullOrEmpty(question.SubResource) || !AdmissionObject.Exists(question.Object)) return AdmissionResponse.Yes;
        if (path == "/mutate") return await requests.MutateAsync(question, cancellationToken);
        AdmissionResponse answer;
        try
        {
            answer = specs.Review(question);
        }
        catch (Exception e) when (e is JsonException or InsufficientExecutionStackException)
        {
            return AdmissionResponse.No(422, "Invalid", "spec: is nested too deeply to be read");
        }

        return answer.Allowed && await requests.ReviewApprovalAsync(question, cancellationToken) is { } refusal ? refusal : answer;
    }

    [LoggerMessage(302, LogLevel.Information, "Refused: {Operation} of {Namespace}/{Name} by {User}, {Code}: {Message}")]
    private static partial void LogRefused(ILogger logger, string operation, string @namespace, string name, string user, int code, string message);
}
