using RagOperator.Api;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Sla;

/// <summary>Asks why a query has no data: about the first selector in it that is about the component.</summary>
internal static class SeriesProbes
{
    // A query filters by one label or two. More questions than that nobody should have to answer.
    private const int MostLabels = 3;

    /// <summary>The questions; null where the query has no such selector.</summary>
    /// <param name="query">The query, variables not yet put in.</param>
    /// <param name="render">Puts the variables in.</param>
    public static SeriesProbe? Of(string query, Func<string, string> render)
    {
        var selectors = QueryText.Selectors(query);
        if (selectors.FirstOrDefault(static s => s.Matchers.Any(IsOwn)) is not { } selector)
        {
            return null;
        }

        var own = string.Join(',', selector.Matchers.Where(IsOwn));
        // A label that must be absent, or may be, is not filtered by.
        var labels = selectors.Where(s => string.Equals(s.Name, selector.Name, StringComparison.Ordinal)).SelectMany(static s => s.Matchers)
            .Where(static m => !IsOwn(m) && m.Operator is "=" or "=~" && m.Value.Length > 2 && m.Label is not ("le" or "__name__"))
            .Select(static m => m.Label).Distinct(StringComparer.Ordinal).Take(MostLabels);
        return new SeriesProbe(
            selector.Name,
            render(own),
            $"count({selector.Name})",
            render($"count({selector.Name}{{{own}}})"),
            selector.Range is { } range ? render($"max(count_over_time({selector.Name}{{{own}}}[{range}]))") : null,
            [.. labels.Select(label => (label, render($"count({selector.Name}{{{own},{label}!=\"\"}})")))]);
    }

    private static bool IsOwn(QueryMatcher matcher) => matcher.Value.Contains("$(", StringComparison.Ordinal);
}
