using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;
using static RagOperator.Kubernetes.Tests.Support.FakeApiServer;

namespace RagOperator.Kubernetes.Tests.Events;

public sealed class EventTests
{
    private static readonly V1ConfigMap Entity = new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = new V1ObjectMeta { Name = "app", NamespaceProperty = "team", Uid = "the-uid" },
    };

    [Theory]
    [InlineData(0, "2026-01-02T03:04:05.000000Z")]
    [InlineData(10, "2026-01-02T03:04:05.000001Z")]
    [InlineData(5_000_000, "2026-01-02T03:04:05.500000Z")]
    public void MicroTime_has_six_digits_always(long ticks, string expected) =>
        Assert.Equal(expected, EventText.MicroTime(new DateTimeOffset(2026, 1, 2, 5, 4, 5, TimeSpan.FromHours(2)).AddTicks(ticks)));

    [Fact]
    public void Names_sort_as_their_times_and_fit_the_servers_limit()
    {
        var time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var names = Enumerable.Range(0, 100).Select(i => EventText.Name("app", time.AddMicroseconds(i * 7919L))).ToArray();
        Assert.Equal(names, names.Order(StringComparer.Ordinal));
        Assert.Equal(253, EventText.Name(new string('a', 253), time).Length);
    }

    [Theory]
    [InlineData("short", 10, "short")]
    [InlineData("exactly-10", 10, "exactly-10")]
    [InlineData("one too many", 11, "one too ...")]
    [InlineData("ééééééé", 10, "ééé...")]
    [InlineData("🙂🙂🙂🙂", 12, "🙂🙂...")]
    public void Cut_counts_bytes_and_never_halves_a_character(string text, int max, string expected)
    {
        Assert.Equal(expected, EventText.Cut(text, max));
        Assert.True(Encoding.UTF8.GetByteCount(EventText.Cut(text, max)) <= max);
    }

    [Fact]
    public async Task Event_carries_what_the_server_demands_and_the_trace_id()
    {
        await using var world = await World.StartAsync();
        world.Recorder.Publish(Entity, EventType.Warning, "RolledBack", "Rollback", new string('n', 2000), traceId: "abc");

        var (method, path, body) = await world.WriteAsync(1);
        Assert.Equal(("POST", "/apis/events.k8s.io/v1/namespaces/team/events"), (method, path));
        Assert.Equal(1024, ((string)body["note"]!).Length);
        Assert.Equal(
            ("Warning", "RolledBack", "Rollback", "rag.test/operator", "pod-1"),
            ((string)body["type"]!, (string)body["reason"]!, (string)body["action"]!, (string)body["reportingController"]!, (string)body["reportingInstance"]!));
        Assert.Equal("abc", (string)body["metadata"]!["annotations"]!["ragoperator.io/trace-id"]!);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"apiVersion":"v1","kind":"ConfigMap","name":"app","namespace":"team","uid":"the-uid"}"""), body["regarding"]));
        Assert.Matches(@"^2026-01-01T00:00:00\.\d{6}Z$", (string)body["eventTime"]!);
        Assert.DoesNotContain(body.AsObject(), static p => p.Key.StartsWith("deprecated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_of_one_instant_keep_their_order_in_time_and_name()
    {
        await using var world = await World.StartAsync();
        for (var i = 0; i < 9; i++) world.Recorder.Publish(Entity, EventType.Normal, $"Reason{i}", "Act", "note");
        await world.WriteAsync(9);

        Assert.Equal(Enumerable.Range(0, 9).Select(static i => $"Reason{i}"), world.Writes.Select(static w => (string)w.Body["reason"]!));
        foreach (var field in (Func<JsonNode, string>[])[static b => (string)b["eventTime"]!, static b => (string)b["metadata"]!["name"]!])
        {
            var values = world.Writes.Select(w => field(w.Body)).ToArray();
            Assert.Equal(values.Distinct().Order(StringComparer.Ordinal), values);
        }
    }

    [Fact]
    public async Task Equal_events_become_a_series_whose_count_is_told_now_and_then()
    {
        await using var world = await World.StartAsync();
        for (var i = 0; i < 5; i++) world.Recorder.Publish(Entity, EventType.Normal, "Same", "Act", "note");
        var second = await world.WriteAsync(2);
        Assert.Equal(("PATCH", 2), (second.Method, (int)second.Body["series"]!["count"]!));
        Assert.EndsWith((string)world.Writes.First().Body["metadata"]!["name"]!, second.Path, StringComparison.Ordinal);

        await Wait.UntilAsync(
            () =>
            {
                world.Time.Advance(TimeSpan.FromSeconds(10));
                return world.Writes.Count == 3;
            },
            "the rest is told");
        Assert.Equal(5, (int)world.Writes.Last().Body["series"]!["count"]!);
    }

    [Fact]
    public void Correlator_drops_what_exceeds_a_burst_of_60_and_lets_one_through_each_minute()
    {
        var correlator = new EventCorrelator();
        var time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(60, Enumerable.Range(0, 80).Count(i => correlator.Judge(Pending($"R{i}", "n", time)) is not null));
        Assert.Null(correlator.Judge(Pending("R", "n", time.AddMinutes(0.9))));
        Assert.NotNull(correlator.Judge(Pending("R", "n", time.AddMinutes(1))));
        Assert.NotNull(correlator.Judge(Pending("R", "n", time.AddMinutes(1)) with { Uid = "another" }));
    }

    [Fact]
    public void Correlator_combines_from_ten_different_notes_of_one_reason_on()
    {
        var correlator = new EventCorrelator();
        var time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var verdicts = Enumerable.Range(0, 12).Select(i => correlator.Judge(Pending("R", $"note {i}", time.AddSeconds(i)))!.Value).ToArray();
        Assert.All(verdicts.Take(10), static v => Assert.StartsWith("note ", v.New!.Note, StringComparison.Ordinal));
        Assert.Equal(EventCorrelator.CombinedPrefix + "note 10", verdicts[10].New!.Note);
        Assert.Equal(2, verdicts[11].Repeated!.Count);
        Assert.True(correlator.Judge(Pending("R", "note 12", time.AddSeconds(12)))!.Value.IsDropped); // counted, to be told later
        Assert.Equal("fresh", correlator.Judge(Pending("R", "fresh", time.AddMinutes(11)))!.Value.New!.Note);
    }

    [Fact]
    public async Task Missing_answer_is_tried_again_and_an_existing_event_is_taken_as_written()
    {
        await using var world = await World.StartAsync(Reset, Status(409, "AlreadyExists"), Json("{}", 201));
        world.Recorder.Publish(Entity, EventType.Normal, "First", "Act", "note");
        world.Recorder.Publish(Entity, EventType.Normal, "Second", "Act", "note");
        await Wait.UntilAsync(
            () =>
            {
                world.Time.Advance(TimeSpan.FromSeconds(1));
                return world.Writes.Count == 3;
            },
            "all were sent");
        Assert.Equal(["First", "First", "Second"], world.Writes.Select(static w => (string)w.Body["reason"]!));
    }

    [Fact]
    public async Task Publish_never_waits_and_a_full_buffer_drops()
    {
        var sent = new TaskCompletionSource();
        await using var world = await World.StartAsync(async context =>
        {
            await sent.Task;
            await Json("{}", 201)(context);
        });
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 1500; i++) world.Recorder.Publish(Entity, EventType.Normal, $"R{i}", "Act", "note");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(10)); // at once, on a machine however busy
        sent.SetResult();
    }

    [Fact]
    public async Task Stop_writes_what_was_said_last()
    {
        var world = await World.StartAsync(Json("{}", 201));
        world.Recorder.Publish(Entity, EventType.Normal, "Started", "Act", "note");
        await world.WriteAsync(1);
        for (var i = 0; i < 5; i++) world.Recorder.Publish(Entity, EventType.Normal, $"R{i}", "Act", "note");
        await world.StopAsync();
        Assert.Equal(6, world.Writes.Count);
        await world.DisposeAsync();
    }

    private static PendingEvent Pending(string reason, string note, DateTimeOffset time) =>
        new("v1", "ConfigMap", "team", "app", "the-uid", "Normal", reason, "Act", note, null, time);

    private sealed class World : IAsyncDisposable
    {
        private readonly FakeApiServer _server;
        private readonly IHost _host;

        private World(FakeApiServer server)
        {
            _server = server;
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton<TimeProvider>(Time);
            builder.Services.AddKubernetesOperator(o =>
            {
                o.ClientConfiguration = () => server.Configuration;
                o.Name = "rag.test/operator";
                o.Instance = "pod-1";
            });
            _host = builder.Build();
        }

        public FakeTimeProvider Time { get; } = new();

        public IEventRecorder Recorder => _host.Services.GetRequiredService<IEventRecorder>();

        public IReadOnlyCollection<(string Method, string Path, JsonNode Body)> Writes =>
            [.. _server.Seen.Select(static s => (s.Method, s.Path, JsonNode.Parse(s.Body)!))];

        public static async Task<World> StartAsync(params Func<HttpContext, Task>[] steps)
        {
            var server = await FakeApiServer.StartAsync(null, steps.Length > 0 ? steps : [Json("{}", 201)]);
            var world = new World(server);
            await world._host.StartAsync();
            return world;
        }

        public async Task<(string Method, string Path, JsonNode Body)> WriteAsync(int count)
        {
            await Wait.UntilAsync(() => Writes.Count >= count, $"{count} writes arrive");
            return Writes.ElementAt(count - 1);
        }

        public Task StopAsync() => _host.StopAsync();

        public async ValueTask DisposeAsync()
        {
            await _host.StopAsync();
            _host.Dispose();
            await _server.DisposeAsync();
        }
    }
}
