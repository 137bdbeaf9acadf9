using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A release is taken back for pods or addresses that are missing only where they are: the server itself is asked, for both sides. The decisions
/// are scripted: the new one is taken back while its Service has no address by what was observed.</summary>
public sealed class CondemnedTests : ScriptedPass
{
    private static readonly RaiseNeeds Address = new(New, new Dictionary<string, int>());

    public CondemnedTests() => Decide = static i => i.Observed.ReadyAddresses.GetValueOrDefault(New) > 0
        ? Output(i, new() { Phase = "serves" })
        : i.MayNotCondemn ? Output(i, new() { Phase = "looks again" }) with { After = [Create()] }
        : Output(i, new() { Phase = "taken back" }) with { Condemns = Address, After = [Lower(i) with { Needs = new(Old, new Dictionary<string, int>()) }] };

    [Fact]
    public async Task Release_that_only_a_mute_watch_misses_is_not_taken_back()
    {
        Addresses(New, ready: false);
        Bed.Endpoints.Freeze();
        Addresses(New, ready: true);

        await Bed.PassAsync();
        // All else goes on.
        Assert.Equal("looks again", Bed.Object.Status!.Phase);
        Assert.Contains("create services assistant-api-api0000001", Bed.Api.Accepted);
        await Bed.PassAsync();

        Assert.Equal("serves", Bed.Object.Status!.Phase);
        Assert.Equal(10, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Address_of_somebody_elses_Service_is_none_of_the_release()
    {
        Addresses(Old, ready: true);
        Addresses(New, ready: true, labelled: false);
        Service(New, "Pod", "uid-other", "other");
        await Bed.PassAsync();
        Assert.Equal("taken back", Bed.Object.Status!.Phase);
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Release_whose_Endpoints_lost_their_label_is_not_taken_back()
    {
        Service(New, "RagDeployment", "uid-1", "assistant");
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
    public async Task Release_that_cannot_be_looked_at_is_not_taken_back_for_half_a_minute()
    {
        Addresses(New, ready: false);
        Bed.Endpoints.Freeze();
        Addresses(New, ready: true);
        var away = true;
        Bed.Api.Fault = r => away && r is { Verb: "get", Resource: "endpoints" } ? new(ApiReason.Transport, 503, "starting") : null;

        Assert.True((await Bed.PassAsync()).IsSuccess);
        Assert.Equal("looks again", Bed.Object.Status!.Phase);
        Bed.Time.Advance(TimeSpan.FromSeconds(29));
        await Bed.PassAsync();
        Assert.Equal(10, Bed.Weights()[New]);
        away = false;
        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.Equal("serves", Bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Release_that_could_not_be_looked_at_for_half_a_minute_is_what_the_watch_tells()
    {
        Addresses(New, ready: false);
        Addresses(Old, ready: true);
        Bed.Api.Fault = static r => r is { Verb: "get", Resource: "endpoints" } ? new(ApiReason.Transport, 503, "starting") : null;
        await Bed.PassAsync();
        Assert.Equal(10, Bed.Weights()[New]);
        Bed.Time.Advance(TimeSpan.FromSeconds(31));
        await Bed.PassAsync();
        Assert.Equal("taken back", Bed.Object.Status!.Phase);
        Assert.Equal(0, Bed.Weights()[New]);
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

    /// <summary>Pods whose Deployment somebody took the owner from still run: they are no pods that are missing, whatever a cache told.</summary>
    [Theory]
    [InlineData("""{"metadata":{"ownerReferences":null}}""", 10)]
    [InlineData("""{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"other","uid":"uid-other","controller":true}]}}""", 0)]
    public async Task Release_whose_Deployment_lost_its_owner_is_not_taken_back(string owners, int weight)
    {
        var deployment = WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "api", 1, PodEnvironment.None);
        Bed.Api.Put<V1Deployment>(deployment);
        var name = deployment["metadata"]!["name"]!.GetValue<string>();
        Bed.Api.Change<V1Deployment>(name, """{"status":{"availableReplicas":1,"observedGeneration":1}}""");
        Bed.Api.Change<V1Deployment>(name, owners);
        Addresses(New, ready: true);
        Addresses(Old, ready: true);
        Decide = i => i.MayNotCondemn
            ? Output(i, new() { Phase = "looks again" })
            : Output(i, new() { Phase = "taken back" }) with
            {
                Condemns = new RaiseNeeds(New, new Dictionary<string, int> { [name] = 1 }),
                After = [Lower(i) with { Needs = new(Old, new Dictionary<string, int>()) }],
            };

        await Bed.PassAsync();
        Assert.Equal(weight, Bed.Weights()[New]);
    }

    private void Addresses(string service, bool ready, bool labelled = true)
    {
        Bed.Api.Remove<V1Endpoints>(service);
        var labels = labelled ? """ "labels":{"ragoperator.dev/name":"assistant"} """ : """ "labels":{} """;
        Bed.Api.Put<V1Endpoints>(Sample.Object($$"""{"metadata":{"name":"{{service}}",{{labels}}},"subsets":[{"{{(ready ? "addresses" : "notReadyAddresses")}}":[{"ip":"10.1.0.1"}]}]}"""));
    }

    private void Service(string name, string kind, string uid, string label) => Bed.Api.Put<V1Service>(Sample.Object($$$"""
        {"metadata":{"name":"{{{name}}}","labels":{"ragoperator.dev/name":"{{{label}}}"},
         "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"{{{kind}}}","name":"{{{label}}}","uid":"{{{uid}}}","controller":true}]},"spec":{"ports":[{"port":1}]}}
        """));
}
