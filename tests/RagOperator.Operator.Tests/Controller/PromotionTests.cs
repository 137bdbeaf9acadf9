using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Right before another release is stable, and where stable is to get all and seems to be gone, the server itself is asked. The decisions are scripted.</summary>
public sealed class PromotionTests : ScriptedPass
{
    private static readonly RaiseNeeds Needs = new(New, new Dictionary<string, int>());

    private void Addresses(string service, bool ready)
    {
        Bed.Api.Remove<V1Endpoints>(service);
        Bed.Api.Put<V1Endpoints>(Sample.Object($$"""{"metadata":{"name":"{{service}}"},"subsets":[{"{{(ready ? "addresses" : "notReadyAddresses")}}":[{"ip":"10.1.0.1"}]}]}"""));
    }

    [Fact]
    public async Task Release_that_is_not_there_does_not_become_stable_and_that_is_told_and_tried_again()
    {
        Addresses(New, ready: false);
        Decide = i => Output(i, new() { Phase = i.MayNotRaise ? $"held: {i.Observed.LastError}" : "promoted" }) with { StatusNeeds = i.MayNotRaise ? null : Needs, After = i.MayNotRaise ? [] : [Create()] };

        await Bed.PassAsync();
        Assert.Empty(Bed.Api.Accepted);
        await Bed.PassAsync();
        Assert.Equal($"held: not stable yet: read live, Service {New} has no ready address; the watch has not told it yet", Bed.Object.Status!.Phase);

        Bed.Time.Advance(TimeSpan.FromSeconds(5));
        await Bed.PassAsync();
        Assert.StartsWith("held", Bed.Object.Status!.Phase, StringComparison.Ordinal);
        Addresses(New, ready: true);
        Bed.Time.Advance(TimeSpan.FromSeconds(5));
        await Bed.PassAsync();
        Assert.Equal("promoted", Bed.Object.Status!.Phase);
        await Bed.PassAsync();
        Assert.Null(Inputs[^1].Observed.LastError);
    }

    [Fact]
    public async Task Release_that_cannot_be_looked_at_does_not_become_stable_and_that_is_told()
    {
        Bed.Api.Fault = static r => r is { Verb: "get", Resource: "endpoints" } ? new(ApiReason.Forbidden, 403, "may not get endpoints") : null;
        Decide = i => Output(i, new() { Phase = i.MayNotRaise ? $"held: {i.Observed.LastError}" : "promoted" }) with { StatusNeeds = i.MayNotRaise ? null : Needs };

        Assert.False((await Bed.PassAsync()).IsSuccess);
        await Bed.PassAsync();

        Assert.Equal("held: may not get endpoints", Bed.Object.Status!.Phase);
    }

    [Theory]
    [InlineData(true, true, 0)]
    [InlineData(false, true, 10)]
    [InlineData(false, false, 10)]
    public async Task Stable_that_seems_to_be_gone_gets_all_once_a_live_look_finds_it(bool ready, bool lowers, int weight)
    {
        Addresses(Old, ready);
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            After = [Lower(i) with { Needs = new(Old, new Dictionary<string, int>()), Way = lowers ? Direction.Lowers : Direction.Neutral }, Create()],
        };

        Assert.True((await Bed.PassAsync()).IsSuccess);
        await Bed.PassAsync();
        Assert.Null(Inputs[1].Observed.LastError);

        Assert.Equal(weight, Bed.Weights()[New]);
        // What brings stable back does not wait for what waits for stable.
        Assert.Contains("create services assistant-api-api0000001", Bed.Api.Accepted);
    }

    /// <summary>A release that only this process takes for stable is one that nothing takes back.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Promotion_whose_status_is_refused_is_not_remembered_and_anything_else_is(bool promotes, bool remembered)
    {
        Addresses(New, ready: true);
        Bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Forbidden, 403, "no") : null;
        Decide = i => Output(i, new() { Phase = "x" }) with { StatusNeeds = promotes ? Needs : null, Memory = EngineMemory.Empty with { Working = new() { Phase = "decided" } } };

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Equal(remembered ? "decided" : null, Inputs[^1].Memory.Working?.Phase);
    }

    /// <summary>The answer was lost, and the status was taken: what it says is not gone back on, and is told.</summary>
    [Fact]
    public async Task Promotion_whose_answer_was_lost_counts_once_it_is_seen()
    {
        Addresses(New, ready: true);
        var promotions = 0;
        Decide = i => i.Persisted?.Phase == "promoted" ? Output(i, i.Persisted) with { StatusDue = false }
            : Output(i, new() { Phase = "promoted" }) with { StatusNeeds = Needs, Memory = EngineMemory.Empty with { Working = new() { Phase = $"promoted {++promotions}" } } };
        Bed.Api.Fault = r =>
        {
            if (r.Resource != "ragdeployments/status") return null;
            Bed.Api.Change<Api.V1Alpha1.RagDeployment>("assistant", """{"status":{"phase":"promoted"}}""");
            return new(ApiReason.Transport, 0, "no answer");
        };

        await Bed.PassAsync();
        Bed.Api.Fault = static _ => null;
        await Bed.PassAsync();

        Assert.Equal((1, "promoted 1"), (promotions, Inputs[^1].Memory.Working?.Phase));
    }
}
