using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Controller;

namespace RagOperator.Operator.Admission;

/// <summary>Believes stamps that verify, each for one request only: one from before the last request was handled proves nothing any more.</summary>
/// <param name="stamps">Checks stamps.</param>
/// <param name="required">Whether somebody has to be known.</param>
/// <param name="time">The time.</param>
internal sealed class StampedRequesters(RequestStamps stamps, bool required, TimeProvider time) : IRequesters
{
    // The key is read at the start. Where it cannot be had in this time something is wrong, and rollouts go on without it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly long _startedAt = time.GetTimestamp();

    /// <inheritdoc/>
    public bool CanTell(RagDeployment entity) => stamps.HasKey
        || entity.GetAnnotation(ApiConstants.RequestAnnotation) is not { } request || RequestChange.IsSafe(RequestChange.VerbOf(request))
        || entity.GetAnnotation(ApiConstants.RequestedByAnnotation) is null
        || time.GetElapsedTime(_startedAt) > Patience;

    /// <inheritdoc/>
    public (string? User, string? Unidentified) Of(RagDeployment entity)
    {
        if (entity.GetAnnotation(ApiConstants.RequestAnnotation) is not { } request) return (null, null);
        var stamp = entity.GetAnnotation(ApiConstants.RequestedByAnnotation);
        var proof = stamps.Verify(entity.Uid(), request, stamp);
        if (proof is not null && entity.Status?.LastRequest is { At: { } handled } && proof.At <= handled) proof = null;
        if (proof is not null) return (proof.User, null);
        return (null, required ? $"it is not proven who asks ({(stamp is null ? "the webhook was not asked when it was written" : "the stamp is not valid for it")}); ask again" : null);
    }
}
