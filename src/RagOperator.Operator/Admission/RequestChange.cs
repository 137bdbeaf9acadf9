using System.Text.Json;
using RagOperator.Api;

namespace RagOperator.Operator.Admission;

/// <summary>What a write does to the request annotation and to the stamp beside it.</summary>
internal enum StampFate
{
    /// <summary>The stamp is as it should be.</summary>
    Leave,

    /// <summary>The stamp must go: there is no request that it could belong to.</summary>
    Remove,

    /// <summary>The request is the one from before, so its stamp must be, too.</summary>
    Restore,

    /// <summary>There is a new request: whoever writes it needs the right to, and is written down.</summary>
    Authorise,
}

/// <summary>What a write does to the request annotation and to the stamp beside it. Pure.</summary>
/// <param name="Fate">What has to happen.</param>
/// <param name="Request">The request as it would be, where there is one.</param>
/// <param name="Stamp">The stamp to restore.</param>
/// <param name="HasStamp">Whether the object as it would be has a stamp.</param>
internal sealed record RequestChange(StampFate Fate, string? Request, string? Stamp, bool HasStamp)
{
    /// <summary>What people may ask for: the custom verbs on ragdeployments are called the same.</summary>
    public static IReadOnlyList<string> Verbs { get; } = ["approve", "promote", "retry", "abort", "pause", "resume"];

    /// <summary>The verbs that make things safer, which no outage may keep anybody from.</summary>
    public static bool IsSafe(string verb) => verb is "abort" or "pause";

    /// <summary>The verb of a request: what is before its first slash.</summary>
    public static string VerbOf(string request) => request.Split('/')[0];

    /// <summary>Compares an object as it is with what it would be.</summary>
    public static RequestChange Of(JsonElement before, JsonElement after)
    {
        var request = AdmissionObject.Annotation(after, ApiConstants.RequestAnnotation);
        var stamp = AdmissionObject.Annotation(after, ApiConstants.RequestedByAnnotation);
        // A new object has no uid yet that a stamp could be bound to; and what is asked for in one is never carried out, as the operator has not seen
        // it before. So nobody needs a right for it, and a restore from a backup is not kept out for a request that somebody left in it.
        if (request is null || !AdmissionObject.Exists(before)) return new(stamp is null ? StampFate.Leave : StampFate.Remove, request, null, stamp is not null);
        if (AdmissionObject.Annotation(before, ApiConstants.RequestAnnotation) != request) return new(StampFate.Authorise, request, null, stamp is not null);
        var earlier = AdmissionObject.Annotation(before, ApiConstants.RequestedByAnnotation);
        if (stamp == earlier) return new(StampFate.Leave, request, earlier, stamp is not null);
        return new(earlier is null ? StampFate.Remove : StampFate.Restore, request, earlier, stamp is not null);
    }
}
