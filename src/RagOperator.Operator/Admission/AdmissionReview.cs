using System.Text.Json;
using System.Text.Json.Serialization;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Operator.Admission;

/// <summary>A question of the API server, and the answer (<c>admission.k8s.io/v1</c>, AdmissionReview).</summary>
internal sealed record AdmissionReview
{
    /// <summary>The only version that is spoken; API servers know it from 1.16 on.</summary>
    public const string Version = "admission.k8s.io/v1";

    /// <summary>Group and version.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Always <c>AdmissionReview</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>The question.</summary>
    public AdmissionRequest? Request { get; init; }

    /// <summary>The answer.</summary>
    public AdmissionResponse? Response { get; init; }
}

/// <summary>What is about to be written, and by whom.</summary>
internal sealed record AdmissionRequest
{
    /// <summary>The question's own identity; the answer repeats it.</summary>
    public string Uid { get; init; } = "";

    /// <summary>The object's name; empty where the server is to make one up.</summary>
    public string? Name { get; init; }

    /// <summary>The object's namespace.</summary>
    public string? Namespace { get; init; }

    /// <summary>CREATE, UPDATE, DELETE or CONNECT.</summary>
    public string Operation { get; init; } = "";

    /// <summary>The subresource that is written, or nothing.</summary>
    public string? SubResource { get; init; }

    /// <summary>Who asks, as the API server authenticated them.</summary>
    public AdmissionUser UserInfo { get; init; } = new();

    /// <summary>The object as it would be.</summary>
    [JsonPropertyName("object")]
    public JsonElement Object { get; init; }

    /// <summary>The object as it is; null for a creation.</summary>
    public JsonElement OldObject { get; init; }

    /// <summary>Whether nothing will be written in any case.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>A user (<c>authentication.k8s.io/v1</c>, UserInfo).</summary>
internal sealed record AdmissionUser
{
    /// <summary>The name, unique among those who are there now.</summary>
    public string Username { get; init; } = "";

    /// <summary>The identity, also unique in time; often empty.</summary>
    public string? Uid { get; init; }

    /// <summary>The groups.</summary>
    public List<string>? Groups { get; init; }

    /// <summary>What the authenticator adds.</summary>
    public Dictionary<string, List<string>>? Extra { get; init; }
}

/// <summary>Whether it may be written, and with which changes.</summary>
internal sealed record AdmissionResponse
{
    /// <summary>The question's <see cref="AdmissionRequest.Uid"/>.</summary>
    public string Uid { get; init; } = "";

    /// <summary>Whether it may.</summary>
    public required bool Allowed { get; init; }

    /// <summary>Why not.</summary>
    public V1Status? Status { get; init; }

    /// <summary>Changes to make, as a JSON patch.</summary>
    public byte[]? Patch { get; init; }

    /// <summary><c>JSONPatch</c> where there is a patch.</summary>
    public string? PatchType { get; init; }

    /// <summary>What kubectl prints to whoever writes.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }

    /// <summary>Yes, as it is.</summary>
    public static AdmissionResponse Yes { get; } = new() { Allowed = true };

    /// <summary>No.</summary>
    /// <param name="code">The HTTP status code that the writer gets.</param>
    /// <param name="reason">The reason for machines.</param>
    /// <param name="message">The reason for people.</param>
    /// <param name="details">Field by field.</param>
    public static AdmissionResponse No(int code, string reason, string message, V1StatusDetails? details = null) => new()
    {
        Allowed = false,
        Status = new V1Status { ApiVersion = "v1", Kind = "Status", Status = "Failure", Code = code, Reason = reason, Message = message, Details = details },
    };
}

/// <summary>One step of a JSON patch.</summary>
/// <param name="Op"><c>add</c> (which replaces, too) or <c>remove</c>.</param>
/// <param name="Path">A JSON pointer.</param>
/// <param name="Value">The value of an addition.</param>
internal sealed record PatchStep(string Op, string Path, string? Value = null);

/// <summary>How deep a question may be.</summary>
internal static class Levels
{
    /// <summary>More than the 10,000 that an API server reads: what it takes must not be unreadable here, or it would pass unasked.</summary>
    public const int Most = 10_100;
}

/// <summary>Source-generated JSON of what the webhook reads and writes.</summary>
[JsonSourceGenerationOptions(
    MaxDepth = Levels.Most,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimestampConverter)])]
[JsonSerializable(typeof(AdmissionReview))]
[JsonSerializable(typeof(List<PatchStep>))]
[JsonSerializable(typeof(AccessReview))]
internal sealed partial class AdmissionJsonContext : JsonSerializerContext;
