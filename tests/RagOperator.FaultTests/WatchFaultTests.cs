using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Scenarios;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests;

/// <summary>Watches do what watches do: they stall, break, repeat and skip.</summary>
public sealed class WatchFaultTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [MemberData(nameof(ApiFaultTests.Names), MemberType = typeof(ApiFaultTests))]
    public async Task Faulty_watches_change_nothing_about_the_end(string story)
    {
        var plans = Plans(story, await Lab.ReferenceAsync(Stories.Named(story)));
        await FaultClass.CheckAsync($"watch/{story}", plans, 3, output, ApiFaultTests.TurnOf(story));
    }

    /// <summary>All of them: each action at eight lines of each kind, and each way in which a watch may not be opened again at two.</summary>
    internal static List<FaultPlan> Plans(string story, Reference reference) =>
    [
        .. reference.Lines.OrderBy(l => l.Key, StringComparer.Ordinal).SelectMany(lines =>
            Plans(story, lines.Key, lines.Value, 8, FaultAction.Watches).Concat(Plans(story, lines.Key, lines.Value, 2, FaultAction.Openings))),
    ];

    private static IEnumerable<FaultPlan> Plans(string story, string kind, int lines, int some, IReadOnlyList<string> actions) =>
        FaultClass.Spread([.. Enumerable.Range(1, lines)], some).SelectMany(line => actions.Select(action => new FaultPlan(story, [new Fault { Place = $"watch {kind} #{line}", Action = action }])));
}
