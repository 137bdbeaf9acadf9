using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace RagOperator.Operator.Admission;

/// <summary>Answers the API server's questions at <c>/validate</c> and <c>/mutate</c>, and nothing else. Standbys answer like the leader: nothing is written.</summary>
internal sealed partial class AdmissionEndpoint(SpecCheck specs, RequestCheck requests, TimeProvider time, ILogger<AdmissionEndpoint> logger)
{
    /// <summary>Bytes of a question at most: two objects of the size that etcd takes.</summary>
    public const int MostBytes = 3 << 20;

    // The API server gives up after ten seconds by default. An answer that comes then helps nobody.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(9);

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
            var review = await JsonSerializer.DeserializeAsync(context.Request.Body, AdmissionJsonContext.Default.AdmissionReview, either.Token);
            if (review is not { ApiVersion: AdmissionReview.Version, Kind: nameof(AdmissionReview), Request: { Uid.Length: > 0 } question })
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            var answer = await DecideAsync(path, question, either.Token);
            if (!answer.Allowed) LogRefused(logger, question.Operation, question.Namespace ?? "", question.Name ?? "", question.UserInfo.Username, answer.Status!.Code ?? 0, Sla.ShortText.Clean(answer.Status.Message ?? ""));
            var body = JsonSerializer.SerializeToUtf8Bytes(
                new AdmissionReview { ApiVersion = AdmissionReview.Version, Kind = nameof(AdmissionReview), Response = answer with { Uid = question.Uid } },
                AdmissionJsonContext.Default.AdmissionReview);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, either.Token);
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

    private async Task<AdmissionResponse> DecideAsync(string path, AdmissionRequest question, CancellationToken cancellationToken)
    {
        // Asked only for what the configuration of the webhook names; whatever else comes is not ours to keep out.
        if (question.Operation is not ("CREATE" or "UPDATE") || !string.IsNullOrEmpty(question.SubResource) || !AdmissionObject.Exists(question.Object)) return AdmissionResponse.Yes;
        if (path == "/mutate") return await requests.MutateAsync(question, cancellationToken);
        var answer = specs.Review(question);
        return answer.Allowed && await requests.ReviewApprovalAsync(question, cancellationToken) is { } refusal ? refusal : answer;
    }

    [LoggerMessage(302, LogLevel.Information, "Refused: {Operation} of {Namespace}/{Name} by {User}, {Code}: {Message}")]
    private static partial void LogRefused(ILogger logger, string operation, string @namespace, string name, string user, int code, string message);
}
