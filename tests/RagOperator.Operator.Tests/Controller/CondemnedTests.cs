using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A release is taken back for pods or addresses that are missing only where they are: the server itself is asked, for both sides. The decisions
/// are scripted: the new one is taken back while its Service has no address by what was observed.</summary>
public sealed class CondemnedTests : ScriptedPass
{
    private static readonly RaiseNeeds Address = new(New, new Dictionary<string, int>());

    public CondemnedTests() => Decide = static i => i.Observed.ReadyAddresses.GetValueOrDefault(New) > 0
        ? Output(i, new() { Phase = "serves" })
        : Output(i, new() { Phase = "taken back" }) with { Condemns = Address, After = [Lower(i) with { Needs = new(Old, new Dictionary<string, int>()) }] };

    [Fact]
    public async Task Release_that_only_a_mute_watch_misses_is_not_taken_back()
    {
        Addresses(New, ready: false);
        Bed.Endpoints.Freeze();
        Addresses(New, ready: true);

        await Bed.PassAsync();
        Assert.Empty(Bed.Api.Accepted);
        await Bed.PassAsync();

        Assert.Equal("serves", Bed.Object.Status!.Phase);
        Assert.Equal(10, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Release_whose_Endpoints_lost_their_label_is_not_taken_back()
    {
        Addresses(New, ready: true, labelled: false);
        await Bed.PassAsync();
        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.Equal("serves", Bed.Object.Status!.Phase);
        Assert.Equal(10, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Release_without_an_address_is_taken_back_at_once()
    {
        Addresses(New, ready: false);
        Addresses(Old, ready: true);
        await Bed.PassAsync();
        Assert.Equal("taken back", Bed.Object.Status!.Phase);
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Nothing_is_decided_on_what_cannot_be_looked_at_for_now()
    {
        Addresses(New, ready: false);
        Bed.Endpoints.Freeze();
        Addresses(New, ready: true);
        var away = true;
        Bed.Api.Fault = r => away && r is { Verb: "get", Resource: "endpoints" } ? new(ApiReason.Transport, 503, "starting") : null;

        Assert.False((await Bed.PassAsync()).IsSuccess);
        Assert.Empty(Bed.Api.Accepted);
        away = false;
        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.Equal("serves", Bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task What_nobody_may_look_at_is_as_the_watch_told()
    {
        Addresses(New, ready: false);
        Addresses(Old, ready: true);
        Bed.Api.Fault = static r => r is { Verb: "get", Resource: "endpoints" } ? new(ApiReason.Forbidden, 403, "may not get endpoints") : null;
        await Bed.PassAsync();
        Assert.Equal("taken back", Bed.Object.Status!.Phase);
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Stable_that_only_a_mute_watch_has_gets_no_requests()
    {
        Addresses(New, ready: false);
        Addresses(Old, ready: true);
        Bed.Endpoints.Freeze();
        Addresses(Old, ready: false);

        await Bed.PassAsync();
        Assert.Equal(10, Bed.Weights()[New]);
        await Bed.PassAsync();
        Assert.Equal(0, Inputs[1].Observed.ReadyAddresses[Old]);

        Addresses(Old, ready: true);
        await Bed.PassAsync();
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Theory]
    [InlineData(ApiReason.Transport, 0)]
    [InlineData(ApiReason.Forbidden, 403)]
    public async Task Rollback_does_not_wait_for_a_look_at_stable_that_the_watch_has(ApiReason reason, int code)
    {
        Addresses(New, ready: false);
        Addresses(Old, ready: true);
        Bed.Api.Fault = r => r is { Verb: "get", Resource: "endpoints" } && r.Key.Name == Old ? new(reason, code, "not now") : null;
        await Bed.PassAsync();
        Assert.Equal(0, Bed.Weights()[New]);
    }

    private void Addresses(string service, bool ready, bool labelled = true)
    {
        Bed.Api.Remove<V1Endpoints>(service);
        var labels = labelled ? """ "labels":{"ragoperator.dev/name":"assistant"} """ : """ "labels":{} """;
        Bed.Api.Put<V1Endpoints>(Sample.Object($$"""{"metadata":{"name":"{{service}}",{{labels}}},"subsets":[{"{{(ready ? "addresses" : "notReadyAddresses")}}":[{"ip":"10.1.0.1"}]}]}"""));
    }
}
