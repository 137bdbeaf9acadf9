using RagOperator.Kubernetes.LeaderElection;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;
using static RagOperator.Kubernetes.Tests.Support.FakeApiServer;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

public sealed class LeaderTermTests
{
    [Fact]
    public void First_look_at_the_clock_after_a_stop_ends_the_term_although_no_timer_fired()
    {
        var clock = new StoppedTimers();
        using var term = new LeaderTerm(clock);
        Assert.True(term.TermToken.IsCancellationRequested);
        Assert.True(term.Extend(term.Now + TimeSpan.FromSeconds(10)));
        var token = term.TermToken;
        Assert.True(term.IsLeader);

        clock.Now += TimeSpan.FromSeconds(10);
        Assert.False(term.IsLeader);
        Assert.True(token.IsCancellationRequested);
        Assert.True(term.TermToken.IsCancellationRequested);
    }

    [Fact]
    public void Term_that_is_over_is_not_prolonged()
    {
        var clock = new StoppedTimers();
        using var term = new LeaderTerm(clock);
        term.Extend(term.Now + TimeSpan.FromSeconds(10));
        clock.Now += TimeSpan.FromSeconds(11);
        Assert.False(term.Extend(term.Now + TimeSpan.FromSeconds(10)));
        Assert.False(term.IsLeader);
    }

    [Fact]
    public async Task Timer_ends_the_term_although_nobody_looks()
    {
        var clock = new FakeTimeProvider();
        using var term = new LeaderTerm(clock);
        var waiting = term.WaitForLeadershipAsync(CancellationToken.None);
        term.Extend(term.Now + TimeSpan.FromSeconds(10));
        await waiting;
        var token = term.TermToken;
        clock.Advance(TimeSpan.FromSeconds(5));
        term.Extend(term.Now + TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(token.IsCancellationRequested);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(token.IsCancellationRequested);
    }

    [Fact]
    public async Task Client_sends_no_write_outside_the_term_and_every_read()
    {
        await using var server = await FakeApiServer.StartAsync(null, Json("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default","resourceVersion":"1"}}"""));
        var clock = new StoppedTimers();
        using var term = new LeaderTerm(clock);
        using var client = new KubernetesClient(server.Configuration, leadership: term);
        Assert.Equal(ApiReason.NotLeading, (await PatchAsync()).Reason);
        term.Extend(term.Now + TimeSpan.FromSeconds(10));
        Assert.True((await PatchAsync()).IsSuccess);
        Assert.True((await DeleteAsync()).IsSuccess);
        clock.Now += TimeSpan.FromSeconds(10);

        var refused = await PatchAsync();
        Assert.Equal((ApiReason.NotLeading, false), (refused.Reason, refused.IsOutcomeUnknown));
        Assert.Equal(ApiReason.NotLeading, (await DeleteAsync()).Reason);
        Assert.Equal(ApiReason.NotLeading, (await client.CreateAsync<Abstractions.Models.V1ConfigMap>([], "default")).Reason);
        Assert.True((await client.GetAsync<Abstractions.Models.V1ConfigMap>(new("default", "a"))).IsSuccess);
        Assert.Equal(["PATCH", "DELETE", "GET"], server.Seen.Select(static r => r.Method));
        // The election itself goes on.
        using var own = client.WithOwnConnections();
        Assert.True((await own.SendAsync(HttpMethod.Put, "/apis/coordination.k8s.io/v1/namespaces/n/leases/l")).IsSuccess);

        Task<ApiResult<Abstractions.Models.V1ConfigMap>> PatchAsync() => client.MergePatchAsync<Abstractions.Models.V1ConfigMap>([], new("default", "a"));
        Task<ApiResult<Abstractions.Models.V1ConfigMap>> DeleteAsync() => client.DeleteAsync<Abstractions.Models.V1ConfigMap>(new("default", "a"));
    }

    [Fact]
    public async Task Retry_of_a_write_asks_again()
    {
        var clock = new StoppedTimers();
        using var term = new LeaderTerm(clock);
        term.Extend(term.Now + TimeSpan.FromSeconds(10));
        var busy = Status(429, "TooManyRequests", retryAfter: 1);
        await using var server = await FakeApiServer.StartAsync(null, context =>
        {
            clock.Now += TimeSpan.FromSeconds(10);
            return busy(context);
        });
        using var client = new KubernetesClient(server.Configuration, leadership: term);
        Assert.Equal(ApiReason.NotLeading, (await client.MergePatchAsync<Abstractions.Models.V1ConfigMap>([], new("default", "a"))).Reason);
        Assert.Single(server.Seen);
    }

    /// <summary>A process whose timers are late: only who asks knows what time it is.</summary>
    private sealed class StoppedTimers : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
