using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Admission;

/// <summary>The question whether somebody may do something (<c>authorization.k8s.io/v1</c>, SubjectAccessReview).</summary>
internal sealed record AccessReview
{
    /// <summary>Group and version.</summary>
    public string ApiVersion { get; init; } = "authorization.k8s.io/v1";

    /// <summary>The kind.</summary>
    public string Kind { get; init; } = "SubjectAccessReview";

    /// <summary>The question.</summary>
    public AccessReviewSpec Spec { get; init; } = new();

    /// <summary>The answer.</summary>
    public AccessReviewStatus? Status { get; init; }
}

/// <summary>Who and what.</summary>
internal sealed record AccessReviewSpec
{
    /// <summary>The user's name.</summary>
    public string User { get; init; } = "";

    /// <summary>The user's identity.</summary>
    public string? Uid { get; init; }

    /// <summary>The user's groups.</summary>
    public List<string>? Groups { get; init; }

    /// <summary>What the authenticator adds.</summary>
    public Dictionary<string, List<string>>? Extra { get; init; }

    /// <summary>What the user would do.</summary>
    public AccessReviewResource? ResourceAttributes { get; init; }
}

/// <summary>What a user would do, and with what.</summary>
internal sealed record AccessReviewResource
{
    /// <summary>The verb.</summary>
    public string Verb { get; init; } = "";

    /// <summary>The object's namespace.</summary>
    public string? Namespace { get; init; }

    /// <summary>The object's name.</summary>
    public string? Name { get; init; }

    /// <summary>The API group.</summary>
    public string Group { get; init; } = "";

    /// <summary>The plural.</summary>
    public string Resource { get; init; } = "";
}

/// <summary>Whether the user may.</summary>
internal sealed record AccessReviewStatus
{
    /// <summary>Whether it is allowed.</summary>
    public bool Allowed { get; init; }

    /// <summary>Why, for people.</summary>
    public string? Reason { get; init; }
}

/// <summary>What is known of a user's right.</summary>
internal enum Access
{
    /// <summary>The user may.</summary>
    Allowed,

    /// <summary>The user may not.</summary>
    Denied,

    /// <summary>Nobody answered.</summary>
    Unknown,
}

/// <summary>Asks whether users may do what the custom verbs stand for.</summary>
internal interface IAccessReviewer
{
    /// <summary>Asks for one verb on one RagDeployment.</summary>
    /// <param name="user">Who.</param>
    /// <param name="verb">The verb.</param>
    /// <param name="key">The object.</param>
    /// <param name="cancellationToken">Ends the question; then nothing is known.</param>
    /// <returns>The answer, and why nothing is known where that is so.</returns>
    Task<(Access Access, string Why)> AskAsync(AdmissionUser user, string verb, NamespacedName key, CancellationToken cancellationToken);
}

/// <summary>Asks the API server. Standbys ask, too: the client is one that sends outside of a term of leadership.</summary>
internal sealed class AccessReviewer(IKubernetesClient client) : IAccessReviewer
{
    // The API server waits ten seconds for the whole answer by default; what is left is for the way.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public async Task<(Access Access, string Why)> AskAsync(AdmissionUser user, string verb, NamespacedName key, CancellationToken cancellationToken)
    {
        var review = new AccessReview
        {
            Spec = new AccessReviewSpec
            {
                User = user.Username,
                Uid = user.Uid,
                Groups = user.Groups,
                Extra = user.Extra,
                ResourceAttributes = new AccessReviewResource
                {
                    Verb = verb,
                    Namespace = key.Namespace,
                    Name = key.Name,
                    Group = ApiConstants.Group,
                    Resource = ApiConstants.Plural,
                },
            },
        };
        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(review, AdmissionJsonContext.Default.AccessReview);
            var answer = await client.SendAsync(
                HttpMethod.Post, "/apis/authorization.k8s.io/v1/subjectaccessreviews", body: body, timeout: Limit, cancellationToken: cancellationToken);
            if (!answer.IsSuccess) return (Access.Unknown, answer.Message);
            return JsonSerializer.Deserialize(answer.Value, AdmissionJsonContext.Default.AccessReview)?.Status is { } status
                ? (status.Allowed ? Access.Allowed : Access.Denied, status.Reason ?? "")
                : (Access.Unknown, "an answer without a status");
        }
        catch (OperationCanceledException)
        {
            return (Access.Unknown, "no answer in time");
        }
        catch (JsonException)
        {
            return (Access.Unknown, "an answer that cannot be read");
        }
    }
}
