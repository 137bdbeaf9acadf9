using System.Collections.Concurrent;
using RagOperator.Kubernetes.LeaderElection;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.RealServer;

/// <summary>The Lease as the real server keeps it.</summary>
public sealed class RealServerLeaseTests(RealServerFixture server) : IClassFixture<RealServerFixture>
{
    private static readonly DateTimeOffset Whole = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [SkippableFact]
    public async Task Lease_is_created_renewed_on_its_version_only_released_and_taken_with_what_others_put_into_it()
    {
        using var client = server.Connect();
        var (a, b) = (Config("a", "taken"), Config("b", "taken"));
        using var first = new LeaseLock(client, a);
        using var second = new LeaseLock(client, b);
        Assert.Equal(ApiReason.NotFound, (await first.GetAsync(default)).Reason);
        // A whole second has its six digits, too, or the server refuses it.
        var made = (await first.CreateAsync(LeaseRecord.New(a, Whole), default)).EnsureSuccess();
        Assert.Equal(("a", TimeSpan.FromSeconds(15), 0), (made.Holder, made.Duration, made.Transitions));
        Assert.Equal(ApiReason.AlreadyExists, (await second.CreateAsync(LeaseRecord.New(b, Whole), default)).Reason);

        await server.KubectlAsync("label", "lease", "taken", "kept=yes");
        Assert.Equal(ApiReason.Conflict, (await first.UpdateAsync(made.Held(a, Whole), default)).Reason);
        var read = (await second.GetAsync(default)).EnsureSuccess();
        Assert.Equal(made.Spec, read.Spec);
        var renewed = (await first.UpdateAsync(read.Held(a, Whole.AddTicks(10)), default)).EnsureSuccess();
        Assert.Contains("\"renewTime\":\"2026-01-02T03:04:05.000001Z\"", renewed.Spec, StringComparison.Ordinal);
        Assert.Contains("\"acquireTime\":\"2026-01-02T03:04:05.000000Z\"", renewed.Spec, StringComparison.Ordinal);
        Assert.True(read.IsOlderThan(renewed));

        var released = (await first.UpdateAsync(renewed.Released(Whole), default)).EnsureSuccess();
        Assert.True(released.IsFree);
        Assert.Equal(TimeSpan.FromSeconds(1), released.Duration);
        var taken = (await second.UpdateAsync(released.Held(b, Whole), default)).EnsureSuccess();
        Assert.Equal(("b", 1), (taken.Holder, taken.Transitions));
        Assert.Contains("kept", await server.KubectlAsync("get", "lease", "taken", "--show-labels"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Watch_shows_one_Lease_as_it_is_and_each_change_and_its_deletion()
    {
        using var client = server.Connect();
        var config = Config("a", "watched");
        using var mine = new LeaseLock(client, config);
        using var other = new LeaseLock(client, Config("a", "unwatched"));
        var seen = new ConcurrentQueue<string>();
        var opened = new TaskCompletionSource();
        using var stop = new CancellationTokenSource();
        var lease = (await mine.CreateAsync(LeaseRecord.New(config, Whole), default)).EnsureSuccess();
        var watch = mine.WatchAsync(l => seen.Enqueue(l?.Holder ?? "deleted"), opened.SetResult, stop.Token);
        await opened.Task;
        (await other.CreateAsync(LeaseRecord.New(Config("stranger", "unwatched"), Whole), default)).EnsureSuccess();
        var free = (await mine.UpdateAsync(lease.Released(Whole), default)).EnsureSuccess();
        await Wait.UntilAsync(() => seen.Count >= 2, "the release is seen");
        await server.KubectlAsync("delete", "lease", "watched");
        await Wait.UntilAsync(() => seen.Count >= 3, "the deletion is seen");

        Assert.Equal(["a", "", "deleted"], seen);
        // An update may create a Lease, but not one that names a version: whoever held it finds out.
        Assert.Equal(ApiReason.Conflict, (await mine.UpdateAsync(free.Held(config, Whole), default)).Reason);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch);
    }

    [SkippableFact]
    public async Task Lease_in_a_namespace_that_is_not_there_is_not_found_on_creation()
    {
        using var client = server.Connect();
        var config = Config("a", "l") with { Lease = new("nowhere", "l") };
        using var mine = new LeaseLock(client, config);
        Assert.Equal(ApiReason.NotFound, (await mine.GetAsync(default)).Reason);
        var refused = await mine.CreateAsync(LeaseRecord.New(config, Whole), default);
        Assert.Equal(ApiReason.NotFound, refused.Reason);
        Assert.Contains("nowhere", refused.Message, StringComparison.Ordinal);
    }

    private static LeaderElectionConfig Config(string identity, string name) => new() { Lease = new("default", name), Identity = identity };
}
