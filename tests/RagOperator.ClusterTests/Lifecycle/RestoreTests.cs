using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Lifecycle;

/// <summary>An object that comes back without its status.</summary>
public sealed class RestoreTests
{
    [SkippableFact]
    public async Task Orphaned_children_are_adopted_stable_is_found_and_nothing_restarts()
    {
        await using var space = await TestSpace.CreateAsync("restore");
        await space.InstallAsync(space.Service());
        var second = space.Service() with { Api = "1.1" };
        await space.ApplyAsync(second);
        var before = await space.UntilAsync(s => s.Phase == "Healthy" && s.Retiring is null, TestSpace.Patience, "release 2 is stable");
        var pods = (await space.ListAsync("pods")).Select(p => p.GetProperty("metadata").Text("uid")).Order(StringComparer.Ordinal).ToList();
        var uid = (await space.GetAsync()).Metadata.Uid;
        await using var load = space.StartLoad(20);

        (await space.Bed.KubectlAsync("delete", "ragd", "assistant", "-n", space.Namespace, "--cascade=orphan", "--timeout=150s")).OrThrow();
        await space.StaysAsync(async () => (await space.AskAsync()).Status == 200, TimeSpan.FromSeconds(2));
        await space.ApplyAsync(second);

        var after = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "Healthy again");
        Assert.NotEqual(uid, (await space.GetAsync()).Metadata.Uid);
        Assert.Equal((before.StableRevision, before.Release), (after.StableRevision, after.Release));
        Assert.Null(after.CanaryRevision);
        Assert.Equal(pods, (await space.ListAsync("pods")).Select(p => p.GetProperty("metadata").Text("uid")).Order(StringComparer.Ordinal));
        var owner = (await space.GetAsync()).Metadata.Uid;
        foreach (var kind in (string[])["deployments", "services", "configmaps", "controllerrevisions"])
            Assert.All(await space.ListAsync(kind, "ragoperator.dev/name=assistant"), child => Assert.Equal(owner, child.GetProperty("metadata").GetProperty("ownerReferences")[0].Text("uid")));
        Assert.Contains("Restored", await space.ReasonsAsync());
        var result = await load.StopAsync();
        Assert.True(result.Lost == 0 && result.Counts.Keys.All(key => key == "200"), result.ToString());
    }
}
