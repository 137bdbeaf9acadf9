using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Runs a fault at the moments where it makes sense, or at a fixed choice of them, and tells how it went.</summary>
public static class HandLab
{
    /// <summary>Runs it; fails with what went wrong at any moment.</summary>
    /// <param name="name">The class, as the table has it.</param>
    /// <param name="moments">Where it makes sense.</param>
    /// <param name="some">Where it runs unless all are wanted.</param>
    /// <param name="first">What is installed.</param>
    /// <param name="act">The rollout with the fault in it, to its end.</param>
    /// <param name="output">Where the summary is printed.</param>
    /// <param name="canaryMayDie">Pods of the canary die in it.</param>
    /// <param name="next">Release 2 from what is applied otherwise.</param>
    public static async Task CheckAsync(
        string name, IReadOnlyList<Moment> moments, IReadOnlyList<Moment> some, ServiceSpec first, Func<HandRun, Task> act, ITestOutputHelper output,
        bool canaryMayDie = false, Func<ServiceSpec, ServiceSpec>? next = null)
    {
        ArgumentNullException.ThrowIfNull(moments);
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(act);
        ArgumentNullException.ThrowIfNull(output);
        var bed = await FaultBed.SharedAsync();
        var chosen = FaultClass.All ? moments : some;
        var failures = (await Task.WhenAll(chosen.Select(moment => Lab.InSlotAsync(() => RunAsync(bed, name, moment, first, act, canaryMayDie, next))))).OfType<string>().ToList();
        FaultTable.Tell(name, moments.Count, chosen.Count - failures.Count, failures.Count, "");
        output.WriteLine($"{name}: {chosen.Count} of {moments.Count} moments, {failures.Count} failed");
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private static async Task<string?> RunAsync(
        FaultBed bed, string name, Moment moment, ServiceSpec first, Func<HandRun, Task> act, bool canaryMayDie, Func<ServiceSpec, ServiceSpec>? next)
    {
        await using var world = await FaultWorld.CreateAsync(bed, name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..], []);
        var run = new HandRun(world, moment, first) { CanaryMayDie = canaryMayDie };
        if (next is not null)
            run = new HandRun(world, moment, first) { CanaryMayDie = canaryMayDie, Next = next(run.Next) };
        var troubles = new List<string>();
        try
        {
            await world.InstallAsync(first);
            world.Proxy.Trajectory.Arm();
            await act(run);
        }
        catch (Exception e) when (e is NotReachedException or Xunit.Sdk.XunitException)
        {
            troubles.Add($"{e.Message}\n{e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains(".Hands.", StringComparison.Ordinal))}");
        }

        troubles.AddRange(await run.TroublesAsync());
        if (troubles.Count == 0)
        {
            world.Forget();
            return null;
        }

        return $"{name} at {moment}, in {world.Namespace}:\n  {string.Join("\n  ", troubles)}\n{await world.DescribeAsync()}";
    }
}
