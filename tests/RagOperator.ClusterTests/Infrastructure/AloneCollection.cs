namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>Tests that stop what all tests share (Prometheus, the API server): one after the other, when the parallel ones are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
