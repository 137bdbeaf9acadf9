using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using RagOperator.Engine.Rollout;
using Xunit.Abstractions;

namespace RagOperator.Engine.Tests.Properties;

/// <summary>Over random histories: no write breaks a safety rule (the simulator holds each against them), and once faults stop it ends
/// and is silent. RAG_HISTORIES asks for more histories, RAG_SEED for another beginning.</summary>
public sealed class HistoryTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_history_is_safe_ends_and_is_silent()
    {
        var count = Number("RAG_HISTORIES", 1000);
        var first = Number("RAG_SEED", 1);
        var failures = new ConcurrentBag<(int Seed, string Error)>();
        var phases = new ConcurrentDictionary<string, int>();
        var watch = Stopwatch.StartNew();
        Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, (seed, state) =>
        {
            if (Error(History.Make(seed), phases) is { } error)
            {
                failures.Add((seed, error));
                if (failures.Count >= 3) state.Stop();
            }
        });
        output.WriteLine($"{count} histories from seed {first} in {watch.Elapsed.TotalSeconds:0} s: {string.Join(", ", phases.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p => $"{p.Key} {p.Value}"))}");
        if (failures.IsEmpty) return;
        var (bad, _) = failures.MinBy(static f => f.Seed);
        var least = Shrink(History.Make(bad));
        Assert.Fail($"seed {bad}, shrunk to\n{string.Join("\n", least)}\n{Error(least, phases)}");
    }

    /// <summary>What is wrong with a history, or null.</summary>
    internal static string? Error(List<Happening> history, ConcurrentDictionary<string, int>? phases = null)
    {
        try
        {
            var sim = History.Begin().UntilHealthy();
            foreach (var happening in history)
            {
                sim.Run(happening.After);
                happening.Do(sim);
            }

            sim.Run(TimeSpan.FromSeconds(30));
            History.Mend(sim);
            sim.Run(TimeSpan.FromMinutes(75));
            var waits = sim.Phase == Phases.Suspended && sim.Condition("Reconciling") is "True Paused" or "True ApprovalNeeded";
            var held = sim.Phase == Phases.Degraded && sim.Condition("Stalled") == "True RolledBack";
            Assert.True(sim.Phase == Phases.Healthy || waits || held, $"it does not end: {sim}");
            var writes = sim.Trajectory.Count;
            sim.Run(TimeSpan.FromMinutes(30));
            Assert.True(writes == sim.Trajectory.Count, $"it goes on writing: {sim}");
            Assert.Equal(sim.Cluster.Generation, sim.Status.ObservedGeneration);
            Assert.Equal(100, sim.Cluster.Route!.Backends.Sum(static b => b.Weight));
            foreach (var flag in sim.Cluster.Reading.DisabledFlags)
                Assert.DoesNotContain(sim.Cluster.FlagMaps.Values, m => m.Flags.GetValueOrDefault(flag));
            phases?.AddOrUpdate(sim.Phase!, 1, static (_, n) => n + 1);
            phases?.AddOrUpdate("passes", sim.Passes, (_, n) => n + sim.Passes);
            return null;
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    /// <summary>Leaves out whatever the failure does not need.</summary>
    private static List<Happening> Shrink(List<Happening> history)
    {
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = history.Count - 1; i >= 0; i--)
            {
                var less = history.Where((_, n) => n != i).ToList();
                if (Error(less) is null) continue;
                history = less;
                changed = true;
            }
        }

        return history;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
