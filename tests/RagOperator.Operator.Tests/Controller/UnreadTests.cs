using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Live reads that fail or say what is not so: nothing rises by them, and nothing that lowers waits for them for ever.</summary>
public sealed class UnreadTests
{
    private const string Old = "assistant-api-old";
    private const string New = "assistant-api-new";
    private static readonly Dictionary<string, int> Ports = new() { [Old] = 8000, [New] = 8000 };

    private readonly List<EngineInput> _inputs = [];
    private readonly ControllerBed _bed;
    private Func<EngineInput, IReadOnlyList<Write>> _after = static i => [new ApplyRoute([new(Old, 100), new(New, 0)], Ports, i.Observed.Route, null, Direction.Lowers)];

    public UnreadTests()
    {
        _bed = new ControllerBed(input =>
        {
            _inputs.Add(input);
            return new() { Status = new RagDeploymentStatus { Phase = $"{_inputs.Count}", StableRevision = "s" }, StatusDue = true, Memory = input.Memory, After = _after(input) };
        });
        _bed.Apply("{}");
        _bed.Api.Put<V1HTTPRoute>(new GatewayApiRouter().Create(Sample.Owner, new DesiredTraffic(null, [new(Old, 90), new(New, 10)], Ports)));
    }

    [Fact]
    public async Task Right_to_list_flags_that_is_missing_for_good_holds_up_no_rollback_and_lets_nothing_rise()
    {
        _bed.Api.Fault = static r => r is { Verb: "list", Resource: "configmaps" } ? new(ApiReason.Forbidden, 403, "may not list configmaps") : null;

        var first = await _bed.PassAsync();

        Assert.True(_inputs[0].MayNotRaise);
        Assert.Equal(0, _bed.Weights()[New]);
        Assert.Equal("1", _bed.Object.Status!.Phase);
        // Its own looks go on in time, and it asks again soon.
        Assert.Equal(TimeSpan.FromSeconds(5), first.RequeueAfter);
        await _bed.PassAsync();
        Assert.Contains("may not list configmaps", Assert.Single(_bed.Warnings), StringComparison.Ordinal);
        Assert.Equal((true, "may not list configmaps"), (_inputs[1].MayNotRaise, _inputs[1].Observed.LastError));

        _bed.Api.Fault = static _ => null;
        await _bed.PassAsync();
        Assert.False(_inputs[2].MayNotRaise);
    }

    [Theory]
    [InlineData("ragdeployments")]
    [InlineData("httproutes")]
    public async Task Without_status_or_route_nothing_is_decided(string resource)
    {
        _bed.Api.Fault = r => r.Verb == "get" && r.Resource == resource ? new(ApiReason.Forbidden, 403) : null;
        Assert.False((await _bed.PassAsync()).IsSuccess);
        Assert.Empty(_inputs);
    }

    [Fact]
    public async Task Child_that_cannot_be_read_after_a_lost_answer_holds_up_no_rollback()
    {
        var lower = _after;
        _after = static _ => [new CreateRevisionService(Sample.Release(), "api")];
        _bed.Api.Fault = static r => r.Resource == "services" && r.Verb is "create" or "get" ? new(r.Verb == "get" ? ApiReason.Forbidden : ApiReason.Transport, 0, $"{r.Verb} fails") : null;
        await _bed.PassAsync();
        _after = lower;

        await _bed.PassAsync();

        Assert.True(_inputs[1].MayNotRaise);
        Assert.Equal(0, _bed.Weights()[New]);
    }

    [Fact]
    public async Task Status_in_conflict_is_decided_again_at_once_although_something_cannot_be_read()
    {
        _bed.Api.Fault = r =>
        {
            if (r is { Verb: "list", Resource: "configmaps" }) return new(ApiReason.Forbidden, 403);
            if (r.Resource == "ragdeployments/status" && _inputs.Count == 1) _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"a":"b"}}}""");
            return null;
        };

        var result = await _bed.PassAsync();

        Assert.Equal(ApiReason.Conflict, Assert.IsType<KubernetesException>(result.Error).Reason);
    }

    [Fact]
    public async Task Route_that_is_there_is_waited_for_although_the_cache_was_told_that_its_kind_is_missing()
    {
        _bed.Routes.State = CacheState.KindMissing;
        _bed.Routes.Freeze(([], 0));
        await _bed.PassAsync();
        Assert.Empty(_inputs);
        _bed.Routes.Thaw();
        _bed.Routes.State = CacheState.Watching;
        await _bed.PassAsync();
        Assert.NotNull(Assert.Single(_inputs).Observed.Route);
    }

    [Fact]
    public async Task Server_that_does_not_serve_the_kind_yet_says_nothing_about_an_object()
    {
        _bed.Api.Fault = static r => r is { Verb: "get", Resource: "ragdeployments" } ? new(ApiReason.KindMissing, 404, "page not found") : null;
        Assert.False((await _bed.PassAsync()).IsSuccess);
        _bed.Api.Fault = static _ => null;
        await _bed.PassAsync();
        Assert.Single(_inputs);
    }

    [Fact]
    public async Task Deletion_that_never_was_is_doubted_in_the_end()
    {
        _bed.Api.Fault = static r => r is { Verb: "get", Resource: "httproutes" } ? new(ApiReason.NotFound, 404, "not found") : null;
        await _bed.PassAsync();
        _bed.Api.Fault = static _ => null;
        for (var passes = 0; passes < 12 && _inputs.Count == 0; passes++) await _bed.PassAsync();
        Assert.Single(_inputs);
        Assert.Equal(0, _bed.Weights()[New]);
    }

    [Fact]
    public async Task Version_that_never_comes_because_the_server_was_restored_is_doubted_in_the_end()
    {
        _bed.Routes.Freeze();
        _after = static i => [new ApplyRoute([new(Old, 95), new(New, 5)], Ports, i.Observed.Route, null, Direction.Lowers)];
        await _bed.PassAsync();
        Assert.Single(_inputs);
        // The route is at an older version than the one that was written, and stays there.
        _bed.Api.Fault = r =>
        {
            if (r is { Verb: "get", Resource: "httproutes" }) _bed.Api.Raw<V1HTTPRoute>("assistant")!["metadata"]!["resourceVersion"] = _bed.Routes.Items.Single().ResourceVersion();
            return null;
        };
        for (var passes = 0; passes < 12 && _inputs.Count == 1; passes++) await _bed.PassAsync();
        Assert.Equal(2, _inputs.Count);
    }
}
