using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>From status code and Status object to a reason. 404 and 409 mean two things each: the Status tells which.</summary>
internal static class ApiReasons
{
    public static ApiReason From(int code, V1Status? status) => (code, status?.Reason) switch
    {
        // A kind that is not served answers with plain text, or with a Status that names no object.
        (404, _) when status?.Details?.Name is not { Length: > 0 } => ApiReason.KindMissing,
        (404, _) => ApiReason.NotFound,
        (_, "AlreadyExists") => ApiReason.AlreadyExists,
        (_, "Expired") => ApiReason.Expired,
        (_, "Gone") => ApiReason.Gone,
        (_, "ServerTimeout") => ApiReason.ServerTimeout,
        (400, _) => ApiReason.BadRequest,
        (401, _) => ApiReason.Unauthorized,
        (403, _) => ApiReason.Forbidden,
        (405, _) => ApiReason.MethodNotAllowed,
        (409, _) => ApiReason.Conflict,
        (410, _) => ApiReason.Gone,
        (413, _) => ApiReason.RequestEntityTooLarge,
        (415, _) => ApiReason.UnsupportedMediaType,
        // A uid that is not the object's fails validation ("field is immutable") before it is looked at as a precondition.
        (422, _) when status?.Details?.Causes?.Exists(static c => c.Field == "metadata.uid") == true => ApiReason.Conflict,
        (422, _) => ApiReason.Invalid,
        (429, _) => ApiReason.TooManyRequests,
        (500, _) => ApiReason.InternalError,
        (504, _) => ApiReason.Timeout,
        (502 or 503, _) => ApiReason.Unavailable,
        _ => ApiReason.Unknown,
    };

    /// <summary>Whether a list or watch must begin anew without the version that it asked for.</summary>
    public static bool NeedsFreshList(ApiReason reason, V1Status? status) =>
        reason is ApiReason.Gone or ApiReason.Expired
        || status?.Details?.Causes?.Exists(static c => c.Reason == "ResourceVersionTooLarge") == true
        || (reason is ApiReason.Timeout && status?.Message?.Contains("Too large resource version", StringComparison.Ordinal) == true);
}
