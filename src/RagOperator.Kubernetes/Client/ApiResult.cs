using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>The outcome of one request to the API server. Expected outcomes (not found, conflict, no answer) are values, not exceptions.</summary>
public abstract class ApiResult
{
    private protected ApiResult()
    {
    }

    /// <summary>What was asked: verb, resource (plural) and key.</summary>
    public required ApiCall Call { get; init; }

    /// <summary>The HTTP status code; 0 when there was no answer.</summary>
    public int StatusCode { get; init; }

    /// <summary>The server's Status object, if it sent one.</summary>
    public V1Status? Status { get; init; }

    /// <summary>Why it failed; <see cref="ApiReason.None"/> on success.</summary>
    public ApiReason Reason { get; init; }

    /// <summary>For people: the server's message, or what happened on the way. Never holds a credential.</summary>
    public string Message { get; init; } = "";

    /// <summary>How long the server asks to wait before a retry, if it said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The server's <c>Audit-Id</c>, for finding the request in its audit log.</summary>
    public string? AuditId { get; init; }

    /// <summary>What was thrown on the way, for <see cref="ApiReason.Transport"/> and <see cref="ApiReason.Malformed"/>.</summary>
    public Exception? Error { get; init; }

    /// <summary>Whether the server did what was asked.</summary>
    public bool IsSuccess => Reason == ApiReason.None;

    /// <summary>Whether a write may or may not have happened: read live before deciding anything.</summary>
    public bool IsOutcomeUnknown => Reason is ApiReason.Transport or ApiReason.Timeout or ApiReason.InternalError or ApiReason.Unavailable;

    /// <summary>The exception that tells of this failure.</summary>
    public KubernetesException ToException() => new(this);

    /// <inheritdoc/>
    public override string ToString() => (IsSuccess, StatusCode) switch
    {
        (true, _) => $"{Call}: {StatusCode}",
        // No answer came that would have a code.
        (false, 0) => $"{Call}: {Message}",
        _ => $"{Call}: {StatusCode} {Reason}: {Message}",
    };
}

/// <summary>The outcome of one request, with what it returned.</summary>
/// <typeparam name="T">What a success returns.</typeparam>
public sealed class ApiResult<T> : ApiResult
    where T : class
{
    /// <summary>What the server returned; null on failure, and where a success carries no object.</summary>
    public T? Value { get; init; }

    /// <summary>The value of a success.</summary>
    /// <exception cref="KubernetesException">The request failed, or returned nothing.</exception>
    public T EnsureSuccess() => IsSuccess && Value is { } value ? value : throw ToException();

    /// <summary>The value, or null when the object or its kind is not there.</summary>
    /// <exception cref="KubernetesException">Any other failure.</exception>
    public T? ValueOrNull() => Reason is ApiReason.NotFound or ApiReason.KindMissing ? null : EnsureSuccess();

    /// <summary>The same failure for another type of value, and by another name for what was asked where one is given.</summary>
    internal ApiResult<TOther> Failed<TOther>(ApiCall? call = null)
        where TOther : class => new()
        {
            Call = call ?? Call,
            StatusCode = StatusCode,
            Status = Status,
            Reason = Reason,
            Message = Message,
            RetryAfter = RetryAfter,
            AuditId = AuditId,
            Error = Error,
        };
}

/// <summary>What a request was about, for messages.</summary>
/// <param name="Verb">The verb as RBAC names it: get, list, watch, create, patch, delete.</param>
/// <param name="Resource">The plural, with the subresource after a slash if there is one.</param>
/// <param name="Key">The object; the name is empty for lists and watches.</param>
public readonly record struct ApiCall(string Verb, string Resource, NamespacedName Key)
{
    /// <inheritdoc/>
    public override string ToString() => Key is { Name.Length: > 0 } or { Namespace.Length: > 0 } ? $"{Verb} {Resource} {Key}" : $"{Verb} {Resource}";
}
