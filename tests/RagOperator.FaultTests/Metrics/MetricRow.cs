using Microsoft.AspNetCore.Http;
using RagOperator.FaultTests.Peers;

namespace RagOperator.FaultTests.Metrics;

/// <summary>A question as the source gets it, with what it takes to answer it badly.</summary>
/// <param name="Context">The request and its answer.</param>
/// <param name="Query">The query.</param>
/// <param name="Elsewhere">Another listener, which nobody may be sent to.</param>
public sealed record MetricQuestion(HttpContext Context, string Query, ScriptedPrometheus Elsewhere);

/// <summary>Which questions a row answers; the others get healthy answers.</summary>
public enum MetricScope
{
    /// <summary>The canary's value.</summary>
    Canary,

    /// <summary>The canary's and stable's value.</summary>
    Both,

    /// <summary>Stable's value, which the canary's is compared with.</summary>
    Stable,

    /// <summary>The number of the canary's requests.</summary>
    Volume,

    /// <summary>Every question.</summary>
    All,
}

/// <summary>A way to answer, and what it is to be worth: a line of the table "Metric answers".</summary>
/// <param name="Group">The class of the table of faults.</param>
/// <param name="Name">How it answers.</param>
/// <param name="Verdict">The verdict that status is to show.</param>
/// <param name="Answer">Answers; null for a source that does not listen, or whom nobody asks because of its certificate.</param>
public sealed record MetricRow(string Group, string Name, string Verdict, Func<MetricQuestion, Task>? Answer)
{
    /// <summary>What it is tried with.</summary>
    public IReadOnlyList<MetricScope> Scopes { get; init; } = [MetricScope.Canary, MetricScope.Both];

    /// <summary>The verdict at 100%, where stable has no requests of its own to compare with; null for the same one.</summary>
    public string? VerdictAtFull { get; init; }

    /// <summary>What the metric's message has to say.</summary>
    public string Says { get; init; } = "";

    /// <summary>For a source whose address is an https one: what it does wrong there, instead of an answer.</summary>
    public Action<ScriptedPrometheus, SourceCertificates>? Deceive { get; init; }

    /// <summary>How often the metric is asked for.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>A row at a step.</summary>
/// <param name="Row">The answer.</param>
/// <param name="Scope">Which questions get it.</param>
/// <param name="Step">The step, from 0.</param>
public sealed record MetricCell(MetricRow Row, MetricScope Scope, int Step)
{
    /// <summary>The steps of <see cref="Worlds.ServiceSpec"/> by index.</summary>
    public static IReadOnlyList<string> Steps { get; } = ["few", "half", "full"];

    /// <summary>The verdict that this cell is to show.</summary>
    public string Verdict => Step == 2 ? Row.VerdictAtFull ?? Row.Verdict : Row.Verdict;

    /// <summary>Every row at every step.</summary>
    public static IReadOnlyList<MetricCell> All { get; } =
        [.. MetricRows.All.SelectMany(row => row.Scopes.SelectMany(scope => Enumerable.Range(0, Steps.Count).Select(step => new MetricCell(row, scope, step))))];

    /// <summary>Whether a question gets the row's answer.</summary>
    /// <param name="query">The question.</param>
    /// <param name="stable">Stable's Service.</param>
    public bool Hits(string query, string stable)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (volume, ofStable) = (query.StartsWith("requests", StringComparison.Ordinal), query.Contains($"\"{stable}\"", StringComparison.Ordinal));
        return Scope switch
        {
            MetricScope.Canary => !volume && !ofStable,
            MetricScope.Both => !volume,
            MetricScope.Stable => !volume && ofStable,
            MetricScope.Volume => volume && !ofStable,
            _ => true,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Row.Group}: {Row.Name}, {Scope}, {Steps[Step]} -> {Verdict}";
}
