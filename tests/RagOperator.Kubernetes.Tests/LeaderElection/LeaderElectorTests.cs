using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.LeaderElection;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

public sealed class LeaderElectorTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task First_one_creates_the_Lease_leads_at_once_renews_and_tells_of_it()
    {
        await using var a = new Candidate("a", new FakeLease());
        await a.LeadsAsync();

        Assert.Equal(["get", "create a"], a.Lease.Requests);
        Assert.False(a.Term.TermToken.IsCancellationRequested);
        Assert.Contains(("LeaderElection", "a became leader"), a.Events);
        for (var i = 0; i < 30; i++) await a.PassAsync(TimeSpan.FromSeconds(2), () => a.Lease.Requests.Count == 3 + i);
        Assert.True(a.Term.IsLeader);
        // A renewal each two seconds and nothing else.
        Assert.All(a.Lease.Requests.Skip(2), static r => Assert.Equal("update a", r));
    }

    [Fact]
    public async Task Standby_takes_a_silent_holders_Lease_when_its_own_duration_is_over_and_not_before()
    {
        var lease = new FakeLease();
        lease.Set("old", seconds: 7);
        await using var a = new Candidate("a", lease);
        await a.StandsByAsync("old");
        // Seven seconds that the Lease names, not the fifteen of the own configuration; whatever its renewTime says.
        await a.QuietAsync(TimeSpan.FromSeconds(6.9));
        await a.TakesOverAsync(TimeSpan.FromSeconds(0.5));

        Assert.Equal("a", lease.Current!.Holder);
        Assert.Equal(1, lease.Current.Transitions);
        Assert.Contains(a.Log.Entries, static e => e.Text.Contains("old was silent for 7 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Standby_takes_a_released_Lease_at_once()
    {
        var lease = new FakeLease();
        lease.Set("old", seconds: 15);
        await using var a = new Candidate("a", lease);
        await a.StandsByAsync("old");
        lease.Set("", seconds: 1);
        await a.LeadsAsync();
    }

    [Fact]
    public async Task Renewal_of_the_holder_is_waited_for_anew_and_a_label_is_none()
    {
        var lease = new FakeLease();
        lease.Set("old", seconds: 15);
        await using var a = new Candidate("a", lease);
        await a.StandsByAsync("old");
        await a.QuietAsync(TimeSpan.FromSeconds(14));
        lease.Set("old", seconds: 15, renewed: "2026-01-01T00:00:14.000000Z");
        await a.QuietAsync(TimeSpan.FromSeconds(10));
        // The same spec at another version: somebody else set a label.
        lease.Set("old", seconds: 15, renewed: "2026-01-01T00:00:14.000000Z");
        await a.QuietAsync(TimeSpan.FromSeconds(4.9));
        await a.TakesOverAsync(TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task Without_a_watch_it_reads_now_and_then()
    {
        var lease = new FakeLease { NoWatch = true };
        lease.Set("old", seconds: 15);
        await using var a = new Candidate("a", lease);
        await a.StandsByAsync("old");
        await a.QuietAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(lease.Requests.Count, 3, 6);
        lease.Set("", seconds: 1);
        await a.PassAsync(TimeSpan.FromSeconds(4.4), () => a.Term.IsLeader);
        Assert.Contains(a.Log.Entries, static e => e.Level == LogLevel.Warning && e.Text.Contains("cannot be watched", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Server_that_does_not_answer_ends_the_term_at_the_deadline_even_if_no_request_returns()
    {
        await using var a = new Candidate("a", new FakeLease());
        await a.LeadsAsync();
        a.Lease.Mute = true;
        await a.PassAsync(TimeSpan.FromSeconds(2), () => a.Lease.Requests.Count == 3);
        a.Time.Advance(TimeSpan.FromSeconds(7.9));
        Assert.True(a.Term.IsLeader);
        var token = a.Term.TermToken;
        a.Time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(token.IsCancellationRequested);
        Assert.False(a.Term.IsLeader);
    }

    [Fact]
    public async Task Failures_within_the_deadline_are_survived_and_told()
    {
        await using var a = new Candidate("a", new FakeLease());
        await a.LeadsAsync();
        a.Lease.Refuse = ApiReason.Unavailable;
        await a.PassAsync(TimeSpan.FromSeconds(2), () => a.Log.Entries.Any(static e => e.Level == LogLevel.Warning && e.Text.Contains("could not be renewed", StringComparison.Ordinal)));
        for (var i = 0; i < 14; i++) await a.PassAsync(TimeSpan.FromSeconds(0.5), static () => true);
        Assert.True(a.Term.IsLeader);
        Assert.Equal(HealthVerdict.Degraded, a.Health.Status);
        a.Lease.Refuse = null;
        await a.PassAsync(TimeSpan.FromSeconds(0.9), () => a.Health.Status == HealthVerdict.Healthy);
        a.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(a.Term.IsLeader);
    }

    [Fact]
    public async Task Renewal_whose_answer_was_lost_is_followed_by_the_next_one_without_a_conflict()
    {
        await using var a = new Candidate("a", new FakeLease());
        await a.LeadsAsync();
        a.Lease.LosesAnswers = true;
        await a.PassAsync(TimeSpan.FromSeconds(2), () => a.Health.Status == HealthVerdict.Degraded);
        a.Lease.LosesAnswers = false;
        await a.PassAsync(TimeSpan.FromSeconds(1), () => a.Health.Status == HealthVerdict.Healthy);

        Assert.Equal(["get", "create a", "update a", "update a"], a.Lease.Requests);
        a.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.True(a.Term.IsLeader);
    }

    [Fact]
    public async Task Lease_in_other_hands_ends_the_term_at_once_and_for_good()
    {
        await using var a = new Candidate("a", new FakeLease());
        await a.LeadsAsync();
        var token = a.Term.TermToken;
        a.Lease.Set("b", seconds: 15);
        await Wait.UntilAsync(() => token.IsCancellationRequested, "the term ends without any time passing");
        await Wait.UntilAsync(() => a.Log.Entries.Any(static e => e.Level == LogLevel.Error && e.Text.Contains("b has taken it", StringComparison.Ordinal)), "it is told");

        a.Lease.Set("", seconds: 1);
        await a.QuietAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("", a.Lease.Current!.Holder);
        Assert.False(a.Term.WaitForLeadershipAsync(CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task Deleted_Lease_is_created_again_by_its_holder_and_not_taken_by_a_standby_that_saw_it_held()
    {
        var lease = new FakeLease();
        await using var a = new Candidate("a", lease);
        await a.LeadsAsync();
        await using var b = new Candidate("b", lease);
        await b.StandsByAsync("a");
        lease.Delete();
        await Wait.UntilAsync(() => lease.Current is not null, "it is there again");
        Assert.Equal("a", lease.Current!.Holder);
        Assert.True(a.Term.IsLeader && !b.Term.IsLeader);
    }

    [Theory]
    [InlineData(ApiReason.Forbidden)]
    [InlineData(ApiReason.KindMissing)]
    public async Task Refusal_is_an_error_degrades_health_is_tried_again_ever_more_seldom_and_gotten_over(ApiReason reason)
    {
        await using var a = new Candidate("a", new FakeLease { Refuse = reason });
        await Wait.UntilAsync(() => a.Log.Entries.Any(static e => e.Level == LogLevel.Error && e.Text.Contains("RBAC", StringComparison.Ordinal)), "it is told");
        Assert.Equal(HealthVerdict.Degraded, a.Health.Status);
        Assert.Contains($"{reason}", a.Health.Detail, StringComparison.Ordinal);
        for (var i = 0; i < 600; i++) await a.PassAsync(TimeSpan.FromSeconds(1), static () => true);
        // Ten minutes: the first pauses double up to half a minute.
        Assert.InRange(a.Lease.Requests.Count, 15, 30);
        a.Lease.Refuse = null;
        for (var i = 0; i < 30; i++) await a.PassAsync(TimeSpan.FromSeconds(1), static () => true);
        await a.LeadsAsync();
        Assert.Equal(HealthVerdict.Healthy, a.Health.Status);
    }

    [Fact]
    public async Task Stop_ends_the_term_first_and_then_gives_the_Lease_back_with_all_else_as_it_was()
    {
        var lease = new FakeLease();
        lease.Set("", seconds: 1);
        await using var a = new Candidate("a", lease);
        await a.LeadsAsync();
        await a.StopAsync();

        Assert.False(a.Term.IsLeader);
        Assert.True(lease.Current!.IsFree);
        Assert.Equal(TimeSpan.FromSeconds(1), lease.Current.Duration);
        Assert.Contains("\"strategy\":\"kept\"", lease.Current.Spec, StringComparison.Ordinal);
        Assert.Null(a.Fatal.Cause);
    }

    [Fact]
    public async Task Stop_that_ran_out_of_time_keeps_the_Lease_since_something_may_be_at_work_still()
    {
        await using var a = new Candidate("a", new FakeLease());
        await a.LeadsAsync();
        await a.StopAsync(new CancellationToken(canceled: true));
        Assert.Equal("a", a.Lease.Current!.Holder);
    }

    [Fact]
    public async Task Nobody_takes_part_before_its_caches_are_complete()
    {
        var synced = new TaskCompletionSource();
        await using var a = new Candidate("a", new FakeLease(), synced.Task);
        await a.QuietAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(a.Lease.Requests);
        synced.SetResult();
        await a.LeadsAsync();
    }

    /// <summary>One elector on a clock of its own.</summary>
    private sealed class Candidate : IAsyncDisposable, IEventRecorder, IHostApplicationLifetime, ILeaderPrerequisite
    {
        private readonly LeaderElector _elector;
        private readonly Task _ready;

        public Candidate(string name, FakeLease lease, Task? ready = null)
        {
            (Lease, _ready) = (lease, ready ?? Task.CompletedTask);
            Term = new LeaderTerm(Time);
            using var logs = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
            Fatal = new FatalError(this, logs.CreateLogger<FatalError>());
            var config = new LeaderElectionConfig { Lease = new("system", "operator"), Identity = name };
            _elector = new LeaderElector(config, lease, Term, [this], this, Time, new Jitter(1), Fatal, logs.CreateLogger<LeaderElector>());
            _elector.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        public FakeTimeProvider Time { get; } = new();

        public FakeLease Lease { get; }

        public LeaderTerm Term { get; }

        public LogCollector Log { get; } = new();

        public FatalError Fatal { get; }

        public ConcurrentQueue<(string Reason, string Note)> Events { get; } = new();

        public HealthReport Health => ((IHealthSource)_elector).Check();

        CancellationToken IHostApplicationLifetime.ApplicationStarted => default;

        CancellationToken IHostApplicationLifetime.ApplicationStopping => default;

        CancellationToken IHostApplicationLifetime.ApplicationStopped => default;

        public Task LeadsAsync() => Wait.UntilAsync(() => Term.IsLeader && Armed, "it leads");

        public Task StandsByAsync(string holder) => Wait.UntilAsync(() => _elector.GetLeader() == holder && Armed, $"it stands by for {holder}");

        /// <summary>Moves the clock once the elector waits, and waits for what is to come of it.</summary>
        public async Task PassAsync(TimeSpan time, Func<bool> until)
        {
            await Wait.UntilAsync(() => Armed, "it waits");
            Time.Advance(time);
            await Wait.UntilAsync(until, "what was to come of it came");
        }

        /// <summary>Moves the clock in small steps; nobody begins to lead meanwhile.</summary>
        public async Task QuietAsync(TimeSpan time)
        {
            for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(0.1))
            {
                Time.Advance(TimeSpan.FromSeconds(0.1));
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
                Assert.False(Term.IsLeader);
            }
        }

        /// <summary>Moves the clock in small steps until it leads.</summary>
        public async Task TakesOverAsync(TimeSpan within)
        {
            for (var passed = TimeSpan.Zero; passed < within; passed += TimeSpan.FromSeconds(0.1))
            {
                Time.Advance(TimeSpan.FromSeconds(0.1));
                // Real time for the elector's threads; whether it leads depends on the other clock alone.
                for (var i = 0; i < 200 && !Term.IsLeader; i++) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
                if (Term.IsLeader) return;
            }

            Assert.Fail($"it does not lead after {within}");
        }

        public Task StopAsync(CancellationToken cancellationToken = default) => _elector.StopAsync(cancellationToken);

        public async ValueTask DisposeAsync()
        {
            await _elector.StopAsync(new CancellationToken(canceled: true));
            _elector.Dispose();
            Term.Dispose();
        }

        public Task WaitAsync(CancellationToken cancellationToken) => _ready.WaitAsync(cancellationToken);

        public void Publish(IKubernetesObject<V1ObjectMeta> entity, EventType type, string reason, string action, string note, string? traceId = null) =>
            Events.Enqueue((reason, note));

        public void StopApplication()
        {
        }

        // Some timer of the elector's is armed: it has done what there was to do.
        private bool Armed => Time.NextTimer is not null;
    }
}
