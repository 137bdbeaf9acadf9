using FsCheck;
using FsCheck.Fluent;
using RagOperator.Tests.Shared;
using Xunit.Abstractions;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>Whatever happens to clocks, network and processes: never two that believe to lead, and soon one that does.</summary>
public sealed class ElectionModelTests(ITestOutputHelper output)
{
    private const int Histories = 150;

    private static readonly Gen<Disturbance> s_disturbances =
        from kind in Gen.Elements(Enum.GetValues<DisturbanceKind>())
        from ofLeader in Gen.Frequency((2, Gen.Constant(true)), (1, Gen.Constant(false)))
        from choice in Gen.Choose(0, 5)
        from after in Gen.Choose(0, 450)
        // Short ones more often than long ones, up to 40 s.
        from root in Gen.Choose(0, 1000)
        select new Disturbance(kind, ofLeader, choice, after / 10.0, Math.Round(root / 1000.0 * (root / 1000.0) * 40, 1));

    // Five minutes are over after about thirteen of them; more come in some histories.
    private static readonly Arbitrary<ElectionHistory> s_histories = Arb.From(
        from seed in Gen.Choose(1, 1_000_000_000)
        from nodes in Gen.Choose(2, 3)
        from mixed in Gen.Frequency((1, Gen.Constant(true)), (2, Gen.Constant(false)))
        from disturbances in Seeded.Histories(s_disturbances, 13, 25).Generator
        select new ElectionHistory(seed, nodes, mixed, disturbances),
        static h => Seeded.Shorter(h.Disturbances).Select(shorter => h with { Disturbances = shorter }));

    [Fact]
    public void Never_two_lead_and_one_that_can_does_within_its_lease_and_a_second()
    {
        var (terms, played) = (0, 0);
        Seeded.Holds(Histories, s_histories, history =>
        {
            var world = new ElectionWorld(history);
            world.Play(TimeSpan.FromMinutes(5));
            Assert.True(world.Violation is null, $"{world.Violation}\n{string.Join('\n', world.History.Split('\n').TakeLast(60))}");
            terms += world.Terms;
            played++;
            return true;
        });
        output.WriteLine($"{terms} terms in {played} histories of 5 minutes");
        Assert.True(terms > played * 3, $"only {terms} terms: the histories do not disturb anybody");
    }
}
