using System.Collections.ObjectModel;
using RagOperator.Api.Resolved;

namespace RagOperator.Api.Reading;

/// <summary>What is wrong with a spec, as far as it is told: an object of a megabyte can hold a hundred thousand mistakes, and nobody reads them all.</summary>
internal sealed class ProblemList : Collection<SpecProblem>
{
    /// <summary>Whether nothing more is told.</summary>
    public bool IsFull => Count >= SpecLimits.Problems;

    /// <inheritdoc/>
    protected override void InsertItem(int index, SpecProblem item)
    {
        if (!IsFull) base.InsertItem(index, item);
    }
}
