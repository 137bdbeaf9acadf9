using System.Collections.Concurrent;
using System.Globalization;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Scenarios;
using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Running;

/// <summary>Runs plans, so many at once, and holds each against its story run undisturbed.</summary>
public static class Lab
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(2);

    // Longer than anything that comes by itself (polls of a waiting rollout, the Lease, the look at what is missing).
    private static readonly TimeSpan s_longQuiet = TimeSpan.FromSeconds(70);
    private static readonly SemaphoreSlim s_slots = new(Number("FAULT_PARALLEL", 10));
    private static readonly ConcurrentDictionary<string, Lazy<Task<Reference>>> s_references = new(StringComparer.Ordinal);

    /// <summary>The story undisturbed: its places, its end, and what differs between two such runs.</summary>
    public static Task<Reference> ReferenceAsync(Scenario story)
    {
        ArgumentNullException.ThrowIfNull(story);
        return s_references.GetOrAdd(story.Name, _ => new(() => Task.Run(() => MeasureAsync(story)))).Value;
    }

    /// <summary>Runs a plan to its story's end and applies every oracle.</summary>
    /// <param name="plan">What goes wrong where.</param>
    /// <param name="isWatchedLong">Whether quiet means more than a minute without a write, not two seconds.</param>
    public static async Task<RunResult> RunAsync(FaultPlan plan, bool isWatchedLong = false)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var story = Stories.Named(plan.Scenario);
        var reference = await ReferenceAsync(story);
        return await RunAsync(plan, story, reference, isWatchedLong ? s_longQuiet : s_quiet);
    }

    /// <summary>Runs something that has a world of its own when there is room for another.</summary>
    public static async Task<T> InSlotAsync<T>(Func<Task<T>> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        await s_slots.WaitAsync();
        try
        {
            return await run();
        }
        finally
        {
            s_slots.Release();
        }
    }

    /// <summary>A number from the environment.</summary>
    public static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private static async Task<Reference> MeasureAsync(Scenario story)
    {
        var plan = new FaultPlan(story.Name, []);
        var runs = await Task.WhenAll(RunAsync(plan, story, null, FaultClass.All ? s_longQuiet : s_quiet), RunAsync(plan, story, null, s_quiet));
        if (Array.Find(runs, r => !r.Passed) is { } bad)
            throw new InvalidOperationException($"{story.Name} undisturbed: {string.Join('\n', bad.Troubles)}\n{bad.Description}");
        var (first, second) = (runs[0].End, runs[1].End);
        var masks = first.Except(second).Concat(second.Except(first)).Select(EndState.PathOf).ToHashSet(StringComparer.Ordinal);
        return new Reference(runs[0].Places, runs[0].Lines, first, runs[0].Counts, masks);
    }

    private static async Task<RunResult> RunAsync(FaultPlan plan, Scenario story, Reference? reference, TimeSpan quiet)
    {
        var bed = await FaultBed.SharedAsync();
        return await InSlotAsync(async () =>
        {
            await using var world = await FaultWorld.CreateAsync(bed, story.Name, plan.Faults);
            var result = await RunAsync(plan, story, reference, quiet, world);
            if (result.Passed)
                world.Forget();
            return result;
        });
    }

    private static async Task<RunResult> RunAsync(FaultPlan plan, Scenario story, Reference? reference, TimeSpan quiet, FaultWorld world)
    {
        var troubles = new List<string>();
        IReadOnlySet<string> end = new HashSet<string>(StringComparer.Ordinal);
        var counts = RunResult.Count([]);
        try
        {
            if (story.First is { } first)
                await world.InstallAsync(first);
            world.Proxy.Trajectory.Arm();
            await story.Act(world);
            await world.UntilAsync(() => story.HasEnded(world), $"the end of {story.Name}");
            await world.QuietAsync(quiet);
            end = await EndState.OfAsync(world.Api, world.Namespace);
        }
#pragma warning disable CA1031 // whatever goes wrong in one run is that run's trouble, and must not end the others
        catch (Exception e)
#pragma warning restore CA1031
        {
            troubles.Add(e is NotReachedException ? e.Message : e.ToString());
        }

        counts = RunResult.Count(world.Proxy.Trajectory.Writes);
        troubles.AddRange(world.ProcessTroubles());
        if (await world.StopOperatorAsync() is { } ending)
            troubles.Add(ending);
        troubles.AddRange(Invariants.Broken(world.Proxy.Trajectory.All));
        if (reference is not null && troubles.Count == 0)
        {
            troubles.AddRange(EndState.Differences(reference.End, end, reference.Masks));
            troubles.AddRange(reference.Counts.Keys.Union(counts.Keys).Where(k => reference.Counts.GetValueOrDefault(k) != counts.GetValueOrDefault(k))
                .Select(k => $"{k}: {counts.GetValueOrDefault(k)} times instead of {reference.Counts.GetValueOrDefault(k)}"));
        }

        return new RunResult(
            plan, troubles, plan.Faults.All(f => world.Proxy.Struck.Contains(f.Place)), [.. world.Proxy.Trajectory.Writes.Select(d => d.Place)],
            world.Proxy.Trajectory.Lines, end, counts, troubles.Count > 0 ? await world.DescribeAsync() : "");
    }
}

/// <summary>A story undisturbed.</summary>
/// <param name="Places">The places of its writes, in order.</param>
/// <param name="Lines">Watch lines by kind.</param>
/// <param name="End">What it leaves.</param>
/// <param name="Counts">Its creations and deletions.</param>
/// <param name="Masks">Paths whose values differ from run to run.</param>
public sealed record Reference(
    IReadOnlyList<string> Places, IReadOnlyDictionary<string, int> Lines, IReadOnlySet<string> End, IReadOnlyDictionary<string, int> Counts, IReadOnlySet<string> Masks);
