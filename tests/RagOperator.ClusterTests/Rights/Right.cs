namespace RagOperator.ClusterTests.Rights;

/// <summary>How the operator is installed.</summary>
internal enum Mode
{
    /// <summary>With Roles in the namespaces that it watches; no webhook.</summary>
    Namespaces,

    /// <summary>With a ClusterRole, and the webhook with certificates of its own.</summary>
    Cluster,
}

/// <summary>One thing that one of the chart's roles allows.</summary>
/// <param name="Mode">The installation.</param>
/// <param name="Role">The role's kind; <c>Role own</c> is the one in the operator's own namespace.</param>
/// <param name="Rule">The rule's place in the role.</param>
/// <param name="Resource">A resource of the rule, with its subresource.</param>
/// <param name="Verb">A verb of the rule.</param>
internal sealed record Right(Mode Mode, string Role, int Rule, string Resource, string Verb)
{
    /// <summary>Whether it is the one in the operator's own namespace.</summary>
    public bool IsOwn => Role == ChartRights.Own;

    public override string ToString() => $"{(Mode == Mode.Cluster ? "cluster" : "namespaces")}: {Role}[{Rule}] {Verb} {Resource}";
}
