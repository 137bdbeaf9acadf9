using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Weight rises only on what is there at that very moment: a cache may be old without knowing it.</summary>
public sealed class RaiseTests
{
    private const string Old = "assistant-api-old";
    private const string New = "assistant-api-api0000001";
    private static readonly Dictionary<string, int> Ports = new() { [Old] = 8000, [New] = 8000 };
    private static readonly Backend[] Before = [new(Old, 90), new(New, 10)];
    private static readonly Backend[] Raised = [new(Old, 50), new(New, 50)];
    private static readonly RaiseNeeds Needs = new(New, new Dictionary<string, int> { [New] = 2 });

    private readonly List<string?> _troubles = [];
    private readonly ControllerBed _bed;

    public RaiseTests()
    {
        _bed = new ControllerBed(input =>
        {
            _troubles.Add(input.Observed.LastError);
            return new()
            {
                Status = new RagDeploymentStatus { Phase = "x" },
                StatusDue = true,
                Memory = input.Memory,
                After = [new ApplyRoute(Raised, Ports, input.Observed.Route, null, Direction.Raises, Needs)],
            };
        });
        _bed.Apply("{}");
        _bed.Api.Put<V1HTTPRoute>(new GatewayApiRouter().Create(Sample.Owner, new DesiredTraffic(null, Before, Ports)));
        _bed.Api.Put<V1Deployment>(Operator.Workloads.WorkloadManifests.Deployment(Sample.Owner, Sample.Release(), "api", 2, Operator.Workloads.PodEnvironment.None));
        _bed.Api.Put<V1Service>(Operator.Workloads.WorkloadManifests.RevisionService(Sample.Owner, Sample.Release(), "api"));
        _bed.RunCluster();
    }

    private int Weight => _bed.Weights()[New];

    [Fact]
    public async Task Rises_where_pods_and_addresses_are_there()
    {
        await _bed.PassAsync();
        Assert.Equal(50, Weight);
    }

    [Theory]
    [InlineData("""{"status":{"availableReplicas":1}}""")]
    [InlineData("""{"spec":{"replicas":1}}""")]
    [InlineData("""{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}""")]
    [InlineData("""{"metadata":{"generation":9}}""")]
    public async Task Does_not_rise_where_the_Deployment_lacks_what_the_cache_had(string change)
    {
        _bed.Api.Change<V1Deployment>(New, change);
        var result = await _bed.PassAsync();
        Assert.Equal(10, Weight);
        Assert.Equal(TimeSpan.FromSeconds(1), result.RequeueAfter);
        await _bed.PassAsync();
        Assert.StartsWith($"no more weight: read live, Deployment {New} ", _troubles[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Does_not_rise_where_the_Deployment_or_the_last_address_is_gone()
    {
        _bed.Api.Change<V1Endpoints>(New, """{"subsets":null}""");
        await _bed.PassAsync();
        Assert.Equal(10, Weight);
        _bed.RunCluster();
        _bed.Api.Remove<V1Deployment>(New);
        await _bed.PassAsync();
        Assert.Equal(10, Weight);
    }

    [Theory]
    [InlineData("deployments")]
    [InlineData("endpoints")]
    public async Task What_cannot_be_read_is_told_and_nothing_rises(string resource)
    {
        _bed.Api.Fault = r => r.Verb == "get" && r.Resource == resource ? new(ApiReason.Forbidden, 403, $"may not get {resource}") : null;
        var result = await _bed.PassAsync();
        Assert.Equal(10, Weight);
        Assert.Contains($"may not get {resource}", result.ErrorMessage, StringComparison.Ordinal);
    }
}
