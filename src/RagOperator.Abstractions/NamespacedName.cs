namespace RagOperator.Abstractions;

/// <summary>The key of an object within its kind. Cluster-scoped objects have an empty namespace.</summary>
/// <param name="Namespace">The namespace, or empty.</param>
/// <param name="Name">The object's name.</param>
public readonly record struct NamespacedName(string Namespace, string Name)
{
    /// <summary><c>namespace/name</c>, as kubectl and logs write it.</summary>
    public override string ToString() => string.IsNullOrEmpty(Namespace) ? Name : $"{Namespace}/{Name}";
}
