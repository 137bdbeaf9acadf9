using System.Text.Json;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Controller;

/// <summary>One pass over one object, as those see it who carry its writes out.</summary>
internal sealed class Pass
{
    public required ChildOwner Owner { get; init; }

    public required ObjectMemory Memory { get; init; }

    public required Snapshot Seen { get; init; }

    /// <summary>The object; replaced by what the API server answers to writes of this pass.</summary>
    public required RagDeployment Entity { get; set; }

    /// <summary>When the API server last answered in this pass that the object is there, as a timestamp; null: not yet.</summary>
    public long? EntitySeenAt { get; set; }

    /// <summary>Whether nobody could tell in this pass whether the object is there: then it is not asked for again.</summary>
    public bool IsEntityUntold { get; set; }

    /// <summary>How long the answer to a write may take while something waits behind it that lowers; null otherwise.</summary>
    public TimeSpan? Patience { get; set; }

    /// <summary>The last accepted spec; null where there is none.</summary>
    public ResolvedSpec? Spec { get; init; }

    /// <summary>The user's part of the route; null where there is none: then the route keeps what it has.</summary>
    public JsonElement? Route => Spec?.GatewayApi;
}

/// <summary>How a write went.</summary>
internal enum WriteOutcome
{
    /// <summary>It is done, or was not needed any more.</summary>
    Done,

    /// <summary>The world is not what it was decided from: look again at once.</summary>
    Conflict,

    /// <summary>Something has to go first: look again soon.</summary>
    Waiting,

    /// <summary>It would have nothing to fall back on, by a live look: not sent, and nothing else waits for it.</summary>
    Withheld,

    /// <summary>Somebody else holds the name.</summary>
    Taken,

    /// <summary>It was refused or got no answer.</summary>
    Failed,
}

/// <summary>How a write went, and the answer that says so.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="Answer">The answer, where there was one.</param>
/// <param name="Lack">What it lacked, for people.</param>
internal readonly record struct WriteResult(WriteOutcome Outcome, Kubernetes.ApiResult? Answer = null, string? Lack = null)
{
    public static WriteResult Done => new(WriteOutcome.Done);

    public static WriteResult Of(Answer answer) => new(
        answer.IsSuccess ? WriteOutcome.Done
        : answer.Reason is Kubernetes.ApiReason.Conflict or Kubernetes.ApiReason.NotFound ? WriteOutcome.Conflict
        : WriteOutcome.Failed,
        answer.Result);
}
