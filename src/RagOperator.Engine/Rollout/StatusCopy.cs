using RagOperator.Api.V1Alpha1;

namespace RagOperator.Engine.Rollout;

/// <summary>Copies a status so that a pass may change its own. Elements of lists are replaced, never changed.</summary>
internal static class StatusCopy
{
    public static RagDeploymentStatus Of(RagDeploymentStatus? status) => status is null
        ? new RagDeploymentStatus()
        : status with
        {
            Step = status.Step is null ? null : status.Step with { },
            Attempt = status.Attempt is null ? null : status.Attempt with { },
            Rollback = status.Rollback is null ? null : status.Rollback with { },
            Recovery = status.Recovery is null ? null : status.Recovery with { },
            Flags = Copy(status.Flags),
            Struck = Copy(status.Struck),
            Components = Copy(status.Components),
            Sla = Copy(status.Sla),
            Retiring = Copy(status.Retiring),
            History = Copy(status.History),
            Conditions = Copy(status.Conditions),
        };

    private static List<T>? Copy<T>(List<T>? list) => list is null ? null : [.. list];
}
