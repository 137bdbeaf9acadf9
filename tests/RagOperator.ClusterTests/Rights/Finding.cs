using System.Globalization;

namespace RagOperator.ClusterTests.Rights;

/// <summary>What came of one world.</summary>
/// <param name="Mode">The installation.</param>
/// <param name="Right">What was taken away; null: nothing, to see that the scenario itself works, and how long it takes.</param>
/// <param name="Refused">How often the API server refused exactly that.</param>
/// <param name="Others">What else it refused, which nobody had taken away.</param>
/// <param name="Failed">The first thing that did not happen although the refusal was patiently waited out.</param>
/// <param name="Told">The log line, error or warning, in which the operator names the refusal.</param>
/// <param name="Slow">What did not happen without any refusal that would explain it.</param>
/// <param name="Longest">The longest that anything took that did happen.</param>
internal sealed record Finding(Mode Mode, Right? Right, int Refused, IReadOnlyCollection<string> Others, string? Failed, string? Told, string? Slow, TimeSpan Longest)
{
    /// <summary>Whether the check holds in this world: the right was asked for, and somebody notices that it is gone.</summary>
    public bool Holds => Slow is null && Others.Count == 0 && (Right is null ? Failed is null : Refused > 0 && (Failed ?? Told) is not null);

    public override string ToString()
    {
        var what = this switch
        {
            { Others.Count: > 0 } => $"WRONG: refused although it was given: {string.Join(", ", Others)}",
            { Slow: { } slow } => $"SLOW, which proves nothing: {slow}",
            { Right: null } => $"all rights: all of it happens, the longest wait {Longest.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s",
            { Refused: 0 } => "NOT NEEDED: never asked for",
            { Failed: { } failed } => $"refused {Refused}x; fails: {failed}{(Told is null ? "" : $"; told: {Told}")}",
            { Told: { } told } => $"refused {Refused}x; all of it happens; told: {told}",
            _ => $"NOT NEEDED: refused {Refused}x, and nobody notices",
        };
        return $"{Right?.ToString() ?? (Mode == Mode.Cluster ? "cluster: -" : "namespaces: -"),-76} {what}";
    }
}
