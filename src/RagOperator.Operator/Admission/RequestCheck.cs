using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Api;

namespace RagOperator.Operator.Admission;

/// <summary>Lets requests in from those who may make them, and writes down who did. Taking an approval away counts as giving it.</summary>
/// <remarks>Clearing a request needs no right beyond that to write the object: the operator does it after each one, without a question being asked.</remarks>
internal sealed partial class RequestCheck(IAccessReviewer reviewer, RequestStamps stamps, TimeProvider time, ILogger<RequestCheck> logger)
{
    private const string StampPath = "/metadata/annotations/ragoperator.dev~1requested-by";

    /// <summary>The answer to a write of the annotations.</summary>
    public async Task<AdmissionResponse> MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (AdmissionObject.IsDeleting(request.Object)) return AdmissionResponse.Yes;
        var change = RequestChange.Of(request.OldObject, request.Object);
        return change.Fate switch
        {
            StampFate.Remove => Patched(new PatchStep("remove", StampPath)),
            StampFate.Restore => Patched(new PatchStep("add", StampPath, change.Stamp)),
            StampFate.Authorise => await AuthoriseAsync(request, change, cancellationToken),
            _ => AdmissionResponse.Yes,
        };
    }

    /// <summary>The answer to a write of spec that may take an approval away; null where it does not, or where whoever does may approve.</summary>
    public async Task<AdmissionResponse?> ReviewApprovalAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (!AdmissionObject.Exists(request.OldObject) || AdmissionObject.IsDeleting(request.Object) || AdmissionObject.SameSpec(request.OldObject, request.Object)) return null;
        if (ApprovalGuard.StepFreed(request.OldObject, request.Object) is not { } step) return null;
        var what = $"take approval off step \"{step}\", which is running, or give the release more weight or flags before it is approved";
        var (access, why) = await reviewer.AskAsync(request.UserInfo, "approve", KeyOf(request), cancellationToken);
        return access switch
        {
            Access.Allowed => null,
            Access.Denied => Denied(request, "approve", what),
            _ => Unknown(request, "approve", what, why),
        };
    }

    private async Task<AdmissionResponse> AuthoriseAsync(AdmissionRequest request, RequestChange change, CancellationToken cancellationToken)
    {
        var verb = RequestChange.VerbOf(change.Request!);
        var user = request.UserInfo.Username;
        if (!RequestChange.Verbs.Contains(verb))
        {
            return AdmissionResponse.No(
                422, "Invalid", $"metadata.annotations[{ApiConstants.RequestAnnotation}]: \"{Sla.ShortText.Clean(change.Request!)}\": must begin with one of {string.Join(", ", RequestChange.Verbs)}, followed by /<release>");
        }

        var what = $"{verb} it";
        var (access, why) = await reviewer.AskAsync(request.UserInfo, verb, KeyOf(request), cancellationToken);
        switch (access)
        {
            case Access.Denied:
                return Denied(request, verb, what);
            // Whoever may write the object may also stop what it does, as long as nobody can say otherwise: an outage must not keep a bad release going.
            case Access.Unknown when !RequestChange.IsSafe(verb):
                return Unknown(request, verb, what, why);
            case Access.Unknown:
                LogUnasked(logger, verb, KeyOf(request), user, why);
                break;
        }

        var now = time.GetUtcNow();
        var tried = request.DryRun == true;
        if (!tried) LogLetIn(logger, Sla.ShortText.Clean(user), Sla.ShortText.Clean(change.Request!), KeyOf(request));
        // Without a key nothing can be proven; an unproven name must not stand there either.
        return (tried ? stamps.MakeUnsigned(user, now) : stamps.Make(AdmissionObject.Uid(request.OldObject), change.Request!, user, now)) is { } stamp
            ? Patched(new PatchStep("add", StampPath, stamp))
            : change.HasStamp ? Patched(new PatchStep("remove", StampPath)) : AdmissionResponse.Yes;
    }

    private static NamespacedName KeyOf(AdmissionRequest request) => new(request.Namespace ?? "", request.Name ?? "");

    private static AdmissionResponse Denied(AdmissionRequest request, string verb, string what) => AdmissionResponse.No(
        403,
        "Forbidden",
        $"user \"{request.UserInfo.Username}\" may not {what}: that takes the verb \"{verb}\" on {ApiConstants.Plural}.{ApiConstants.Group} \"{request.Name}\" in namespace \"{request.Namespace}\", "
        + $"by a Role or ClusterRole like {{apiGroups: [{ApiConstants.Group}], resources: [{ApiConstants.Plural}], verbs: [{verb}]}}");

    private static AdmissionResponse Unknown(AdmissionRequest request, string verb, string what, string why) => AdmissionResponse.No(
        503,
        "ServiceUnavailable",
        $"whether user \"{request.UserInfo.Username}\" may {what} (verb \"{verb}\") could not be asked of the API server: {Sla.ShortText.Clean(why)}; try again (abort and pause are let through)");

    private static AdmissionResponse Patched(PatchStep step) => AdmissionResponse.Yes with
    {
        Patch = JsonSerializer.SerializeToUtf8Bytes([step], AdmissionJsonContext.Default.ListPatchStep),
        PatchType = "JSONPatch",
    };

    [LoggerMessage(300, LogLevel.Information, "{User} asks for {Request} of {Key}")]
    private static partial void LogLetIn(ILogger logger, string user, string request, NamespacedName key);

    [LoggerMessage(301, LogLevel.Warning, "Let {Verb} of {Key} through for {User}, though nobody said whether they may: {Why}")]
    private static partial void LogUnasked(ILogger logger, string verb, NamespacedName key, string user, string why);
}
