using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>Whatever happens to an answer on the wire: reads are repeated, writes never, and nothing waits for ever.</summary>
public sealed class AnswerFaultTests
{
    private static readonly TimeSpan OnePause = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task List_that_arrives_byte_by_byte_is_read()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextList(async stream =>
        {
            await stream.HeadersAsync();
            var bytes = Encoding.UTF8.GetBytes(FakeApiServer.ListBody("101", "", FakeApiServer.Item("a", "101", ServerTruth.ValueOf("101"))));
            for (var i = 0; i < bytes.Length; i++) await stream.DataAsync(bytes.AsMemory(i, 1), end: i == bytes.Length - 1);
        });
        world.Start();
        await world.RecoversWithinAsync(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("before its headers")]
    [InlineData("after its headers")]
    [InlineData("in the middle of its body")]
    public async Task List_that_stalls_ends_at_its_time_limit_and_is_asked_for_again(string where)
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextList(async stream =>
        {
            if (where != "before its headers") await stream.HeadersAsync();
            if (where == "in the middle of its body") await stream.DataAsync(FakeApiServer.ListBody("101", "", FakeApiServer.Item("a", "101"))[..90]);
            await stream.HoldAsync();
        });
        world.Start();
        await world.UntilAsync(() => world.Lists.Count == 1, "the list is asked for");
        await world.RecoversWithinAsync(TimeSpan.FromSeconds(60) + OnePause);
        Assert.Equal(2, world.Lists.Count);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("reset")]
    [InlineData("go away")]
    public async Task List_that_breaks_off_in_its_middle_is_asked_for_again(string how)
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextList(async stream =>
        {
            await stream.HeadersAsync();
            await stream.DataAsync(FakeApiServer.ListBody("101", "", FakeApiServer.Item("a", "101"))[..90]);
            if (how == "go away") await stream.Connection.GoAwayAsync(0);
            if (how == "reset") await stream.ResetAsync();
            else stream.Connection.Cut();
        });
        world.Start();
        await world.RecoversWithinAsync(OnePause);
    }

    [Fact]
    public async Task Answer_that_ends_cleanly_in_its_middle_is_not_taken_for_a_list()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.Truth.Set("b");
        world.NextList(static async stream =>
        {
            await stream.HeadersAsync();
            // Cut between two items: all that came is well-formed so far.
            var body = FakeApiServer.ListBody("102", "", FakeApiServer.Item("a", "101"), FakeApiServer.Item("b", "102"));
            await stream.DataAsync(body[..body.LastIndexOf(",{\"metadata\"", StringComparison.Ordinal)], end: true);
        });
        world.Start();
        await world.RecoversWithinAsync(OnePause);
        Assert.Equal(2, world.Lists.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task List_whose_pages_expire_midway_holds_no_object_that_is_gone(int goodPages)
    {
        await using var world = new WireWorld(pageSize: 2);
        foreach (var name in (string[])["a", "b", "c", "d", "e", "f", "g", "h"]) world.Truth.Set(name);
        for (var i = 0; i < goodPages; i++) world.NextList(world.Truth.ListAsync);
        world.NextList(async stream =>
        {
            world.Truth.Delete("a");
            world.Truth.Set("c");
            world.Truth.Set("x");
            world.Truth.Compact();
            await world.Truth.ListAsync(stream);
        });
        world.Start();
        await world.RecoversWithinAsync(OnePause);
    }

    [Fact]
    public async Task List_whose_token_always_expires_ends_all_the_same()
    {
        // A server that compacts faster than pages are read.
        await using var world = new WireWorld(pageSize: 1);
        foreach (var name in (string[])["a", "b", "c"]) world.Truth.Set(name);
        for (var i = 0; i < 3; i++) world.NextList(stream => stream.Query("continue").Length > 0 ? ServerTruth.ExpiredAsync(stream) : world.Truth.ListAsync(stream));
        world.Start();
        await world.RecoversWithinAsync(OnePause);
    }

    [Fact]
    public async Task Request_that_a_GoAway_left_undone_is_sent_again_a_write_too()
    {
        await using var world = new WireWorld();
        world.NextList(static async stream =>
        {
            await stream.Connection.GoAwayAsync(0); // nothing of it was looked at, it says
            await stream.HoldAsync();
        });
        world.NextList(static stream => stream.JsonAsync(FakeApiServer.Item("a", "101"), 201));

        var answer = await world.Client.CreateAsync<V1ConfigMap>(Body(), "default");

        Assert.True(answer.IsSuccess, answer.ToString());
        Assert.Equal(2, world.Server.Requests.Count);
    }

    [Fact]
    public async Task Write_that_was_begun_when_the_connection_ended_is_never_sent_twice()
    {
        await using var world = new WireWorld();
        world.NextList(static async stream =>
        {
            await stream.Connection.GoAwayAsync(stream.Connection.LastStream);
            stream.Connection.Cut();
        });

        var answer = await world.Client.CreateAsync<V1ConfigMap>(Body(), "default");

        Assert.Equal(ApiReason.Transport, answer.Reason);
        Assert.Single(world.Server.Requests);
    }

    [Fact]
    public async Task Answer_under_way_when_the_server_says_GoAway_is_still_read()
    {
        await using var world = new WireWorld();
        world.Truth.Set("a");
        world.NextList(async stream =>
        {
            await stream.HeadersAsync();
            await stream.Connection.GoAwayAsync(stream.Connection.LastStream);
            await stream.DataAsync(FakeApiServer.ListBody("101", "", FakeApiServer.Item("a", "101", ServerTruth.ValueOf("101"))), end: true);
        });
        world.Start();
        await world.RecoversWithinAsync(TimeSpan.Zero);
        Assert.Single(world.Lists);
    }

    [Fact]
    public async Task Refused_token_is_asked_with_again_until_its_file_has_rotated()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "old");
        var wanted = "old";
        await using var world = new WireWorld(configure: c => c with { AccessToken = null, TokenFile = file });
        world.Otherwise = stream => stream.Token == wanted
            ? world.Truth.AnswerAsync(stream)
            : stream.JsonAsync("""{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","message":"Unauthorized","code":401}""", 401);
        world.Truth.Set("a");
        world.Start();
        await world.ReachesTruthAsync(TimeSpan.Zero);
        await world.UntilAsync(() => world.Watches.Count == 1, "the watch is open");

        // The old token stops to count while its file still holds it; the open watch ends.
        // What changes comes after the end, or the watch could still have told it.
        wanted = "new";
        world.Watches[0].Connection.Cut();
        await world.UntilAsync(() => world.Cache.State != CacheState.Watching, "the watch has ended");
        world.Truth.Set("b");
        await Assert.ThrowsAsync<TimeoutException>(() => world.ReachesTruthAsync(TimeSpan.FromSeconds(20), patience: TimeSpan.FromSeconds(1)));
        Assert.Equal(["a"], world.Cache.Items.Select(static i => i.Metadata.Name));

        await File.WriteAllTextAsync(file, "new");
        await world.RecoversWithinAsync(TimeSpan.FromMinutes(2));
        File.Delete(file);
    }

    private static JsonObject Body() => new() { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = "a" } };
}
