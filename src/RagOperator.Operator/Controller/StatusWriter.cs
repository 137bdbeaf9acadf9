using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Controller;

/// <summary>Writes the status: a merge patch of what changed, for the very version that it was decided from.</summary>
internal sealed class StatusWriter(Cluster cluster, TimeProvider time)
{
    public async Task<WriteResult> WriteAsync(Pass pass, RagDeploymentStatus status, CancellationToken cancellationToken)
    {
        // From the status as it was read: what it has and the new one lacks must be told to go.
        var change = MergePatch.Between(Node(pass.Entity.Status), Node(status)!);
        if (change.Count == 0)
        {
            pass.Memory.LastStatus = Text(pass.Entity.Status);
            return WriteResult.Done;
        }

        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = pass.Owner.Uid, ["resourceVersion"] = pass.Entity.ResourceVersion() },
            ["status"] = change,
        };
        var answer = await cluster.ObjectPort.PatchAsync(patch, pass.Owner.Key, "status", pass.Patience, cancellationToken);
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
    }

    /// <summary>A status as text, to be compared.</summary>
    public static string Text(RagDeploymentStatus? status) => Node(status)?.ToJsonString() ?? "";

    private static JsonObject? Node(RagDeploymentStatus? status) =>
        status is null ? null : JsonSerializer.SerializeToNode(status, ApiJsonContext.Default.RagDeploymentStatus) as JsonObject;
}
