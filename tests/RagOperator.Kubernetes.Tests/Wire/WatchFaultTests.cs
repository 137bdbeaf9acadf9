using System.Text;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>Whatever happens to a watch on the wire: in bounded time the cache holds what the server holds, and goes on following it.</summary>
public sealed class WatchFaultTests
{
    // The longest that a watch is asked for (10 min) and the slack after it.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(631);
    private static readonly TimeSpan OnePause = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task GoAway_lets_an_open_watch_go_on_and_new_requests_go_elsewhere()
    {
        await using var world = await BeginAsync();
        await world.Watches[0].Connection.GoAwayAsync(world.Watches[0].Connection.LastStream);
        world.Truth.Set("b");
        await world.RecoversWithinAsync(TimeSpan.Zero);
        Assert.Single(world.Watches);
        await world.Watches[0].DataAsync("", end: true);
        await world.UntilAsync(() => world.Watches.Count == 2, "the next watch is open");
        Assert.NotSame(world.Watches[0].Connection, world.Watches[1].Connection);
        await world.RecoversWithinAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task GoAway_and_then_silence_on_the_old_connection_ends_at_the_deadline()
    {
        await using var world = await BeginAsync();
        var connection = world.Watches[0].Connection;
        await connection.GoAwayAsync(connection.LastStream);
        connection.IsDead = true;
        world.Truth.Set("unheard");
        await world.RecoversWithinAsync(Longest);
        Assert.NotSame(connection, world.Watches[^1].Connection);
    }

    [Fact]
    public async Task GoAway_that_refuses_the_watch_opens_it_on_another_connection_at_once()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextWatch(async stream =>
        {
            await stream.Connection.GoAwayAsync(0);
            await stream.HoldAsync();
        });
        world.Start();
        await world.RecoversWithinAsync(OnePause);
        Assert.Single(world.Lists);
    }

    [Fact]
    public async Task Server_that_drains_and_closes_loses_no_event()
    {
        await using var world = await BeginAsync();
        var connection = world.Watches[0].Connection;
        await connection.GoAwayAsync(connection.LastStream);
        world.Truth.Set("b");
        await world.ReachesTruthAsync(TimeSpan.Zero);
        connection.Cut();
        world.Truth.Delete("a");
        await world.RecoversWithinAsync(OnePause);
        Assert.Single(world.Lists);
    }

    [Fact]
    public async Task Events_that_arrive_byte_by_byte_are_read()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextWatch(async stream =>
        {
            await stream.HeadersAsync();
            var bytes = Encoding.UTF8.GetBytes(world.Truth.Set("b") + world.Truth.Delete("a") + world.Truth.Set("c"));
            for (var i = 0; i < bytes.Length; i++) await stream.DataAsync(bytes.AsMemory(i, 1));
            await world.Truth.SendAsync(stream, 104);
        });
        world.Start();
        await world.UntilAsync(() => world.Truth.Version == "104", "the changes were made");
        await world.RecoversWithinAsync(TimeSpan.Zero);
        Assert.Single(world.Watches);
    }

    [Fact]
    public async Task Watch_that_sends_no_headers_ends_at_the_deadline()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextWatch(static stream => stream.HoldAsync());
        world.Start();
        await world.UntilAsync(() => world.Watches.Count == 1, "the watch is asked for");
        world.Truth.Set("b");
        await world.RecoversWithinAsync(Longest);
        Assert.Single(world.Lists);
    }

    [Fact]
    public async Task Watch_that_sends_headers_and_no_line_ends_at_the_deadline()
    {
        await using var world = new WireWorld();
        world.NextWatch(static async stream =>
        {
            await stream.HeadersAsync();
            await stream.HoldAsync();
        });
        world.Start();
        await world.UntilAsync(() => world.Watches.Count == 1, "the watch is asked for");
        world.Truth.Set("a");
        await world.RecoversWithinAsync(Longest);
    }

    [Fact]
    public async Task Watch_that_stops_in_the_middle_of_a_line_ends_when_bookmarks_stop()
    {
        await using var world = new WireWorld();
        world.NextWatch(async stream =>
        {
            await stream.HeadersAsync();
            await stream.DataAsync(FakeApiServer.Bookmark("100"));
            await stream.DataAsync(world.Truth.Set("a")[..50]);
            await stream.HoldAsync();
        });
        world.Start();
        await world.UntilAsync(() => world.Cache.LastSyncResourceVersion == "100" && world.Truth.Version == "101", "half a line was sent");
        await world.RecoversWithinAsync(TimeSpan.FromMinutes(4));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connection_cut_in_the_middle_of_a_line_loses_nothing(bool wholeConnection)
    {
        await using var world = new WireWorld();
        world.NextWatch(async stream =>
        {
            await stream.HeadersAsync();
            var line = Encoding.UTF8.GetBytes(world.Truth.Set("a"));
            await stream.DataAsync(line.AsMemory(0, Array.LastIndexOf(line, (byte)0xF0) + 2)); // in the middle of a character
            if (wholeConnection) stream.Connection.Cut();
            else await stream.ResetAsync();
        });
        world.Start();
        await world.UntilAsync(() => world.Truth.Version == "101", "something has changed that the watch will not tell");
        await world.RecoversWithinAsync(OnePause);
        Assert.Single(world.Lists);
    }

    [Fact]
    public async Task Clean_end_in_the_middle_of_a_line_lists_again()
    {
        await using var world = new WireWorld();
        world.NextWatch(async stream =>
        {
            await stream.HeadersAsync();
            await stream.DataAsync(world.Truth.Set("a")[..50], end: true);
        });
        world.Start();
        await world.UntilAsync(() => world.Truth.Version == "101", "something has changed that the watch will not tell");
        await world.RecoversWithinAsync(OnePause);
        Assert.Equal(2, world.Lists.Count);
    }

    [Fact]
    public async Task Bookmarks_alone_keep_a_watch_and_the_next_one_goes_on_from_the_last()
    {
        await using var world = await BeginAsync();
        await world.Watches[0].DataAsync(FakeApiServer.Bookmark("500") + FakeApiServer.Bookmark("600"));
        await world.UntilAsync(() => world.Cache.LastSyncResourceVersion == "600", "the bookmarks are read");
        world.Time.Advance(TimeSpan.FromMinutes(3));
        await world.Watches[0].DataAsync(FakeApiServer.Bookmark("700"));
        await world.UntilAsync(() => world.Cache.LastSyncResourceVersion == "700", "a later one, too");
        world.Time.Advance(TimeSpan.FromMinutes(1.5));
        Assert.Single(world.Watches);

        var asked = new TaskCompletionSource<string>();
        world.NextWatch(stream =>
        {
            asked.SetResult(stream.Query("resourceVersion"));
            return stream.HoldAsync();
        });
        await world.Watches[0].DataAsync("", end: true);
        Assert.Equal("700", await asked.Task.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Single(world.Lists);
    }

    [Fact]
    public async Task Watch_that_has_expired_lists_again_at_once()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextWatch(async stream =>
        {
            await stream.HeadersAsync();
            world.Truth.Delete("a");
            world.Truth.Set("b");
            world.Truth.Compact();
            await stream.DataAsync(FakeApiServer.Error(410, "Expired"), end: true);
        });
        world.Start();
        await world.UntilAsync(() => world.Truth.Version == "103", "something has changed that the watch will not tell");
        await world.RecoversWithinAsync(TimeSpan.Zero);
        Assert.Equal(2, world.Lists.Count);
    }

    private static async Task<WireWorld> BeginAsync()
    {
        var world = new WireWorld();
        world.Truth.Set("a");
        world.Start();
        await world.UntilAsync(() => world.Watches.Count == 1, "the watch is open");
        await world.ReachesTruthAsync(TimeSpan.Zero);
        return world;
    }
}
