namespace RagOperator.Abstractions.Models;

/// <summary>The API server's answer to a request that failed, or to a deletion (<c>metav1.Status</c>).</summary>
public sealed record V1Status
{
    /// <summary>Group and version: <c>v1</c>.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>Always <c>Status</c>.</summary>
    public string? Kind { get; set; }

    /// <summary><c>Success</c> or <c>Failure</c>.</summary>
    public string? Status { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>For machines: <c>NotFound</c>, <c>AlreadyExists</c>, <c>Conflict</c>, <c>Expired</c> ...</summary>
    public string? Reason { get; set; }

    /// <summary>The HTTP status code.</summary>
    public int? Code { get; set; }

    /// <summary>More about the object and the causes.</summary>
    public V1StatusDetails? Details { get; set; }
}

/// <summary>Details of a <see cref="V1Status"/>.</summary>
public sealed record V1StatusDetails
{
    /// <summary>The object's name.</summary>
    public string? Name { get; set; }

    /// <summary>The object's kind or resource.</summary>
    public string? Kind { get; set; }

    /// <summary>Seconds to wait before a retry.</summary>
    public int? RetryAfterSeconds { get; set; }

    /// <summary>What is wrong, field by field.</summary>
    public List<V1StatusCause>? Causes { get; set; }
}

/// <summary>One cause of a failure.</summary>
public sealed record V1StatusCause
{
    /// <summary>For machines, for instance <c>FieldValueInvalid</c>.</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>The field's path.</summary>
    public string? Field { get; set; }
}
