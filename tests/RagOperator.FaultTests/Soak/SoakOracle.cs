using System.Collections.Concurrent;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Soak;

/// <summary>Holds each write of each service against the invariants, release by release, and forgets what was judged.</summary>
/// <param name="trajectory">The writes of all services.</param>
public sealed class SoakOracle(Trajectory trajectory)
{
    private const int RevisionsKept = 30;

    // No request takes that long: what has no answer by then never got to the server.
    private static readonly TimeSpan s_unanswered = TimeSpan.FromMinutes(5);
    private readonly ConcurrentQueue<string> _broken = new();
    private readonly ConcurrentDictionary<string, bool> _offenders = new(StringComparer.Ordinal);
    private int _writes;

    /// <summary>What was broken, one sentence each.</summary>
    public IReadOnlyCollection<string> Broken => _broken;

    /// <summary>Of how many services something was broken.</summary>
    public int Offenders => _offenders.Count;

    /// <summary>Accepted writes judged so far; events and the Lease are none.</summary>
    public int Writes => _writes;

    /// <summary>Judges what was written to a service since the last time.</summary>
    public void Judge(string ns, StatusView? status = null)
    {
        var late = TimeProvider.System.GetUtcNow() - s_unanswered;
        var deeds = trajectory.All.Where(d => d.Call.Namespace == ns && (d.Ended > 0 || d.At < late)).ToHashSet();
        foreach (var broken in Invariants.Broken([.. deeds]))
        {
            _broken.Enqueue($"{ns} ({status}): {broken}");
            _offenders[ns] = true;
        }

        // The next ones are judged by the newest status, the newest route, what the flag files say, and what the releases consist of.
        var accepted = deeds.Where(static d => d.Accepted).OrderBy(static d => d.Ended).ToLookup(static d => d.Call.Resource, StringComparer.Ordinal);
        var kept = accepted["controllerrevisions"].Where(static d => d.Call.Verb == "create").TakeLast(RevisionsKept)
            .Concat(accepted["ragdeployments/status"].TakeLast(1)).Concat(accepted["httproutes"].TakeLast(1))
            .Concat(accepted["configmaps"].GroupBy(static d => d.Call.Name, StringComparer.Ordinal).Select(static g => g.Last()).Where(static d => d.Call.Verb != "delete")).ToHashSet();
        deeds.ExceptWith(kept);
        Interlocked.Add(ref _writes, deeds.Count(static d => d.Accepted && d.Call.Counts));
        trajectory.Drop(deeds.Contains);
    }
}
