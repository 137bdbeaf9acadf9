using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>A request failed in a way that the caller did not expect.</summary>
public sealed class KubernetesException : Exception
{
    internal KubernetesException(ApiResult result)
        : base(Describe(result), result.Error)
    {
        Result = result;
    }

    /// <summary>The outcome in full.</summary>
    public ApiResult Result { get; }

    /// <summary>The server's Status object, if it sent one.</summary>
    public V1Status? Status => Result.Status;

    /// <summary>Why it failed.</summary>
    public ApiReason Reason => Result.Reason;

    /// <summary>The HTTP status code; 0 when there was no answer.</summary>
    public int StatusCode => Result.StatusCode;

    private static string Describe(ApiResult result)
    {
        var audit = result.AuditId is { Length: > 0 } id ? $" (Audit-Id {id})" : "";
        return $"{result}{audit}";
    }
}
