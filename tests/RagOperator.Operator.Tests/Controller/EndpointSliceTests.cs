using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Servers that tell of addresses by EndpointSlices: nobody asks them for Endpoints. The slices are as servers from 1.21 on write them.</summary>
public sealed class EndpointSliceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2, """{"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true}},{"addresses":["10.1.0.2"],"conditions":{"ready":true}}]}""")]
    // By hand, as for something outside the cluster: no conditions means ready.
    [InlineData(1, """{"addressType":"IPv4","endpoints":[{"addresses":["192.0.2.7"]}]}""")]
    [InlineData(1, """{"addressType":"FQDN","endpoints":[{"addresses":["db.example.com"],"conditions":{}}]}""")]
    [InlineData(0, """{"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":false,"serving":true,"terminating":true}}]}""")]
    [InlineData(0, """{"addressType":"IPv4","endpoints":null}""")]
    // A Service with many pods has several; one that moves is in two of them for a moment.
    [InlineData(2, """{"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true}}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true}},{"addresses":["10.1.0.2"],"conditions":{"ready":true}}]}""")]
    // Two families are the same pods.
    [InlineData(1, """{"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true}}]}""", """{"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"],"conditions":{"ready":true}}]}""")]
    public void Ready_addresses_are_places_and_not_entries(int expected, params string[] slices) => Assert.Equal(
        expected, WorkloadViews.ReadyAddresses(slices.Select(static s => JsonSerializer.Deserialize(s, AbstractionsJsonContext.Default.V1EndpointSlice)!)));

    [Fact]
    public async Task First_install_and_release_go_through_without_a_question_for_Endpoints()
    {
        var bed = new ControllerBed();
        bed.UseSlices();
        bed.Apply(Spec("1"));
        await bed.SettleAsync();
        Assert.Equal("Healthy", bed.Object.Status!.Phase);
        bed.Api.Change<RagDeployment>("assistant", $$"""{"spec":{{Spec("2")}}}""");
        await bed.SettleAsync();
        Assert.Equal([90, 10], bed.Weights().Values.OrderDescending());
        Assert.DoesNotContain(bed.Api.Requests, static r => r.Resource == "endpoints");
    }

    [Fact]
    public async Task External_service_is_there_by_a_slice_alone()
    {
        var bed = new ControllerBed();
        bed.UseSlices();
        bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"qdrant"},"spec":{"ports":[{"port":6333}]}}"""));
        bed.Apply(Spec("1", """{"name":"qdrant","external":{"service":"qdrant","port":6333}},"""));
        await bed.SettleAsync();
        Assert.Equal("Progressing", bed.Object.Status!.Phase);
        Assert.Empty(bed.Api.All<V1Deployment>());

        bed.Api.Put<V1EndpointSlice>(Sample.Object("""{"metadata":{"name":"qdrant-hand","labels":{"kubernetes.io/service-name":"qdrant"}},"addressType":"IPv4","endpoints":[{"addresses":["192.0.2.7"]}],"ports":[{"port":6333}]}"""));
        bed.Time.Advance(TimeSpan.FromSeconds(5));
        await bed.SettleAsync();
        Assert.Equal("Healthy", bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Weight_does_not_rise_where_a_live_look_finds_no_ready_place()
    {
        const string old = "assistant-api-old";
        const string canary = "assistant-api-api0000001";
        var ports = new Dictionary<string, int> { [old] = 8000, [canary] = 8000 };
        var bed = new ControllerBed(input => new()
        {
            Status = new RagDeploymentStatus { Phase = "x" },
            StatusDue = true,
            Memory = input.Memory,
            After = [new ApplyRoute([new(old, 50), new(canary, 50)], ports, input.Observed.Route, null, Direction.Raises, new RaiseNeeds(canary, new Dictionary<string, int>()))],
        });
        bed.UseSlices();
        bed.Apply("{}");
        bed.Api.Put<V1HTTPRoute>(new GatewayApiRouter().Create(Sample.Owner, new DesiredTraffic(null, [new(old, 90), new(canary, 10)], ports)));
        bed.Api.Put<V1Deployment>(WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "api", 2, PodEnvironment.None));
        bed.Api.Put<V1Service>(WorkloadManifests.RevisionService(Sample.Owner, Sample.Release(), "api"));
        bed.RunCluster();
        // The cache does not know yet that one slice is gone, and that nobody in the other is ready.
        bed.Slices.Freeze();
        bed.Api.Remove<V1EndpointSlice>($"{canary}-ipv6");
        bed.Api.Change<V1EndpointSlice>($"{canary}-ipv4", """{"endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":false}}]}""");
        await bed.PassAsync();
        Assert.Equal(10, bed.Weights()[canary]);

        bed.Slices.Thaw();
        bed.RunCluster();
        await bed.PassAsync();
        Assert.Equal(50, bed.Weights()[canary]);
    }

    private static string Spec(string tag, string more = "") => $$$"""
        {"components":[{{{more}}}{"name":"api","replicas":2,{{{(more.Length > 0 ? "\"dependsOn\":[\"qdrant\"]," : "")}}}"ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"api:{{{tag}}}"}]} } }],
         "traffic":{"gatewayApi":{"parentRefs":[{"name":"public","namespace":"gateways"}]}},"rollout":{"steps":[{"name":"ten","weight":10,"hold":"10m"},{"name":"full","weight":100}]}}
        """;
}
