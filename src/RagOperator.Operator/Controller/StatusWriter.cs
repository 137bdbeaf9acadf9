using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Controller;

/// <summary>Writes the status: a merge patch of what changed, for the very version that it was decided from.</summary>
/// <remarks>Status is the operator's alone. Where a conflict comes from somebody who wrote something else, the write is repeated at once for the version that
/// is there now: whoever touches an object thirty times a second must not keep a bad release in traffic. A status that another leader wrote ends the pass.</remarks>
internal sealed class StatusWriter(Cluster cluster, TimeProvider time)
{
    private const int MaxTries = 10;

    /// <summary>Writes it.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="status">The status as decided.</param>
    /// <param name="onlyLowers">Whether nothing rises by it: then a newer spec or request is no reason to wait, it is for the next pass.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<WriteResult> WriteAsync(Pass pass, RagDeploymentStatus status, bool onlyLowers, CancellationToken cancellationToken)
    {
        // From the status as it was read: what it has and the new one lacks must be told to go.
        var change = MergePatch.Between(Node(pass.Entity.Status), Node(status)!);
        if (change.Count == 0)
        {
            pass.Memory.LastStatus = Text(pass.Entity.Status);
            return WriteResult.Done;
        }

        var answer = await PatchAsync(pass.Entity.ResourceVersion());
        for (var tries = 1; answer.Reason == ApiReason.Conflict && tries < MaxTries; tries++)
        {
            var live = await cluster.ObjectPort.GetAsync(pass.Owner.Key, cancellationToken);
            if (live.Object is not RagDeployment now || !IsStillDecidedFrom(pass.Entity, now, onlyLowers)) break;
            answer = await PatchAsync(now.ResourceVersion());
        }

        pass.Memory.Ledger.Note(cluster.ObjectPort, pass.Owner.Key, answer);
        if (answer.Object is RagDeployment written)
        {
            (pass.Entity, pass.EntitySeenAt) = (written, time.GetTimestamp());
            pass.Memory.LastStatus = Text(written.Status);
        }

        else if (answer.Result.IsOutcomeUnknown)
        {
            pass.Memory.UnansweredStatus = Text(status);
        }

        return WriteResult.Of(answer);

        Task<Answer> PatchAsync(string? version)
        {
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject { ["uid"] = pass.Owner.Uid, ["resourceVersion"] = version },
                ["status"] = change.DeepClone(),
            };
            return cluster.ObjectPort.PatchAsync(patch, pass.Owner.Key, "status", pass.Patience, cancellationToken);
        }
    }

    /// <summary>Whether what was decided from is what is there: the same status of the same object, and, where something rises, the same spec and requests.</summary>
    private static bool IsStillDecidedFrom(RagDeployment decided, RagDeployment now, bool onlyLowers) =>
        string.Equals(decided.Uid(), now.Uid(), StringComparison.Ordinal)
        && now.Metadata.DeletionTimestamp is null
        && string.Equals(Text(decided.Status), Text(now.Status), StringComparison.Ordinal)
        && (onlyLowers || (decided.Metadata.Generation == now.Metadata.Generation && Own(decided).SequenceEqual(Own(now))));

    /// <summary>The annotations that the operator reads.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Own(RagDeployment entity) =>
        (entity.Metadata.Annotations ?? []).Where(static a => a.Key.StartsWith(ApiConstants.Group + "/", StringComparison.Ordinal)).OrderBy(static a => a.Key, StringComparer.Ordinal);

    /// <summary>A status as text, to be compared.</summary>
    public static string Text(RagDeploymentStatus? status) => Node(status)?.ToJsonString() ?? "";

    private static JsonObject? Node(RagDeploymentStatus? status) =>
        status is null ? null : JsonSerializer.SerializeToNode(status, ApiJsonContext.Default.RagDeploymentStatus) as JsonObject;
}
