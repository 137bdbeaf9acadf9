using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Scenarios;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Crashes;

/// <summary>The operator dies before, in and after each of its writes.</summary>
internal static class CrashStory
{
    // Together what fits in CI; FAULTS=all runs every one.
    private const int Some = 2;

    /// <summary>Runs the crashes of one story.</summary>
    public static async Task CheckAsync(string story, ITestOutputHelper output)
    {
        var scenario = Stories.Named(story);
        var reference = await Lab.ReferenceAsync(scenario);
        var plans = reference.Places.SelectMany(place => FaultAction.Kills.Select(kill => new FaultPlan(story, [new Fault { Place = place, Action = kill }]))).ToList();
        output.WriteLine($"{story}: {reference.Places.Count} writes\n  {string.Join("\n  ", reference.Places)}");
        await FaultClass.CheckAsync($"crash/{story}", plans, Some, output, turn: Stories.All.TakeWhile(s => s != scenario).Count());
    }
}
