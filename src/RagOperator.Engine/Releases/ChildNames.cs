namespace RagOperator.Engine.Releases;

/// <summary>Names of children. They are a contract: PodDisruptionBudgets, NetworkPolicies and monitors hang on them.</summary>
public static class ChildNames
{
    /// <summary>Deployment and Service of a component revision.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    /// <param name="component">The component's name.</param>
    /// <param name="revision">The component revision's name.</param>
    public static string Revision(string name, string component, string revision) => $"{name}-{component}-{revision}";

    /// <summary>The flags ConfigMap of a component revision.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    /// <param name="component">The component's name.</param>
    /// <param name="revision">The component revision's name.</param>
    public static string Flags(string name, string component, string revision) => $"{name}-{component}-{revision}-flags";

    /// <summary>The Service that always selects stable: the entry's where no component is given.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    /// <param name="component">The component's name, or null.</param>
    public static string Stable(string name, string? component) => component is null ? name : $"{name}-{component}";

    /// <summary>The ControllerRevision of a release.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    /// <param name="hash">The release's hash.</param>
    public static string Release(string name, string hash) => $"{name}-{hash}";

    /// <summary>The ControllerRevision of a policy.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    /// <param name="hash">The policy's hash.</param>
    public static string Policy(string name, string hash) => $"{name}-policy-{hash}";

    /// <summary>The HTTPRoute.</summary>
    /// <param name="name">The RagDeployment's name.</param>
    public static string Route(string name) => name;
}
