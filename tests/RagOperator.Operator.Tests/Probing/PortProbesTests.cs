using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Probing;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Probing;

public sealed class PortProbesTests : IDisposable
{
    private static readonly NamespacedName Key = new("rag", "assistant");
    private static readonly PortLook Question = new("assistant-api-new", "http", "assistant-api-old", "http");
    private static readonly IPEndPoint Some = IPEndPoint.Parse("10.1.0.1:8000");

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<NamespacedName> _news = new();
    private readonly ConcurrentQueue<IPEndPoint> _asked = new();
    private readonly PortProbes _probes;
    private Connect _network = Connector.ConnectAsync;

    public PortProbesTests() => _probes = new PortProbes(
        (address, stop) =>
        {
            _asked.Enqueue(address);
            return _network(address, stop);
        },
        _news.Enqueue, _time, NullLogger<PortProbes>.Instance);

    public void Dispose() => _probes.Dispose();

    [Fact]
    public async Task Address_that_listens_is_open_and_asked_once()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        Want((IPEndPoint)server.LocalEndpoint);

        Assert.Equal(PortAnswerKind.Open, (await NextAsync(1)).Kind);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Single(_asked);
        using var client = await server.AcceptTcpClientAsync();
        Assert.Equal(0, client.GetStream().Read(new byte[1]));
    }

    [Fact]
    public async Task Address_that_refuses_is_asked_every_five_seconds_until_it_listens()
    {
        var address = FreePort();
        Want(address);
        Assert.Equal((PortAnswerKind.Refused, 1), Seen(await NextAsync(1)));
        await LaterAsync(asked: 2);
        await LaterAsync(asked: 3);
        Assert.Equal((PortAnswerKind.Refused, 3), Seen(await NextAsync(2)));

        using var server = new TcpListener(address);
        server.Start();
        await LaterAsync(asked: 4);
        Assert.Equal((PortAnswerKind.Open, 1), Seen(await NextAsync(3)));
    }

    [Fact]
    public async Task Address_that_says_nothing_is_unknown_after_a_second()
    {
        _network = static (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        Want(Some);
        await Eventually.HoldsAsync(() => _time.NextTimer is not null && !_asked.IsEmpty);
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Empty(_news);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(new PortAnswer(PortAnswerKind.Unknown, Question, 1, "10.1.0.1:8000: no answer within 1 s"), await NextAsync(1));
    }

    [Theory]
    [InlineData(SocketError.NetworkUnreachable)]
    [InlineData(SocketError.HostUnreachable)]
    [InlineData(SocketError.AccessDenied)]
    [InlineData(SocketError.TimedOut)]
    public async Task Network_that_leads_nowhere_says_nothing_of_the_program(SocketError error)
    {
        _network = (_, _) => Task.FromException(new SocketException((int)error));
        Want(Some);

        Assert.Equal(new PortAnswer(PortAnswerKind.Unknown, Question, 1, $"10.1.0.1:8000: {error}"), await NextAsync(1));
    }

    [Theory]
    [InlineData("r r r r r r", PortAnswerKind.Refused)]
    [InlineData("r r r r r o", PortAnswerKind.Open)]
    [InlineData("r r u r r r", PortAnswerKind.Unknown)]
    [InlineData("r u o r", PortAnswerKind.Open)]
    [InlineData("", PortAnswerKind.Unknown)]
    public async Task Refused_is_only_what_every_address_refuses(string answers, PortAnswerKind expected)
    {
        var each = answers.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _network = (address, _) => Answer(each[address.Port - 1]);
        Want([.. Enumerable.Range(1, each.Length).Select(static i => new IPEndPoint(IPAddress.Parse("10.1.0.1"), i))]);

        Assert.Equal(expected, (await NextAsync(1)).Kind);
    }

    [Fact]
    public async Task Firewall_that_refuses_in_the_name_of_all_pods_is_not_the_release()
    {
        _network = static (_, _) => Answer("r");
        _probes.Want("uid", Key, new PortTargets(Question, [Some], [IPEndPoint.Parse("10.1.0.9:8000")]));

        var answer = await NextAsync(1);
        Assert.Equal(PortAnswerKind.Unknown, answer.Kind);
        Assert.Contains("assistant-api-old, which serves, refuses connections of the operator, too", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_wanted_any_more_is_not_asked_any_more()
    {
        _network = static (_, _) => Answer("r");
        Want(Some);
        await NextAsync(1);
        _probes.Want("uid", Key, null);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Null(_probes.Latest("uid"));
        Assert.Single(_asked);
    }

    [Fact]
    public async Task Pods_that_take_the_place_of_others_are_asked_next()
    {
        _network = static (_, _) => Answer("r");
        Want(Some);
        await NextAsync(1);
        var other = IPEndPoint.Parse("10.1.0.2:8000");
        Want(other);
        await LaterAsync(asked: 2);

        Assert.Equal([Some, other], _asked);
    }

    [Fact]
    public async Task Slow_address_delays_its_own_object_alone()
    {
        _network = static (address, stop) => address.Port == 1 ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop) : Task.CompletedTask;
        _probes.Want("slow", new("rag", "slow"), new PortTargets(Question, [new(IPAddress.Parse("10.1.0.1"), 1)], []));
        Want(Some);

        Assert.Equal(PortAnswerKind.Open, (await NextAsync(1)).Kind);
        Assert.Null(_probes.Latest("slow"));
    }

    private void Want(params IPEndPoint[] addresses) => _probes.Want("uid", Key, new PortTargets(Question, addresses, []));

    private async Task<PortAnswer> NextAsync(int news)
    {
        await Eventually.HoldsAsync(() => _news.Count >= news);
        Assert.Equal(news, _news.Count);
        return _probes.Latest("uid")!;
    }

    private async Task LaterAsync(int asked)
    {
        await Eventually.HoldsAsync(() => _time.NextTimer - _time.GetUtcNow() == PortAnswer.Distance);
        _time.Advance(PortAnswer.Distance);
        await Eventually.HoldsAsync(() => _asked.Count == asked);
    }

    private static (PortAnswerKind, int) Seen(PortAnswer answer) => (answer.Kind, answer.Rounds);

    private static Task Answer(string what) => what switch
    {
        "o" => Task.CompletedTask,
        "r" => Task.FromException(new SocketException((int)SocketError.ConnectionRefused)),
        _ => Task.FromException(new SocketException((int)SocketError.NetworkUnreachable)),
    };

    // Nobody listens there: it was given back just now.
    private static IPEndPoint FreePort()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        return (IPEndPoint)server.LocalEndpoint;
    }
}
