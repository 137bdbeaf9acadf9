using Xunit.Abstractions;

namespace RagOperator.Tests.Shared;

/// <summary>Begins with the classes that take longest, so that none of them is left over at the end with an idle machine.</summary>
/// <param name="longest">By what they took, longest first; all others follow by name.</param>
public abstract class LongestFirstOrderer(params IReadOnlyList<Type> longest) : ITestCollectionOrderer
{
    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c => Rank(c.DisplayName)).ThenBy(static c => c.DisplayName, StringComparer.Ordinal);

    // A class without a collection of its own is named "Test collection for" and its name.
    private int Rank(string name)
    {
        for (var i = 0; i < longest.Count; i++)
            if (name.EndsWith(longest[i].FullName!, StringComparison.Ordinal))
                return i;
        return longest.Count;
    }
}
