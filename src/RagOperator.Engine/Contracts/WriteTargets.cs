using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Contracts;

/// <summary>What a write is to: by this name <see cref="Observed.Unwritten"/> tells of one that was not taken.</summary>
public static class WriteTargets
{
    /// <summary>Kind and name of the child: <c>ConfigMap assistant-api-x-flags</c>; null for what is neither a child that serves nor an adoption.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    /// <param name="write">The write.</param>
    public static string? Of(string name, Write write) => write switch
    {
        ApplyFlags w => $"ConfigMap {ChildNames.Flags(name, w.Component, w.Revision)}",
        ScaleDeployment w => $"Deployment {w.Target.Name}",
        CreateDeployment w => $"Deployment {ChildNames.Revision(name, w.Component, RevisionOf(w.Release, w.Component))}",
        CreateRevisionService w => $"Service {ChildNames.Revision(name, w.Component, RevisionOf(w.Release, w.Component))}",
        ApplyStableService w => $"Service {ChildNames.Stable(name, w.Component)}",
        DescribeChild w => $"metadata of {w.Kind} {w.Target.Name}",
        Adopt w => $"owner of {w.Kind} {w.Target.Name}",
        _ => null,
    };

    private static string RevisionOf(ReleaseRecord release, string component) => release.Component(component)?.Revision ?? "";
}
