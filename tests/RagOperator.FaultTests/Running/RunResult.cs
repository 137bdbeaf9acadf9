using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Running;

/// <summary>How a run went.</summary>
/// <param name="Plan">What was to go wrong.</param>
/// <param name="Troubles">What was not as it should be, one sentence each.</param>
/// <param name="Struck">Whether each fault found its place.</param>
/// <param name="Places">The places of the run's writes, in order.</param>
/// <param name="Reads">Reads and dry runs by key, and how many there were.</param>
/// <param name="Lines">Places of watch lines: the kind and how many there were.</param>
/// <param name="End">What was left.</param>
/// <param name="Counts">Creations and deletions accepted, by object.</param>
/// <param name="Description">All that happened, where there was trouble.</param>
public sealed record RunResult(
    FaultPlan Plan,
    IReadOnlyList<string> Troubles,
    bool Struck,
    IReadOnlyList<string> Places,
    IReadOnlyDictionary<string, int> Reads,
    IReadOnlyDictionary<string, int> Lines,
    IReadOnlySet<string> End,
    IReadOnlyDictionary<string, int> Counts,
    string Description)
{
    public bool Passed => Troubles.Count == 0;

    /// <summary>Creations and deletions by object: deleting and creating again ends well and was an outage all the same.</summary>
    public static IReadOnlyDictionary<string, int> Count(IEnumerable<Deed> deeds) => deeds
        .Where(d => d.Accepted && d.Call.Counts && d.Call.Verb is "create" or "delete")
        .GroupBy(d => d.Call.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
}
