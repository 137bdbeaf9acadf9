using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;
using static RagOperator.Kubernetes.Tests.Support.FakeApiServer;

namespace RagOperator.Kubernetes.Tests.Caching;

public sealed class ReflectorTests
{
    [Fact]
    public async Task Watch_goes_on_from_the_lists_version_with_bookmarks_and_a_time_limit()
    {
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), w.Mute()]);
        await world.UntilAsync(() => world.Server.Seen.Count == 2, "the watch is open");

        var watch = world.Server.Seen.Last();
        Assert.Equal(("true", "10", "true"), (watch.Query["watch"], watch.Query["resourceVersion"], watch.Query["allowWatchBookmarks"]));
        Assert.InRange(int.Parse(watch.Query["timeoutSeconds"], CultureInfo.InvariantCulture), 300, 600);
        Assert.Equal(CacheState.Watching, world.Cache.State);
        Assert.Equal(["+a@3"], world.Told);
    }

    [Fact]
    public async Task Watch_that_ends_is_followed_by_another_at_once_from_the_last_version_seen()
    {
        await using var world = await World.StartAsync(w =>
        [
            List("10", ""),
            Watch(Event("ADDED", Item("a", "11")), Event("MODIFIED", Item("a", "12")), Bookmark("15")),
            Watch(Event("DELETED", Item("a", "16"))),
            w.Mute(),
        ]);
        await world.UntilAsync(() => world.Server.Seen.Count == 4, "three watches were opened");

        Assert.Equal(["10", "15", "16"], world.Watches.Select(static w => w.Query["resourceVersion"]));
        Assert.Equal(["+a@11", "~a@12", "-a@12"], world.Told);
        Assert.Null(world.Time.NextTimer is { } next && next - world.Time.GetUtcNow() < TimeSpan.FromMinutes(1) ? next : null);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Expired_watch_lists_anew_and_tells_once_of_what_went_meanwhile(bool asEvent)
    {
        await using var world = await World.StartAsync(w =>
        [
            List("10", "", Item("stays", "3"), Item("goes", "4")),
            asEvent ? Watch(Error(410, "Expired")) : Status(410, "Expired"),
            List("20", "", Item("stays", "3"), Item("comes", "18")),
            w.Mute(),
        ]);
        await world.UntilAsync(() => world.Server.Seen.Count == 4, "it listed and watches again");

        Assert.Equal(["+stays@3", "+goes@4", "-goes@4", "~stays@3", "+comes@18"], world.Told);
        Assert.False(world.Server.Seen.ElementAt(2).Query.ContainsKey("resourceVersion"), "the version that was too old is not asked for again");
        Assert.Equal("20", world.Watches.Last().Query["resourceVersion"]);
    }

    [Fact]
    public async Task Watch_that_goes_mute_after_a_bookmark_is_replaced_after_the_idle_limit()
    {
        await using var world = await World.StartAsync(w => [List("10", ""), w.Mute(Bookmark("12")), w.Mute()]);
        await world.UntilAsync(() => world.Cache.LastSyncResourceVersion == "12", "the bookmark is read");
        var began = world.Time.GetUtcNow();

        await world.ToTheNextTimerAsync(() => world.Server.Seen.Count == 3, "another watch is open");

        Assert.InRange(world.Time.GetUtcNow() - began, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(4.5));
        Assert.Equal("12", world.Watches.Last().Query["resourceVersion"]);
    }

    [Fact]
    public async Task Watch_that_never_says_anything_ends_soon_after_the_time_asked_for()
    {
        await using var world = await World.StartAsync(w => [List("10", ""), w.Mute(), w.Mute()]);
        await world.UntilAsync(() => world.Server.Seen.Count == 2, "the watch is open");
        var began = world.Time.GetUtcNow();
        var asked = TimeSpan.FromSeconds(int.Parse(world.Watches.Single().Query["timeoutSeconds"], CultureInfo.InvariantCulture));

        await world.ToTheNextTimerAsync(() => world.Server.Seen.Count == 3, "another watch is open");

        Assert.InRange(world.Time.GetUtcNow() - began, asked, asked + TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Event_cut_in_the_middle_leads_to_a_new_list_and_nothing_is_lost()
    {
        var whole = Event("ADDED", Item("b", "12"));
        await using var world = await World.StartAsync(w =>
        [
            List("10", ""),
            Watch(Event("ADDED", Item("a", "11")), whole[..40]),
            List("12", "", Item("a", "11"), Item("b", "12")),
            w.Mute(),
        ]);
        await world.PumpUntilAsync(() => world.Cache.Get(new("default", "b")) is not null, "the cut event's object is there");
        Assert.Equal("11", world.Server.Seen.ElementAt(2).Query["resourceVersion"]);
    }

    [Fact]
    public async Task Object_of_any_depth_keeps_no_other_from_being_read()
    {
        static string Deep(string name, string version, int levels) =>
            $$$"""{"kind":"ConfigMap","deep":{{{string.Concat(Enumerable.Repeat("{\"a\":", levels))}}}1{{{new string('}', levels)}}},"metadata":{"name":"{{{name}}}","namespace":"default","resourceVersion":"{{{version}}}"}}""";
        await using var world = await World.StartAsync(w =>
        [
            List("10", "", Deep("d", "1", 80), Deep("e", "2", 9_900), Deep("f", "3", 30_000), Item("a", "4")),
            w.Mute(Event("MODIFIED", Deep("d", "11", 9_900)), Event("MODIFIED", Deep("a", "12", 30_000)), Event("ADDED", Item("b", "13"))),
        ]);
        await world.UntilAsync(() => world.Cache.Get(new("default", "b")) is not null, "what came after them is read");

        Assert.Equal("11", world.Cache.Get(new("default", "d"))!.ResourceVersion());
        Assert.Equal("4", world.Cache.Get(new("default", "a"))!.ResourceVersion());
        Assert.Equal(2, world.Server.Seen.Count);
    }

    [Fact]
    public async Task Objects_of_a_namespace_take_no_more_than_its_share()
    {
        await using var world = await World.StartAsync(
            w =>
            [
                List("10", "", Item("a", "1", "12345"), Item("b", "2", "12345"), Item("f", "3", "12345"), Item("d", "4", "12345", ns: "other")),
                w.Mute(Event("DELETED", Item("a", "11")), Event("ADDED", Item("c", "12", "12345")), Event("ADDED", Item("e", "13", "1"))),
            ],
            static options => (options.Weigh, options.Share, options.Lighten) = (static o => o.Data?["value"].Length ?? 0, 10, static o => o.Data = null));
        await world.UntilAsync(() => world.Cache.Get(new("default", "e")) is not null, "all events are read");

        Assert.Equal(["b", "c", "d"], world.Cache.Items.Where(static o => o.Data is not null).Select(static o => o.Name()).Order(StringComparer.Ordinal));
        Assert.Equal(["e", "f"], world.Cache.Items.Where(static o => o.Data is null).Select(static o => o.Name()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Broken_connection_is_followed_by_another_watch_without_a_list()
    {
        // A reset also drops what was not read yet, so it waits until the event has arrived.
        var arrived = new TaskCompletionSource();
        await using var world = await World.StartAsync(
            w => [List("10", ""), Cut(arrived.Task, Event("ADDED", Item("a", "11"))), w.Mute(Event("ADDED", Item("b", "12")))]);
        await world.UntilAsync(() => world.Cache.Items.Count == 1, "the first object is there");
        arrived.SetResult();
        await world.PumpUntilAsync(() => world.Cache.Items.Count == 2, "both objects are there");
        Assert.Equal("11", world.Watches.Last().Query["resourceVersion"]);
        Assert.Equal(3, world.Server.Seen.Count);
    }

    [Theory]
    [InlineData("<html>no</html>\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\n")]
    [InlineData("[1]\n")]
    public async Task Garbage_in_a_watch_leads_to_a_new_list(string garbage)
    {
        await using var world = await World.StartAsync(w => [List("10", ""), Watch(garbage), List("12", "", Item("a", "11")), w.Mute()]);
        await world.PumpUntilAsync(() => world.Cache.Items.Count == 1, "the list is in");
    }

    [Fact]
    public async Task Object_that_cannot_be_read_keeps_its_last_readable_state_and_does_not_stop_others()
    {
        var odd = """{"metadata":{"name":"a","namespace":"default","resourceVersion":"11"},"data":{"x":[1]}}""";
        await using var world = await World.StartAsync(w =>
        [
            List("10", "", Item("a", "3")), Watch(Event("MODIFIED", odd), Event("ADDED", Item("b", "12")), Error(410, "Expired")), List("12", "", odd, Item("b", "12")), w.Mute(),
        ]);
        await world.PumpUntilAsync(() => world.Server.Seen.Count == 4, "it listed again and watches");
        Assert.NotNull(world.Cache.Get(new("default", "b")));
        Assert.Equal("3", world.Cache.Get(new("default", "a"))!.ResourceVersion());
        Assert.DoesNotContain("-a@3", world.Told);
    }

    private static Task Missing(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Kind_that_a_server_denies_for_a_moment_keeps_its_objects()
    {
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), Missing, Missing, List("10", "", Item("a", "3")), w.Mute()]);
        await world.UntilAsync(() => world.Cache.State == CacheState.BackingOff, "it doubts that");
        Assert.Contains("of which there were objects", ((IHealthSource)world.Cache).Check().Detail, StringComparison.Ordinal);
        await world.PumpUntilAsync(() => world.Server.Seen.Count == 5, "it watches again");
        Assert.NotNull(world.Cache.Get(new("default", "a")));
        Assert.DoesNotContain("-a@3", world.Told);
    }

    [Fact]
    public async Task Kind_that_a_server_denies_for_half_a_minute_is_gone_with_its_objects()
    {
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), .. Enumerable.Repeat<Func<HttpContext, Task>>(Missing, 60), w.Mute()], static options => options.MayBeMissing = true);
        await world.UntilAsync(() => world.Cache.State == CacheState.BackingOff, "it doubts that");
        var since = world.Time.GetUtcNow();
        await world.PumpUntilAsync(() => world.Cache.State == CacheState.KindMissing, "it believes that");
        Assert.True(world.Time.GetUtcNow() - since >= TimeSpan.FromSeconds(29), "not believed at once");
        Assert.Empty(world.Cache.Items);
        Assert.Equal("-a@3", world.Told.Last());
    }

    [Fact]
    public async Task First_word_of_a_server_that_has_just_begun_is_doubted()
    {
        await using var world = await World.StartAsync(w => [Missing, Missing, List("10", "", Item("a", "3")), w.Mute()], static options => options.MayBeMissing = true);
        Assert.Equal(CacheState.BackingOff, world.Cache.State);
        await world.ToTheNextAnswerAsync(2);
        Assert.Equal(CacheState.BackingOff, world.Cache.State);
        await world.ToTheNextAnswerAsync(3);
        Assert.True(world.Cache.HasSynced);
    }

    [Fact]
    public async Task First_word_is_believed_after_ten_seconds()
    {
        await using var world = await World.StartAsync(w => [.. Enumerable.Repeat<Func<HttpContext, Task>>(Missing, 60), w.Mute()], static options => options.MayBeMissing = true);
        var since = world.Time.GetUtcNow();
        for (var answers = 2; world.Cache.State == CacheState.BackingOff; answers++)
        {
            Assert.InRange(world.Time.GetUtcNow() - since, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            await world.ToTheNextAnswerAsync(answers);
        }

        Assert.Equal(CacheState.KindMissing, world.Cache.State);
        Assert.InRange(world.Time.GetUtcNow() - since, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Kind_of_the_servers_own_that_it_does_not_have_is_believed_at_once_and_seldom_asked_for_again()
    {
        await using var world = await World.StartAsync(w => [Missing, List("10", "", Item("a", "3")), w.Mute()], static options => (options.MayBeMissing, options.IsBuiltIn) = (true, true));
        await world.UntilAsync(() => world.Cache.State == CacheState.KindMissing, "it believes that");
        Assert.False(await world.Cache.WaitForKindAsync(CancellationToken.None));
        Assert.Equal(HealthVerdict.Healthy, ((IHealthSource)world.Cache).Check().Status);
        var since = world.Time.GetUtcNow();
        await world.PumpUntilAsync(() => world.Cache.HasSynced, "the server is upgraded");
        Assert.True(world.Time.GetUtcNow() - since >= TimeSpan.FromMinutes(10));
    }

    [Fact]
    public async Task Cache_that_is_to_wait_for_something_asks_nothing_before_and_is_no_reason_to_worry()
    {
        var gate = new TaskCompletionSource();
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), w.Mute()], options => options.StartAfter = gate.Task.WaitAsync, waits: true);
        Assert.Equal((0, HealthVerdict.Healthy), (world.Server.Seen.Count, ((IHealthSource)world.Cache).Check().Status));
        gate.SetResult();
        await world.UntilAsync(() => world.Cache.HasSynced, "it syncs");
        Assert.True(await world.Cache.WaitForKindAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Kind_that_may_not_be_missing_keeps_its_objects_whatever_a_server_says()
    {
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), .. Enumerable.Repeat<Func<HttpContext, Task>>(Missing, 30), List("10", "", Item("a", "3")), w.Mute()]);
        await world.PumpUntilAsync(() => world.Server.Seen.Count == 33, "it watches again");
        Assert.DoesNotContain("-a@3", world.Told);
        Assert.NotEqual(CacheState.KindMissing, world.Cache.State);
    }

    [Fact]
    public async Task Denials_that_something_else_stands_between_are_no_half_a_minute()
    {
        await using var world = await World.StartAsync(
            w => [List("10", "", Item("a", "3")), Missing, .. Enumerable.Repeat(Status(503, "ServiceUnavailable"), 20), Missing, List("10", "", Item("a", "3")), w.Mute()], static options => options.MayBeMissing = true);
        await world.PumpUntilAsync(() => world.Server.Seen.Count == 25, "it watches again");
        Assert.DoesNotContain("-a@3", world.Told);
    }

    [Fact]
    public async Task Missing_kind_is_asked_for_again_until_it_is_there()
    {
        await using var world = await World.StartAsync(w => [Missing, Missing, Missing, List("10", "", Item("a", "3")), w.Mute()]);
        await world.UntilAsync(() => world.Cache.State == CacheState.KindMissing, "it says that the kind is missing");
        Assert.False(world.Cache.HasSynced);
        Assert.Equal(HealthVerdict.Degraded, ((IHealthSource)world.Cache).Check().Status);

        await world.PumpUntilAsync(() => world.Cache.HasSynced, "it syncs");
        await world.UntilAsync(() => world.Cache.State == CacheState.Watching, "it watches");
        Assert.Equal(HealthVerdict.Healthy, ((IHealthSource)world.Cache).Check().Status);
    }

    [Fact]
    public async Task Refused_list_says_so_and_is_asked_for_again()
    {
        await using var world = await World.StartAsync(w => [Status(403, "Forbidden"), List("10", ""), w.Mute()]);
        await world.UntilAsync(() => world.Cache.State == CacheState.Forbidden, "it says that it is forbidden");
        await world.PumpUntilAsync(() => world.Cache.HasSynced, "it syncs");
    }

    [Fact]
    public async Task Throttled_watch_waits_and_watches_again_without_a_list()
    {
        await using var world = await World.StartAsync(w => [List("10", ""), Status(429, "TooManyRequests"), w.Mute()]);
        await world.PumpUntilAsync(() => world.Server.Seen.Count == 3, "another watch is open");
        Assert.Equal(2, world.Watches.Count());
    }

    [Fact]
    public async Task Failing_lists_are_asked_for_with_growing_pauses()
    {
        await using var world = await World.StartAsync(_ => [Status(500, "InternalError")]);
        var at = new List<DateTimeOffset>();
        for (var n = 1; n <= 6; n++)
        {
            var wanted = n;
            await world.UntilAsync(() => world.Server.Seen.Count == wanted, $"list {n}");
            at.Add(world.Time.GetUtcNow());
            // The pause has begun: its timer is the only one, the request's own is gone.
            await world.UntilAsync(() => world.Cache.State == CacheState.BackingOff && world.Time.NextTimer - world.Time.GetUtcNow() < TimeSpan.FromSeconds(55), "the pause begins");
            world.Time.Advance(world.Time.NextTimer!.Value - world.Time.GetUtcNow());
        }

        var pauses = at.Zip(at.Skip(1), static (a, b) => (b - a).TotalSeconds).ToArray();
        for (var n = 0; n < pauses.Length; n++) Assert.InRange(pauses[n], 0.8 * Math.Pow(2, n), 1.6 * Math.Pow(2, n));
    }

    [Fact]
    public async Task Event_older_than_what_is_held_changes_nothing()
    {
        await using var world = await World.StartAsync(w =>
        [
            List("10", "", Item("a", "9", "new")),
            w.Mute(Event("MODIFIED", Item("a", "5", "old")), Event("DELETED", Item("a", "6")), Event("ADDED", Item("b", "11"))),
        ]);
        await world.UntilAsync(() => world.Cache.Get(new("default", "b")) is not null, "the last event is in");
        Assert.Equal("new", world.Cache.Get(new("default", "a"))!.Data!["value"]);
        Assert.Equal(["+a@9", "+b@11"], world.Told);
    }

    [Fact]
    public async Task Repeated_event_of_a_deleted_object_does_not_bring_it_back()
    {
        await using var world = await World.StartAsync(w =>
        [
            List("10", ""),
            w.Mute(
                Event("ADDED", Item("a", "11")), Event("DELETED", Item("a", "12")), Event("ADDED", Item("a", "11")),
                Event("DELETED", Item("a", "12")), Event("ADDED", Item("b", "13"))),
        ]);
        await world.UntilAsync(() => world.Cache.Get(new("default", "b")) is not null, "the last event is in");
        Assert.Equal(["+a@11", "-a@11", "+b@13"], world.Told);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Managed_fields_are_kept_only_when_asked_for(bool keep)
    {
        await using var world = await World.StartAsync(
            w => [List("10", "", Item("a", "3")), w.Mute(Event("ADDED", Item("b", "11")))], options => options.KeepManagedFields = keep);
        await world.UntilAsync(() => world.Cache.Items.Count == 2, "both objects are there");
        Assert.All(world.Cache.Items, item => Assert.Equal(keep, item.Metadata.ManagedFields is not null));
    }

    [Fact]
    public async Task Namespace_and_selector_are_asked_for_in_list_and_watch()
    {
        await using var world = await World.StartAsync(w => [List("10", ""), w.Mute()], options =>
        {
            options.Namespace = "team";
            options.LabelSelector = "a=b";
        });
        await world.UntilAsync(() => world.Server.Seen.Count == 2, "the watch is open");
        Assert.All(world.Server.Seen, static seen => Assert.Equal(("/api/v1/namespaces/team/configmaps", "a=b"), (seen.Path, seen.Query["labelSelector"])));
    }

    [Fact]
    public async Task HasSeen_knows_the_object_and_the_position()
    {
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), w.Mute(Event("ADDED", Item("b", "14")))]);
        var (a, b) = (new NamespacedName("default", "a"), new NamespacedName("default", "b"));
        Assert.True(world.Cache.HasSeen(a, "3"));
        await world.UntilAsync(() => world.Cache.HasSeen(b, "14"), "the event is in");
        Assert.True(world.Cache.HasSeen(a, "14"));
        Assert.False(world.Cache.HasSeen(a, "15"));
        Assert.False(world.Cache.HasSeen(b, "not-a-number"));
    }

    [Fact]
    public async Task Subscriber_that_throws_or_comes_late_misses_nothing_and_harms_nobody()
    {
        await using var world = await World.StartAsync(w => [List("10", "", Item("a", "3")), w.Mute(Event("ADDED", Item("b", "11")))]);
        await world.UntilAsync(() => world.Cache.Items.Count == 2, "both objects are there");
        var late = new List<string>();
        using var bad = world.Cache.Subscribe(static _ => throw new InvalidOperationException("no"));
        using var subscription = world.Cache.Subscribe(change => late.Add(change.Object.Name()));
        Assert.Equal(["a", "b"], late.Order());
    }

    [Fact]
    public async Task Stop_ends_an_idle_watch_at_once()
    {
        var world = await World.StartAsync(w => [List("10", ""), w.Mute()]);
        await world.UntilAsync(() => world.Server.Seen.Count == 2, "the watch is open");
        var began = TimeProvider.System.GetTimestamp();
        await world.StopAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(10)); // at once, on a machine however busy
        Assert.Equal(CacheState.Stopped, world.Cache.State);
        await world.DisposeAsync();
    }

    /// <summary>A cache that runs against a scripted server, on a clock of its own.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly KubernetesClient _client;
        private readonly Task _run;

        private World(FakeApiServer server, Action<CacheOptions<V1ConfigMap>>? configure)
        {
            Server = server;
            _client = new KubernetesClient(server.Configuration, Time, jitterSeed: 1);
            var options = new CacheOptions<V1ConfigMap>();
            configure?.Invoke(options);
            Cache = new ObjectCache<V1ConfigMap>(_client, options, Time, jitterSeed: 2);
            Cache.Subscribe(change => Told.Enqueue(change switch
            {
                { Old: null } => $"+{change.New!.Name()}@{change.New!.ResourceVersion()}",
                { New: null } => $"-{change.Old!.Name()}@{change.Old!.ResourceVersion()}",
                _ => $"~{change.New!.Name()}@{change.New!.ResourceVersion()}",
            }));
            _run = Cache.RunAsync(_stop.Token);
        }

        public FakeApiServer Server { get; }

        public FakeTimeProvider Time { get; } = new();

        public ObjectCache<V1ConfigMap> Cache { get; }

        public ConcurrentQueue<string> Told { get; } = new();

        public IEnumerable<SeenRequest> Watches => Server.Seen.Where(static s => s.IsWatch);

        public static async Task<World> StartAsync(
            Func<FakeApiServer, Func<HttpContext, Task>[]> steps, Action<CacheOptions<V1ConfigMap>>? configure = null, bool waits = false)
        {
            var server = await FakeApiServer.StartAsync();
            server.Script(steps(server));
            var world = new World(server, configure);
            if (!waits) await world.UntilAsync(() => !server.Seen.IsEmpty && world.Cache.State is not (CacheState.NotStarted or CacheState.Listing), "the first list is answered");
            return world;
        }

        public async Task UntilAsync(Func<bool> condition, string what)
        {
            await Wait.UntilAsync(() => _run.IsFaulted || condition(), what);
            if (_run.IsFaulted) await _run;
        }

        /// <summary>Lets time pass in steps until the condition holds.</summary>
        public async Task PumpUntilAsync(Func<bool> condition, string what, TimeSpan? step = null) =>
            await UntilAsync(
                () =>
                {
                    if (condition()) return true;
                    Time.Advance(step ?? TimeSpan.FromSeconds(1));
                    return false;
                },
                what);

        /// <summary>Moves the clock to the next timer, and no further however long the consequence takes on this machine.</summary>
        public async Task ToTheNextTimerAsync(Func<bool> condition, string what)
        {
            Time.Advance(Time.NextTimer!.Value - Time.GetUtcNow());
            await UntilAsync(condition, what);
        }

        /// <summary>Moves the clock to the end of a pause, and waits until what is asked then has its answer.</summary>
        public async Task ToTheNextAnswerAsync(int count)
        {
            await UntilAsync(() => Time.NextTimer is not null, "it pauses");
            await ToTheNextTimerAsync(() => Server.Seen.Count >= count && Cache.State != CacheState.Listing, $"answer {count}");
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _run;
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _client.Dispose();
            await Server.DisposeAsync();
            _stop.Dispose();
        }
    }
}
