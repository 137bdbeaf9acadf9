namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>Tests that change what all share (the CRD, an operator for all namespaces), or measure time: one after the other, when the parallel ones are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
