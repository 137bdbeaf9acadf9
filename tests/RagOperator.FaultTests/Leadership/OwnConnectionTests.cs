using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Leadership;

/// <summary>What is asked for the Lease does not wait behind anything else: a busy or broken connection costs no leadership.</summary>
public sealed class OwnConnectionTests
{
    [SkippableFact]
    public Task Lease_is_renewed_over_a_connection_that_nothing_else_uses() => Lab.InSlotAsync(async () =>
    {
        string[] election = ["--leaderElection.enabled", "true", "--leaderElection.name", "operator", "--leaderElection.retryPeriod", "1s", "--leaderElection.renewDeadline", "8s", "--leaderElection.leaseDuration", "10s"];
        await using var world = await FaultWorld.CreateAsync(await FaultBed.SharedAsync(), "lease", [], election, withLease: true);
        await world.InstallAsync(new ServiceSpec());
        await world.UntilAsync(() => Task.FromResult(world.Proxy.Trajectory.All.Count(static d => d.Call.Resource == "leases") > 3), "renewals");
        var byLease = world.Proxy.Connections.ToLookup(static c => c.Resource == "leases", static c => c.Connection);
        Assert.NotEmpty(byLease[true]);
        Assert.NotEmpty(byLease[false]);
        Assert.Empty(byLease[true].Intersect(byLease[false]));
        world.Forget();
    });
}
