using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Scenarios;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Leadership;

/// <summary>Two operators. The leader is stopped (SIGSTOP) with a write on its way, which comes to the server right after the other's first write to
/// the same object, or when the other has ended the rollout.</summary>
public sealed class HeldWriteTests(ITestOutputHelper output)
{
    private const int Some = 2;

    // On a busy machine the first may lose its term by itself before the write comes. Then nothing was shown, and it is played again.
    private const int Tries = 3;

    private static readonly string[] s_election =
    [
        "--leaderElection.enabled", "true", "--leaderElection.name", "operator",
        "--leaderElection.leaseDuration", "10s", "--leaderElection.renewDeadline", "8s", "--leaderElection.retryPeriod", "1s",
    ];

    [SkippableTheory]
    [InlineData("good-release")]
    // What the old leader was about to raise has been taken back by the new one.
    [InlineData("sla-breach")]
    // The same with a flag, which is on by then, or about to go on.
    [InlineData("flag-breach")]
    public async Task Write_of_a_leader_that_is_none_any_more_changes_nothing_that_its_successor_wrote(string name)
    {
        await FaultBed.SharedAsync();
        var story = Stories.Named(name);
        var places = (await Lab.ReferenceAsync(story)).Places;
        List<(string Place, bool Early)> plays = [.. places.SelectMany(static place => (bool[])[true, false], static (place, early) => (place, early))];
        var chosen = FaultClass.All ? plays : FaultClass.Spread(plays, Some);
        var results = await Task.WhenAll(chosen.Select(play => Lab.InSlotAsync(() => PlayAsync(story, play.Place, play.Early))));
        var failures = results.Where(static r => r.Trouble is not null).Select(static r => r.Trouble!).ToList();
        var refused = results.Count(static r => r.Refused);
        FaultTable.Tell($"leader stopped with a write on its way/{name}", plays.Count, results.Length - failures.Count, failures.Count, refused == results.Length ? "all refused by the server" : $"{refused} refused by the server, the others changed nothing");
        output.WriteLine($"{chosen.Count} of {plays.Count} plays, {refused} writes refused, {results.Sum(static r => r.Lost)} times the leader lost its term before");
        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.True(refused > 0, "no write was refused: the fence was never met");
    }

    private static async Task<(string? Trouble, bool Refused, int Lost)> PlayAsync(Scenario story, string place, bool early)
    {
        var lost = 0;
        try
        {
            for (; lost < Tries; lost++)
                if (await HoldAsync(story, place, early) is { } refused)
                    return (null, refused, lost);
            throw new NotReachedException($"the first operator lost its term before the write came, {Tries} times");
        }
#pragma warning disable CA1031 // one place's failure must not hide the others
        catch (Exception e)
#pragma warning restore CA1031
        {
            return ($"- {place}{(early ? ", let go early" : "")}: {e.Message}", false, lost);
        }
    }

    /// <returns>Whether the server refused the late write; null where the first operator lost its term before it came to it.</returns>
    private static async Task<bool?> HoldAsync(Scenario story, string place, bool early)
    {
        var bed = await FaultBed.SharedAsync();
        await using var world = await FaultWorld.CreateAsync(bed, "held", [], [.. s_election, "--leaderElection.identity", "first"], withLease: true);
        await world.InstallAsync(story.First!);
        await using var second = await world.StartAnotherAsync([.. s_election, "--leaderElection.identity", "second"]);
        var beside = story == Stories.GoodRelease ? 100 : 0;
        var (held, release) = (new TaskCompletionSource<Deed>(), new TaskCompletionSource());
        world.Proxy.Witness = async deed =>
        {
            if (deed.Place == place && held.TrySetResult(deed))
                await release.Task;
            return await Witness.OfAsync(world.Api, deed);
        };
        world.Proxy.Trajectory.Arm();
        await story.Act(world);
        await world.UntilAsync(async () => held.Task.IsCompleted || await IsSecondLeadingAsync(), $"{place} on its way");
        if (!held.Task.IsCompleted)
        {
            // Its logs stay: they say why.
            release.SetResult();
            return null;
        }

        world.LetEnd();
        world.Operator.Pause();
        IReadOnlyList<Deed> successors;
        try
        {
            await world.UntilAsync(
                async () =>
                {
                    second.Start(); // a kubelet would, too: on a busy machine it may lose its own term
                    return (early && world.SecondsWrites.Any(Follows)) || await story.HasEnded(world);
                },
                "the other ends the rollout");
            // Held at the very end, the write comes late only once the other has led at all.
            await world.UntilAsync(IsSecondLeadingAsync, "the other leads");
            if (!early)
                await AllGoesWhereItShouldAsync();
            // Before the late write goes on: what comes after it says nothing about it.
            successors = world.SecondsWrites;
        }
        finally
        {
            release.SetResult();
        }

        var late = await held.Task;
        await world.UntilAsync(() => Task.FromResult(late.Ended > 0), "the server's answer to the late write");
        world.Operator.Resume();
        await world.UntilAsync(() => Task.FromResult(world.Operator.ExitCode is not null), "the old leader ends");
        Assert.Equal(70, world.Operator.ExitCode);

        // Whatever the late write was, the rollout ends as its successor wills, and stays so.
        await world.UntilAsync(() => story.HasEnded(world), "as it should end");
        if (early)
            await AllGoesWhereItShouldAsync();
        Assert.Equal(beside, await world.WeightBesideAsync(world.FirstService));
        if (late.Accepted && successors.LastOrDefault(Follows) is { } newer)
        {
            // A creation has no precondition: it makes again what its successor took away, who must take it away again.
            Assert.True(late.Call.Verb == "create" && newer.Call.Verb == "delete", $"accepted although its successor had written the object since: {late}, {newer}");
            await world.UntilAsync(async () => await world.Api.GetAsync(PathOf(late.Call)) is null, $"gone again: {late.Call.Key}");
        }

        // Of both: what was late is judged by what status said when it was sent.
        Assert.Empty(Invariants.Broken([.. world.Proxy.Trajectory.All, .. world.SecondsWrites]));
        // Nothing of the old leader's comes after it: its term is over.
        Assert.DoesNotContain(world.Proxy.Trajectory.Writes, d => d.Accepted && d.Began > late.Ended);
        world.Forget();
        return !late.Accepted;

        async Task<bool> IsSecondLeadingAsync() =>
            (await world.Api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{world.Namespace}/leases/operator"))?.GetProperty("spec").GetProperty("holderIdentity").GetString()?.StartsWith("second", StringComparison.Ordinal) == true;

        // Whether it is a write to the same object.
        bool Follows(Deed deed) => deed.Accepted && deed.Call.Kind == held.Task.Result.Call.Kind && deed.Call.Name == held.Task.Result.Call.Name;

        Task AllGoesWhereItShouldAsync() => world.UntilAsync(async () => await world.WeightBesideAsync(world.FirstService) == beside, "all goes where it should");
    }

    private static string PathOf(ApiCall call)
    {
        var group = call.Kind switch
        {
            "services" or "configmaps" => "/api/v1",
            "deployments" or "controllerrevisions" => "/apis/apps/v1",
            _ => throw new InvalidOperationException($"{call.Kind} are made once, and not taken away"),
        };
        return $"{group}/namespaces/{call.Namespace}/{call.Kind}/{call.Name}";
    }
}
