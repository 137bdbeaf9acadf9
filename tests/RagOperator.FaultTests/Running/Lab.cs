using System.Collections.Concurrent;
using System.Globalization;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Scenarios;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Running;

/// <summary>Runs plans, so many at once, and holds each against its story run undisturbed.</summary>
public static class Lab
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(2);

    // Longer than anything that comes by itself (polls of a waiting rollout, the Lease, the look at what is missing).
    private static readonly TimeSpan s_longQuiet = TimeSpan.FromSeconds(70);
    private static readonly Slots s_slots = new(Number("FAULT_PARALLEL", 10), Path.Combine(FaultBed.Results, "installs.tsv"));
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(3);
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
    public static Task<T> InSlotAsync<T>(Func<Task<T>> run) => s_slots.RunAsync(run);

    /// <inheritdoc cref="InSlotAsync{T}"/>
    public static Task InSlotAsync(Func<Task> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return s_slots.RunAsync(async () =>
        {
            await run();
            return true;
        });
    }

    /// <summary>Tells how long an install took, beside all others.</summary>
    public static void Installed(TimeSpan took) => s_slots.Installed(took);

    /// <summary>A number from the environment.</summary>
    public static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private static async Task<Reference> MeasureAsync(Scenario story)
    {
        var plan = new FaultPlan(story.Name, []);
        var runs = await Task.WhenAll(RunAsync(plan, story, null, FaultClass.All ? s_longQuiet : s_quiet), RunAsync(plan, story, null, s_quiet));
        if (Array.Find(runs, r => !r.Passed) is { } bad)
        {
            // None of its plans can be run: the table must say so, or it would say nothing of them.
            FaultTable.Tell($"undisturbed/{story.Name}", 2, runs.Count(static r => r.Passed), runs.Count(static r => !r.Passed), "its plans could not be run");
            throw new InvalidOperationException($"{story.Name} undisturbed: {string.Join('\n', bad.Troubles)}\n{bad.Description}");
        }

        var (first, second) = (runs[0].End, runs[1].End);
        // What may differ are values. An object that only one of them has would mask all that is in it.
        var objects = first.Select(EndState.ObjectOf).ToHashSet(StringComparer.Ordinal);
        objects.SymmetricExceptWith(second.Select(EndState.ObjectOf));
        if (objects.Count > 0)
        {
            FaultTable.Tell($"undisturbed/{story.Name}", 2, 1, 1, "its plans could not be run");
            throw new InvalidOperationException($"{story.Name} undisturbed: one of two runs has {string.Join(", ", objects)}, and the other has not");
        }

        var masks = first.Except(second).Concat(second.Except(first)).Select(EndState.PathOf).ToHashSet(StringComparer.Ordinal);
        // How many reads and watch lines there are differs a little from run to run: what not even both of these came to is no place.
        return new Reference(runs[0].Places, Both(runs[0].Reads, runs[1].Reads), Both(runs[0].Lines, runs[1].Lines), first, runs[0].Counts, masks);
    }

    private static Dictionary<string, int> Both(IReadOnlyDictionary<string, int> one, IReadOnlyDictionary<string, int> other) =>
        one.Where(l => other.ContainsKey(l.Key)).ToDictionary(static l => l.Key, l => Math.Min(l.Value, other[l.Key]), StringComparer.Ordinal);

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
            end = await EndAsync(world, reference, quiet);
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
        troubles.AddRange(Invariants.Broken(world.Proxy.Trajectory.All, story.First?.Replicas ?? 1));
        if (reference is not null && troubles.Count == 0)
        {
            troubles.AddRange(EndState.Differences(reference.End, end, reference.Masks));
            troubles.AddRange(reference.Counts.Keys.Union(counts.Keys).Where(k => reference.Counts.GetValueOrDefault(k) != counts.GetValueOrDefault(k))
                .Select(k => $"{k}: {counts.GetValueOrDefault(k)} times instead of {reference.Counts.GetValueOrDefault(k)}"));
        }

        return new RunResult(
            plan, troubles, plan.Faults.All(f => world.Proxy.Struck.Contains(f.Place)), [.. world.Proxy.Trajectory.Writes.Select(d => d.Place)],
            world.Proxy.Trajectory.Reads, world.Proxy.Trajectory.Lines, end, counts, troubles.Count > 0 ? await world.DescribeAsync() : "");
    }

    /// <summary>What it leaves. A whole object that is still there, or not yet, may be late on a slow machine; what any object says may not.
    /// Once nothing is late any more it has to stay so for longer than that takes.</summary>
    private static async Task<IReadOnlySet<string>> EndAsync(FaultWorld world, Reference? reference, TimeSpan quiet)
    {
        var start = TimeProvider.System.GetTimestamp();
        var end = await ReadQuietlyAsync(world, quiet);
        var isLate = false;
        while (TimeProvider.System.GetElapsedTime(start) < s_patience)
        {
            var before = end;
            // Undisturbed runs have nothing to be compared with but themselves, some seconds later.
            if (reference is not null && !isLate)
            {
                isLate = IsOnlyLate(reference, end);
                if (!isLate)
                    return end;
            }

            await Task.Delay(s_settled, TimeProvider.System);
            // A minute of silence was waited for before.
            await world.QuietAsync(s_quiet);
            end = await ReadQuietlyAsync(world, s_quiet);
            if (before.SetEquals(end) && (reference is null || !IsOnlyLate(reference, end)))
                return end;
        }

        return end;
    }

    /// <summary>What there is, read while nothing was written: a write that came in between may be in what was read, and not yet in the trajectory.</summary>
    private static async Task<IReadOnlySet<string>> ReadQuietlyAsync(FaultWorld world, TimeSpan quiet)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var end = await EndState.OfAsync(world.Api, world.Namespace);
            if (world.Proxy.Trajectory.QuietFor >= quiet)
                return end;
            if (TimeProvider.System.GetElapsedTime(start) > s_patience + quiet)
                throw new NotReachedException("the end is written to again and again");
            await world.QuietAsync(quiet);
        }
    }

    /// <summary>Whether the end differs from the story's, and only by whole objects.</summary>
    private static bool IsOnlyLate(Reference reference, IReadOnlySet<string> end)
    {
        var (wanted, found) = (reference.End.Select(EndState.ObjectOf).ToHashSet(StringComparer.Ordinal), end.Select(EndState.ObjectOf).ToHashSet(StringComparer.Ordinal));
        var differing = EndState.Differences(reference.End, end, reference.Masks).Select(static d => EndState.ObjectOf(d[(d.IndexOf(' ', StringComparison.Ordinal) + 1)..])).ToList();
        return differing.Count > 0 && differing.TrueForAll(o => wanted.Contains(o) != found.Contains(o));
    }
}

/// <summary>A story undisturbed.</summary>
/// <param name="Places">The places of its writes, in order.</param>
/// <param name="Reads">Reads and dry runs by key, and how many there were.</param>
/// <param name="Lines">Watch lines by kind.</param>
/// <param name="End">What it leaves.</param>
/// <param name="Counts">Its creations and deletions.</param>
/// <param name="Masks">Paths whose values differ from run to run.</param>
public sealed record Reference(
    IReadOnlyList<string> Places, IReadOnlyDictionary<string, int> Reads, IReadOnlyDictionary<string, int> Lines, IReadOnlySet<string> End, IReadOnlyDictionary<string, int> Counts,
    IReadOnlySet<string> Masks);
