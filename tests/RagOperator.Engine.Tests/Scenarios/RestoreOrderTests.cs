using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>An object that is restored before its children, or without some of them: what was known before must not be taken for a first install.</summary>
public sealed class RestoreOrderTests
{
    /// <summary>Too short for a first install: its pods need longer to start.</summary>
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(3);

    private static Sim Midway()
    {
        var sim = new Sim().UntilHealthy();
        return sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding);
    }

    public static TheoryData<string> Orders { get; } = ["services records rest", "records services rest", "rest records services", "rest services records"];

    [Theory]
    [MemberData(nameof(Orders))]
    public void Children_that_come_after_the_object_make_a_rollout_of_what_began_as_a_first_install(string order)
    {
        var sim = Midway();
        var children = Lose(sim);
        var events = sim.Events.Count;
        sim.Run(s_soon);
        Assert.Null(sim.Status.StableRevision);
        Bring(sim, children, order);
        sim.UntilStep("half", StepStates.Holding);
        Assert.Contains(sim.Events.Skip(events), static e => e.Event.Reason == "Restored");
        Assert.DoesNotContain(sim.Events.Skip(events), static e => e.Event.Reason == "Installed");
        Assert.Equal("0 5 10 50", string.Join(' ', sim.Weights("api:2").Split(' ').TakeLast(4)));
        Assert.Equal(4, sim.Pods("api:1"));
        sim.UntilHealthy();
        Assert.Equal(100, sim.Weight("api:2"));
    }

    [Fact]
    public void A_failed_release_whose_record_was_made_anew_without_its_mark_is_tried_from_the_first_step()
    {
        var sim = Midway();
        sim.Ask("abort/current").Run(TimeSpan.FromMinutes(2));
        var children = Lose(sim);
        sim.Run(s_soon);
        Bring(sim, children, "services records rest");
        sim.UntilStep("canary", StepStates.Holding);
        Assert.Equal((95, 5), (sim.Weight("api:1"), sim.Weight("api:2")));
    }

    [Fact]
    public void Without_the_Service_the_route_tells_which_release_is_stable()
    {
        var sim = Midway();
        sim.Cluster.Delete(orphan: true);
        foreach (var name in sim.Cluster.Services.Keys.ToList()) sim.Cluster.Services.Remove(name);
        sim.Cluster.Create(sim.Spec.Json());
        var events = sim.Events.Count;
        sim.Restart().UntilStep("canary", StepStates.Holding);
        Assert.Contains(sim.Events.Skip(events), static e => e.Event is { Reason: "Restored" } && e.Event.Message.Contains("HTTPRoute assistant", StringComparison.Ordinal));
        Assert.Equal((95, 5), (sim.Weight("api:1"), sim.Weight("api:2")));
        Assert.EndsWith("50 0 5", sim.Weights("api:2"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_route_without_Service_and_record_stops_everything_until_they_come()
    {
        var sim = Midway();
        var children = Lose(sim);
        sim.Cluster.Route = children.OfType<SimRoute>().Single();
        sim.Run(TimeSpan.FromMinutes(10));
        Assert.Contains("HTTPRoute assistant", sim.Message, StringComparison.Ordinal);
        Assert.Empty(sim.Cluster.Deployments);
        Bring(sim, children, "records services rest");
        sim.UntilStep("canary", StepStates.Holding);
        Assert.Equal((95, 5), (sim.Weight("api:1"), sim.Weight("api:2")));
    }

    /// <summary>The namespace is emptied, and the object alone is there again.</summary>
    private static List<SimChild> Lose(Sim sim)
    {
        sim.Cluster.Delete(orphan: true);
        var children = sim.Cluster.Children().ToList();
        sim.Cluster.Deployments.Clear();
        sim.Cluster.Services.Clear();
        sim.Cluster.FlagMaps.Clear();
        sim.Cluster.Records.Clear();
        sim.Cluster.Route = null;
        sim.Cluster.Create(sim.Spec.Json());
        sim.Restart();
        return children;
    }

    /// <summary>One kind after the other is restored, but for names that are there already; the operator looks in between.</summary>
    private static void Bring(Sim sim, List<SimChild> children, string order)
    {
        var cluster = sim.Cluster;
        foreach (var part in order.Split(' '))
        {
            foreach (var child in children.Where(c => PartOf(c) == part))
            {
                _ = child switch
                {
                    SimService s => cluster.Services.TryAdd(s.Name, s),
                    SimRecord r => cluster.Records.TryAdd(r.Name, r),
                    SimDeployment d => cluster.Deployments.TryAdd(d.Name, d),
                    SimFlags f => cluster.FlagMaps.TryAdd(f.Name, f),
                    _ => (cluster.Route ??= (SimRoute)child) == child,
                };
            }

            sim.Run(TimeSpan.FromMilliseconds(500));
        }
    }

    private static string PartOf(SimChild child) => child switch
    {
        SimService => "services",
        SimRecord => "records",
        _ => "rest",
    };
}
