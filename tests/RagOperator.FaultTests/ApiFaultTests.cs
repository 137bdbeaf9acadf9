using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Scenarios;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests;

/// <summary>The API server refuses a write or a read, or the connection breaks.</summary>
public sealed class ApiFaultTests(ITestOutputHelper output)
{
    private static readonly List<string> s_stories = [Stories.GoodRelease.Name, Stories.Breach.Name, Stories.FlagBreach.Name];

    public static TheoryData<string> Names => [.. s_stories];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public async Task Refused_writes_change_nothing_about_the_end(string story)
    {
        var reference = await Lab.ReferenceAsync(Stories.Named(story));
        var plans = reference.Places.SelectMany(place => FaultAction.Answers.Select(answer => Plan(story, place, answer))).ToList();
        await FaultClass.CheckAsync($"api/{story}", plans, 4, output, TurnOf(story));
    }

    /// <summary>Lists, live reads and dry runs: the first four of each. Most are made by a process that has just begun, which in the install it has.</summary>
    [SkippableTheory]
    [MemberData(nameof(Names))]
    [InlineData("install")]
    public async Task Refused_reads_change_nothing_about_the_end(string story)
    {
        var reference = await Lab.ReferenceAsync(Stories.Named(story));
        var plans = reference.Reads.OrderBy(r => r.Key, StringComparer.Ordinal).SelectMany(read => Enumerable.Range(1, Math.Min(4, read.Value))
            .SelectMany(n => FaultAction.ReadAnswers.Select(answer => Plan(story, $"{read.Key} #{n}", answer)))).ToList();
        if (story == Stories.Install.Name)
            Assert.All((string[])["list ", "get ragdeployments ", "dry-run "], kind => Assert.Contains(plans, p => p.Faults[0].Place.StartsWith(kind, StringComparison.Ordinal)));
        await FaultClass.CheckAsync($"reads/{story}", plans, 2, output, TurnOf(story));
    }

    /// <summary>A machine that is started again: the operator dies after a write, and for its next life's first seconds the server serves no HTTPRoutes.</summary>
    [SkippableTheory]
    [MemberData(nameof(Names))]
    public async Task Server_and_operator_that_begin_together_change_nothing_about_the_end(string story)
    {
        var reference = await Lab.ReferenceAsync(Stories.Named(story));
        await FaultClass.CheckAsync($"begin together/{story}", [.. reference.Places.Select(place => Plan(story, place, FaultAction.KillBoth))], 1, output);
    }

    /// <summary>Two things at once: a death and a fault, or two faults. Too many for all of them: always the same sample.</summary>
    [SkippableTheory]
    [MemberData(nameof(Names))]
    public async Task Two_faults_change_nothing_about_the_end(string story)
    {
        var reference = await Lab.ReferenceAsync(Stories.Named(story));
        List<string> writes = [.. reference.Places.SelectMany(place => FaultAction.Kills.Concat(FaultAction.Answers).Select(action => $"{action}|{place}"))];
        List<string> all = [.. writes, .. WatchFaultTests.Plans(story, reference).Select(p => $"{p.Faults[0].Action}|{p.Faults[0].Place}")];
        var random = new Random(Lab.Number("RAG_SEED", 20261121));
        var plans = Enumerable.Range(0, 120).Select(_ => (First: writes[random.Next(writes.Count)], Second: all[random.Next(all.Count)]))
            .Where(pair => pair.First.Split('|')[1] != pair.Second.Split('|')[1])
            .Select(pair => new FaultPlan(story, [Of(pair.First), Of(pair.Second)])).Take(100).ToList();
        await FaultClass.CheckAsync($"pairs/{story}", plans, 1, output);
    }

    /// <summary>The place of a story among those that meet the same faults; the install comes last.</summary>
    internal static int TurnOf(string story) => s_stories.IndexOf(story) is >= 0 and var turn ? turn : s_stories.Count;

    private static FaultPlan Plan(string story, string place, string action) => new(story, [new Fault { Place = place, Action = action }]);

    private static Fault Of(string text) => new() { Action = text.Split('|')[0], Place = text.Split('|')[1] };
}
