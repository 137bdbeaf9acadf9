using FsCheck;
using FsCheck.Fluent;
using RagOperator.Tests.Shared;
using Xunit.Abstractions;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>Whatever happens to clocks, network and processes: never two that believe to lead, and soon one that does.</summary>
public sealed class ElectionModelTests(ITestOutputHelper output)
{
    private const int Histories = 150;

    private static readonly TimeSpan s_length = TimeSpan.FromMinutes(5);

    // With milliseconds since the one before; short ones more often than long ones, up to 40 s.
    private static readonly Gen<(int After, Disturbance What)> s_disturbances =
        from kind in Gen.Elements(Enum.GetValues<DisturbanceKind>())
        from ofLeader in Gen.Frequency((2, Gen.Constant(true)), (1, Gen.Constant(false)))
        from choice in Gen.Choose(0, 5)
        from after in Gen.Choose(0, 45_000)
        from root in Gen.Choose(1, 1000)
        select (after, new Disturbance(kind, ofLeader, choice, 0, Math.Round(root / 1000.0 * (root / 1000.0) * 40, 3)));

    private static readonly Arbitrary<ElectionHistory> s_histories = Arb.From(
        from seed in Gen.Choose(1, 1_000_000_000)
        from nodes in Gen.Choose(2, 3)
        from mixed in Gen.Frequency((1, Gen.Constant(true)), (2, Gen.Constant(false)))
        from first in Gen.Choose(0, 20_000)
        from disturbances in s_disturbances.ArrayOf(40)
        select new ElectionHistory(seed, nodes, mixed, Timed(first, disturbances)),
        static h => Seeded.Shorter(h.Disturbances).Select(shorter => h with { Disturbances = shorter }));

    [Fact]
    public void Never_two_lead_and_one_that_can_does_within_its_lease_and_a_second()
    {
        var (terms, played) = (0, 0);
        Seeded.Holds(Histories, s_histories, history =>
        {
            var world = new ElectionWorld(history);
            world.Play(s_length);
            Assert.True(world.Violation is null, $"{world.Violation}\n{string.Join('\n', world.History.Split('\n').TakeLast(60))}");
            terms += world.Terms;
            played++;
            return true;
        });
        output.WriteLine($"{terms} terms in {played} histories of 5 minutes");
        Assert.True(terms > played * 3, $"only {terms} terms: the histories do not disturb anybody");
    }

    /// <summary>One after the other, as many as begin within the history.</summary>
    private static Disturbance[] Timed(int first, (int After, Disturbance What)[] disturbances)
    {
        var at = first - disturbances[0].After;
        return [.. disturbances.Select(d => d.What with { At = (at += d.After) / 1000.0 }).TakeWhile(static d => d.At < s_length.TotalSeconds)];
    }
}
