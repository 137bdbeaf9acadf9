using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Running;

/// <summary>Runs a class of plans, or a fixed spread of them, and tells how it went.</summary>
public static class FaultClass
{
    /// <summary>Whether all plans are wanted: <c>FAULTS=all</c>.</summary>
    public static bool All => Environment.GetEnvironmentVariable("FAULTS") == "all";

    /// <summary>Runs them and fails with what went wrong in any.</summary>
    /// <param name="name">The class, as the table has it.</param>
    /// <param name="plans">All plans there are.</param>
    /// <param name="some">How many run unless all are wanted, spread evenly.</param>
    /// <param name="output">Where the summary is printed.</param>
    /// <param name="turn">Which of the classes that share their faults this is, from 0: each tries others of them. Without it only places are spread.</param>
    public static async Task CheckAsync(string name, IReadOnlyList<FaultPlan> plans, int some, ITestOutputHelper output, int? turn = null)
    {
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentNullException.ThrowIfNull(output);
        var chosen = All ? plans : turn is { } t ? SpreadOverActions(plans, some, t) : Spread(plans, some);
        // One of each class is watched for long.
        var results = await Task.WhenAll(chosen.Select((plan, i) => Lab.RunAsync(plan, isWatchedLong: All && i == 0)));
        // A plan whose place never came has shown nothing: another one shows it, or one after that.
        for (var again = 0; again < 2; again++)
        {
            var wanted = chosen.Count - results.Count(static r => r.Struck || !r.Passed);
            var others = Spread([.. plans.Except(results.Select(static r => r.Plan))], wanted);
            results = [.. results, .. await Task.WhenAll(others.Select(static plan => Lab.RunAsync(plan)))];
        }

        var failed = results.Where(r => !r.Passed).ToList();
        var missed = results.Count(r => r is { Passed: true, Struck: false });
        var note = missed > 0 ? $"{missed} more did not come to their place" : "";
        FaultTable.Tell(name, plans.Count, results.Length - failed.Count - missed, failed.Count, note);
        output.WriteLine($"{name}: {results.Length} of {plans.Count} plans, {failed.Count} failed{(note.Length > 0 ? $"; {note}" : "")}");
        foreach (var result in results.Where(static r => r is { Passed: true, Struck: false }))
            output.WriteLine($"  not at its place: {result.Plan}");
        foreach (var result in failed)
            Keep(name, result, output);
        Assert.True(failed.Count == 0, $"{name}: {failed.Count} of {results.Length} plans failed:\n{string.Join('\n', failed.Select(f => $"- {f.Plan}\n    {string.Join("\n    ", f.Troubles.Take(8))}"))}");
        // Where all are run there is no other one. Times differ a little from run to run; most must get there.
        var lacking = chosen.Count - results.Count(static r => r.Struck);
        Assert.True(lacking * 5 <= chosen.Count, $"{name}: {missed} of {results.Length} plans did not come to their place:\n{string.Join('\n', results.Where(r => !r.Struck).Select(r => $"- {r.Plan}"))}");
    }

    /// <summary>Some of many, evenly spread, always the same.</summary>
    public static IReadOnlyList<T> Spread<T>(IReadOnlyList<T> all, int some)
    {
        ArgumentNullException.ThrowIfNull(all);
        return some >= all.Count ? all : [.. Enumerable.Range(0, some).Select(i => Nth(i, some, all))];
    }

    /// <summary>Some of many: of each turn other faults, one after the other, and of each fault another place, always the same. Evenly spread over all of
    /// them places and faults fall into step, and the same few faults are met everywhere.</summary>
    public static IReadOnlyList<FaultPlan> SpreadOverActions(IReadOnlyList<FaultPlan> all, int some, int turn)
    {
        var actions = all.Select(static p => p.Faults[0].Action).Distinct(StringComparer.Ordinal).ToList();
        return [.. Enumerable.Range(0, some).Select(i =>
        {
            var action = actions[((turn * some) + i) % actions.Count];
            return Nth(i, some, [.. all.Where(p => p.Faults[0].Action == action)]);
        })];
    }

    private static T Nth<T>(int i, int some, IReadOnlyList<T> all) => all[(int)(((2L * i) + 1) * all.Count / (2L * some))];

    private static void Keep(string name, RunResult result, ITestOutputHelper output)
    {
        var folder = Directory.CreateDirectory(Path.Combine(FaultBed.Results, "failed")).FullName;
        var file = Path.Combine(folder, $"{name.Replace('/', '-')}-{Math.Abs(result.Plan.ToString().GetHashCode(StringComparison.Ordinal))}");
        File.WriteAllText($"{file}.json", result.Plan.ToJson());
        File.WriteAllText($"{file}.txt", $"{result.Plan}\n{string.Join('\n', result.Troubles)}\n{result.Description}");
        output.WriteLine($"{result.Plan}\n  {string.Join("\n  ", result.Troubles)}\n  kept as {Path.GetRelativePath(ClusterBed.Repository, file)}.json and .txt; put the plan into tests/RagOperator.FaultTests/Plans to keep it for good");
    }
}
