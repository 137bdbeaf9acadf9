using System.Text;

namespace RagOperator.Api;

/// <summary>One matcher of a selector.</summary>
/// <param name="Label">The label.</param>
/// <param name="Operator">One of <c>= != =~ !~</c>.</param>
/// <param name="Value">The value with its quotes, as written.</param>
public sealed record QueryMatcher(string Label, string Operator, string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Label + Operator + Value;
}

/// <summary>One selector of a query.</summary>
/// <param name="Name">The series' name.</param>
/// <param name="Matchers">What stands between its braces.</param>
/// <param name="Range">What stands between the brackets that follow; null without any.</param>
public sealed record QuerySelector(string Name, IReadOnlyList<QueryMatcher> Matchers, string? Range);

/// <summary>What can be seen in a PromQL text without understanding it. It serves warnings and hints only: what it does not know it leaves out.</summary>
public static class QueryText
{
    private static readonly string[] s_operators = ["=~", "!~", "!=", "="];

    /// <summary>The selectors with a name and braces, in the order of the text.</summary>
    /// <param name="query">The query; variables may stand in it.</param>
    public static IReadOnlyList<QuerySelector> Selectors(string query)
    {
        var found = new List<QuerySelector>();
        for (var i = 0; i < query.Length; i = Next(query, i))
        {
            if (query[i] == '{' && NameBefore(query, i) is { } name && Matchers(query, i, out var end) is { } matchers)
                found.Add(new QuerySelector(name, matchers, RangeAt(query, end)));
        }

        return found;
    }

    /// <summary>The query without its comments, and without what stands in quotes, braces and brackets: operators and functions remain.</summary>
    /// <param name="query">The query.</param>
    public static string Bare(string query)
    {
        var text = new StringBuilder(query.Length);
        for (var i = 0; i < query.Length;)
        {
            var next = Next(query, i);
            text.Append(next == i + 1 ? query[i] : ' ');
            i = next;
        }

        return text.ToString();
    }

    /// <summary>Where the text goes on: behind a string, a comment, braces or brackets that begin here, else behind one character.</summary>
    private static int Next(string query, int at) => query[at] switch
    {
        '"' or '\'' or '`' => StringEnd(query, at),
        '#' => query.IndexOf('\n', at) is >= 0 and var end ? end : query.Length,
        '{' => Closing(query, at, '}'),
        '[' => Closing(query, at, ']'),
        _ => at + 1,
    };

    private static int Closing(string query, int at, char close)
    {
        for (var i = at + 1; i < query.Length;)
        {
            if (query[i] == close)
                return i + 1;
            i = query[i] is '"' or '\'' or '`' ? StringEnd(query, i) : i + 1;
        }

        return query.Length;
    }

    private static int StringEnd(string query, int at)
    {
        for (var i = at + 1; i < query.Length; i++)
        {
            if (query[i] == '\\' && query[at] != '`')
                i++;
            else if (query[i] == query[at])
                return i + 1;
        }

        return query.Length;
    }

    private static string? NameBefore(string query, int brace)
    {
        var end = brace;
        while (end > 0 && char.IsWhiteSpace(query[end - 1]))
            end--;
        var start = end;
        while (start > 0 && (char.IsAsciiLetterOrDigit(query[start - 1]) || query[start - 1] is '_' or ':'))
            start--;
        return start == end || char.IsAsciiDigit(query[start]) ? null : query[start..end];
    }

    /// <summary>The matchers between braces; null where they are not all of the usual form.</summary>
    private static List<QueryMatcher>? Matchers(string query, int brace, out int end)
    {
        end = Closing(query, brace, '}');
        var found = new List<QueryMatcher>();
        if (query[end - 1] != '}' || end - 1 <= brace)
            return null;
        var inside = query[(brace + 1)..(end - 1)];
        for (var at = 0; at < inside.Length;)
        {
            if (char.IsWhiteSpace(inside[at]) || inside[at] == ',')
            {
                at++;
                continue;
            }

            var equals = inside.AsSpan(at).IndexOfAny('=', '!');
            if (equals <= 0 || Array.Find(s_operators, o => string.CompareOrdinal(inside, at + equals, o, 0, o.Length) == 0) is not { } sign)
                return null;
            var label = inside.Substring(at, equals).TrimEnd();
            var quote = at + equals + sign.Length;
            while (quote < inside.Length && char.IsWhiteSpace(inside[quote]))
                quote++;
            if (quote == inside.Length || inside[quote] is not ('"' or '\'' or '`') || !label.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                return null;
            at = StringEnd(inside, quote);
            found.Add(new QueryMatcher(label, sign, inside[quote..at]));
        }

        return found;
    }

    private static string? RangeAt(string query, int at)
    {
        while (at < query.Length && char.IsWhiteSpace(query[at]))
            at++;
        if (at == query.Length || query[at] != '[')
            return null;
        var inside = query[(at + 1)..Closing(query, at, ']')].TrimEnd(']').Trim();
        // A subquery's step is no part of the window.
        return inside.Length == 0 || inside.Contains(':', StringComparison.Ordinal) ? null : inside;
    }
}
