using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Metrics;

/// <summary>Each answer of a metric source at each step is worth what the safety page's table says, and the rollout ends well once the source does.</summary>
public sealed class MetricFaultTests(ITestOutputHelper output)
{
    // Worlds take a while to make, cells less: so many of them share one.
    private const int CellsInAWorld = 9;

    // Of each group, unless FAULTS=all: some 20 together.
    private const int Some = 3;

    // FAULT_ROWS=200 plays only what has this in its name, to look at it again.
    private static readonly string? s_only = Environment.GetEnvironmentVariable("FAULT_ROWS");

    [SkippableFact]
    public async Task Metric_source_answers_each_have_their_verdict_at_each_step()
    {
        var bed = await FaultBed.SharedAsync();
        var results = await Task.WhenAll(MetricCell.All.GroupBy(static cell => cell.Row.Group, StringComparer.Ordinal).Select(group => PlayGroupAsync(bed, group.Key, [.. group])));
        var failed = results.SelectMany(static r => r).ToList();
        Assert.True(failed.Count == 0, string.Join('\n', failed));
    }

    /// <summary>Plays a group's cells, tells the table, and answers what failed.</summary>
    private async Task<IReadOnlyList<string>> PlayGroupAsync(FaultBed bed, string group, IReadOnlyList<MetricCell> all)
    {
        var chosen = s_only is { Length: > 0 } only ? [.. all.Where(c => c.ToString().Contains(only, StringComparison.Ordinal))]
            : FaultClass.All ? all : FaultClass.Spread(all, Some);
        var walks = chosen.GroupBy(static c => c.Row.Interval).SelectMany(static same => same.Chunk(CellsInAWorld));
        var played = (await Task.WhenAll(walks.Select(cells => Lab.InSlotAsync(() => WalkAsync(bed, group, cells))))).SelectMany(static p => p).ToList();
        var failed = played.Where(static p => p.Troubles.Count > 0).ToList();
        FaultTable.Tell($"metrics/{group}", all.Count, played.Count - failed.Count, failed.Count, "");
        output.WriteLine($"metrics/{group}: {played.Count} of {all.Count} cells, {failed.Count} failed");
        return [.. failed.Select(static f => $"- {f.Cell}\n    {string.Join("\n    ", f.Troubles.Take(8))}")];
    }

    private async Task<IReadOnlyList<(MetricCell Cell, IReadOnlyList<string> Troubles)>> WalkAsync(FaultBed bed, string group, IReadOnlyList<MetricCell> cells)
    {
        var played = new List<(MetricCell Cell, IReadOnlyList<string> Troubles)>();
        await using var walk = await MetricWalk.StartAsync(bed, $"metrics-{group}", cells[0].Row.Interval, withTls: cells[0].Row.Deceive is not null);
        var ordered = cells.OrderBy(static c => c.Step).ToList();
        try
        {
            foreach (var cell in ordered)
                played.Add((cell, await walk.PlayAsync(cell)));
            // What holds of the whole story is the last one's to answer for: any of them may have broken it.
            var ending = await walk.EndAsync();
            played[^1] = (played[^1].Cell, [.. played[^1].Troubles, .. ending]);
        }
        catch (NotReachedException e)
        {
            played.AddRange(ordered.Skip(played.Count).Take(1).Select(c => (c, (IReadOnlyList<string>)[e.Message])));
            played.AddRange(ordered.Skip(played.Count).Select(static c => (c, (IReadOnlyList<string>)["not played: the one before did not end"])));
            if (played.TrueForAll(static p => p.Troubles.Count == 0))
                played[^1] = (played[^1].Cell, [e.Message]);
        }

        if (played.Exists(static p => p.Troubles.Count > 0))
            output.WriteLine($"{group}, {string.Join("; ", ordered)}\n{await walk.DescribeAsync()}");
        else
            walk.Forget();
        return played;
    }
}
