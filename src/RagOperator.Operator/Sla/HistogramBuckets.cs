using System.Text.RegularExpressions;

namespace RagOperator.Operator.Sla;

/// <summary>
/// Finds out where a histogram ends. <c>histogram_quantile</c> never answers more than the last finite bucket's bound, however slow things
/// are: a limit at or beyond it can never be breached.
/// </summary>
internal static partial class HistogramBuckets
{
    /// <summary>A query for the last finite bound of the histogram that a query asks for; null where it asks for none that can be seen.</summary>
    /// <param name="query">The query, variables put in.</param>
    /// <remarks>Of a histogram with one observation, and that beyond every finite bucket, the highest quantile is the last finite bound.</remarks>
    public static string? BoundQuery(string query)
    {
        var quantile = query.IndexOf("histogram_quantile", StringComparison.Ordinal);
        if (quantile < 0) return null;
        var name = BucketName().Match(query, quantile);
        if (!name.Success || Matchers(query, name.Index + name.Length) is not { } matchers) return null;
        var selector = $"{name.Value}{{{(matchers.Length == 0 ? "" : $"{matchers},")}le";
        return $"histogram_quantile(1, (group by (le) ({selector}!=\"+Inf\"}}) * 0) or group by (le) ({selector}=\"+Inf\"}}))";
    }

    /// <summary>What stands between the braces that follow; empty without braces, null where they do not end.</summary>
    private static string? Matchers(string query, int from)
    {
        while (from < query.Length && char.IsWhiteSpace(query[from])) from++;
        if (from == query.Length || query[from] != '{') return "";
        var quote = '\0';
        for (var i = from + 1; i < query.Length; i++)
        {
            var c = query[i];
            if (quote != '\0')
            {
                if (c == '\\' && quote != '`') i++;
                else if (c == quote) quote = '\0';
            }
            else if (c is '"' or '\'' or '`') quote = c;
            else if (c == '}') return query[(from + 1)..i].Trim().TrimEnd(',');
        }

        return null;
    }

    [GeneratedRegex("(?<![a-zA-Z0-9_:\"'`])[a-zA-Z_:][a-zA-Z0-9_:]*_bucket(?![a-zA-Z0-9_:])", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial Regex BucketName();
}
