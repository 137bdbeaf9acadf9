using System.Text;

namespace RagOperator.Api;

/// <summary>The values of a query's variables, for one component revision.</summary>
/// <param name="Name">The RagDeployment's name.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Component">The component's name.</param>
/// <param name="Service">The name of the revision's Service and Deployment.</param>
/// <param name="Revision">The component revision's name.</param>
/// <param name="Window">The time that the query looks back over.</param>
public sealed record QueryVariables(string Name, string Namespace, string Component, string Service, string Revision, TimeSpan Window);

/// <summary>Puts variables into queries: <c>$(name) $(namespace) $(component) $(service) $(revision) $(window)</c>. Nothing else in a query
/// has a meaning here: braces, <c>$</c> alone and <c>$$</c> stay as they are.</summary>
public static class QueryTemplate
{
    /// <summary>The variables' names.</summary>
    public static IReadOnlyList<string> Variables { get; } = ["name", "namespace", "component", "service", "revision", "window"];

    /// <summary>Puts the variables in.</summary>
    /// <param name="query">A query that <see cref="Check"/> finds nothing wrong with; an unknown variable stays as it is.</param>
    /// <param name="variables">The values.</param>
    public static string Render(string query, QueryVariables variables)
    {
        var text = new StringBuilder(query.Length + 64);
        var rest = query.AsSpan();
        for (var start = rest.IndexOf("$("); start >= 0; start = rest.IndexOf("$("))
        {
            var length = rest[start..].IndexOf(')');
            if (length < 0)
                break;
            var whole = rest.Slice(start, length + 1);
            text.Append(rest[..start]);
            if (ValueOf(whole[2..^1], variables) is { } value)
                text.Append(value);
            else
                text.Append(whole);
            rest = rest[(start + whole.Length)..];
        }

        return text.Append(rest).ToString();
    }

    /// <summary>What is wrong with a query's variables: each offending piece with the reason. Empty where nothing is.</summary>
    /// <param name="query">The query.</param>
    public static IReadOnlyList<(string Piece, string Rule)> Check(string query)
    {
        var found = new List<(string, string)>();
        for (var start = query.IndexOf("$(", StringComparison.Ordinal); start >= 0; start = query.IndexOf("$(", start + 2, StringComparison.Ordinal))
        {
            var end = query.IndexOf(')', start);
            if (start > 0 && query[start - 1] == '$')
                found.Add((query[(start - 1)..(end < 0 ? query.Length : end + 1)], "$$( is not an escape here: " + Allowed));
            else if (end < 0)
                found.Add((query[start..], "the variable is not closed by a ): " + Allowed));
            else if (!Variables.Contains(query[(start + 2)..end]))
                found.Add((query[start..(end + 1)], "is no variable: " + Allowed));
        }

        return found;
    }

    private static string Allowed { get; } = "allowed are " + string.Join(' ', Variables.Select(static v => $"$({v})"));

    /// <summary>A duration as Prometheus reads it in a range selector; below one millisecond it would not.</summary>
    private static string Window(TimeSpan window)
    {
        var milliseconds = Math.Max(1, window.Ticks / TimeSpan.TicksPerMillisecond);
        return (milliseconds % 60_000, milliseconds % 1_000) switch
        {
            (0, _) => $"{milliseconds / 60_000}m",
            (_, 0) => $"{milliseconds / 1_000}s",
            _ => $"{milliseconds}ms",
        };
    }

    private static string? ValueOf(ReadOnlySpan<char> name, QueryVariables variables) => name switch
    {
        "name" => Safe(variables.Name),
        "namespace" => Safe(variables.Namespace),
        "component" => Safe(variables.Component),
        "service" => Safe(variables.Service),
        "revision" => Safe(variables.Revision),
        "window" => Window(variables.Window),
        _ => null,
    };

    /// <summary>Values are DNS labels, which mean only themselves in a PromQL string and in a regex. Any other character could end the string
    /// that the variable stands in; it is dropped and not escaped, because the text around may be a string or a regex.</summary>
    private static string Safe(string value) =>
        string.Concat(value.Where(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
}
