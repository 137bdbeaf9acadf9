using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Scenarios;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests;

/// <summary>The operator dies before, in and after each of its writes.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    // Together what fits in CI; FAULTS=all runs every one.
    private const int Some = 9;

    public static TheoryData<string> Names => [.. Stories.All.Select(s => s.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public async Task Crash_at_every_write_ends_as_if_it_had_not_been(string story)
    {
        var reference = await Lab.ReferenceAsync(Stories.Named(story));
        var plans = reference.Places.SelectMany(place => FaultAction.Kills.Select(kill => new FaultPlan(story, [new Fault { Place = place, Action = kill }]))).ToList();
        output.WriteLine($"{story}: {reference.Places.Count} writes\n  {string.Join("\n  ", reference.Places)}");
        await FaultClass.CheckAsync($"crash/{story}", plans, Some, output);
    }
}
