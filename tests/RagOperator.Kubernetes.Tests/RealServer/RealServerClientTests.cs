using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.RealServer;

public sealed class RealServerClientTests(RealServerFixture server) : IClassFixture<RealServerFixture>
{
    private const string Manager = "ragoperator-test";

    [SkippableFact]
    public async Task Create_taken_name_is_AlreadyExists()
    {
        using var client = server.Connect();
        var first = await client.CreateAsync<V1ConfigMap>(ConfigMap("taken", "1"), "default");
        var second = await client.CreateAsync<V1ConfigMap>(ConfigMap("taken", "2"), "default");

        Assert.Equal("1", first.EnsureSuccess().Data!["value"]);
        Assert.Equal(ApiReason.AlreadyExists, second.Reason);
        Assert.Contains("create configmaps default/taken", second.ToException().Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Create_dry_run_leaves_nothing()
    {
        using var client = server.Connect();
        var key = new NamespacedName("default", "dry");
        Assert.True((await client.CreateAsync<V1ConfigMap>(ConfigMap(key.Name, "1"), "default", dryRun: true)).IsSuccess);
        Assert.Null((await client.GetAsync<V1ConfigMap>(key)).ValueOrNull());
    }

    [SkippableFact]
    public async Task Apply_with_stale_resourceVersion_or_wrong_uid_is_Conflict()
    {
        using var client = server.Connect();
        var key = new NamespacedName("default", "applied");
        var created = (await client.ApplyAsync<V1ConfigMap>(ConfigMap(key.Name, "1"), key, Manager, force: true)).EnsureSuccess();
        var changed = await client.ApplyAsync<V1ConfigMap>(ConfigMap(key.Name, "2", created.ResourceVersion(), created.Uid()), key, Manager, force: true);
        var stale = await client.ApplyAsync<V1ConfigMap>(ConfigMap(key.Name, "3", created.ResourceVersion()), key, Manager, force: true);
        var other = await client.ApplyAsync<V1ConfigMap>(ConfigMap(key.Name, "4", uid: Guid.Empty.ToString()), key, Manager, force: true);

        Assert.True(changed.IsSuccess, changed.ToString());
        Assert.Equal((ApiReason.Conflict, 409), (stale.Reason, stale.StatusCode));
        Assert.Equal(ApiReason.Conflict, other.Reason);
        Assert.Equal("2", (await client.GetAsync<V1ConfigMap>(key)).EnsureSuccess().Data!["value"]);
    }

    [SkippableFact]
    public async Task Delete_with_wrong_uid_or_version_is_Conflict_and_with_the_right_ones_succeeds()
    {
        using var client = server.Connect();
        var key = new NamespacedName("default", "deleted");
        var made = (await client.CreateAsync<V1ConfigMap>(ConfigMap(key.Name, "1"), "default")).EnsureSuccess();
        var wrongUid = await client.DeleteAsync<V1ConfigMap>(key, uid: Guid.Empty.ToString());
        var wrongVersion = await client.DeleteAsync<V1ConfigMap>(key, made.Uid(), "1");
        var right = await client.DeleteAsync<V1ConfigMap>(key, made.Uid(), made.ResourceVersion());
        var again = await client.DeleteAsync<V1ConfigMap>(key);

        Assert.Equal(ApiReason.Conflict, wrongUid.Reason);
        Assert.Equal(ApiReason.Conflict, wrongVersion.Reason);
        Assert.True(right.IsSuccess, right.ToString());
        Assert.Equal(ApiReason.NotFound, again.Reason);
    }

    [SkippableFact]
    public async Task MergePatch_changes_one_field_and_keeps_the_others()
    {
        using var client = server.Connect();
        var key = new NamespacedName("default", "patched");
        await client.CreateAsync<V1ConfigMap>(ConfigMap(key.Name, "1"), "default");
        var patched = await client.MergePatchAsync<V1ConfigMap>(new JsonObject { ["data"] = new JsonObject { ["more"] = "2" } }, key);
        Assert.Equal(("1", "2"), (patched.EnsureSuccess().Data!["value"], patched.Value!.Data!["more"]));
    }

    [SkippableFact]
    public async Task Get_of_a_kind_that_is_not_served_is_KindMissing()
    {
        using var client = server.Connect();
        var answer = await client.GetAsync<V1HTTPRoute>(new("default", "r"));
        Assert.Equal(ApiReason.KindMissing, answer.Reason);
        Assert.Equal(ApiReason.KindMissing, (await client.ListAsync<V1HTTPRoute>()).Reason);
    }

    [SkippableFact]
    public async Task List_pages_hold_every_object()
    {
        using var client = server.Connect();
        foreach (var i in Enumerable.Range(0, 7))
        {
            var body = ConfigMap($"page-{i}", "x");
            body["metadata"]!["labels"] = new JsonObject { ["pages"] = "yes" };
            (await client.CreateAsync<V1ConfigMap>(body, "default")).EnsureSuccess();
        }

        var list = (await client.ListAsync<V1ConfigMap>(new ListOptions { LabelSelector = "pages=yes", PageSize = 3 })).EnsureSuccess();
        Assert.Equal(7, list.Items.Count);
        Assert.All(list.Items, static item => Assert.Equal(("v1", "ConfigMap"), (item.ApiVersion, item.Kind)));
    }

    [SkippableFact]
    public async Task Cache_follows_creation_change_and_deletion_and_knows_own_writes()
    {
        using var client = server.Connect();
        var cache = new ObjectCache<V1ConfigMap>(client, new CacheOptions<V1ConfigMap> { Namespace = "default" });
        using var stop = new CancellationTokenSource();
        var run = cache.RunAsync(stop.Token);
        await cache.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));

        var key = new NamespacedName("default", "cached");
        var made = (await client.CreateAsync<V1ConfigMap>(ConfigMap(key.Name, "1"), "default")).EnsureSuccess();
        await Wait.UntilAsync(() => cache.HasSeen(key, made.ResourceVersion()), "the creation is seen");
        Assert.Equal("1", cache.Get(key)!.Data!["value"]);
        Assert.Null(cache.Get(key)!.Metadata.ManagedFields);

        var changed = (await client.ApplyAsync<V1ConfigMap>(ConfigMap(key.Name, "2"), key, Manager, force: true)).EnsureSuccess();
        await Wait.UntilAsync(() => cache.HasSeen(key, changed.ResourceVersion()), "the change is seen");
        Assert.Equal("2", cache.Get(key)!.Data!["value"]);

        (await client.DeleteAsync<V1ConfigMap>(key)).ToString();
        await Wait.UntilAsync(() => cache.Get(key) is null, "the deletion is seen");
        await stop.CancelAsync();
        await run;
    }

    internal static JsonObject ConfigMap(string name, string value, string? resourceVersion = null, string? uid = null)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (resourceVersion is not null) metadata["resourceVersion"] = resourceVersion;
        if (uid is not null) metadata["uid"] = uid;
        return new JsonObject { ["metadata"] = metadata, ["data"] = new JsonObject { ["value"] = value } };
    }
}
