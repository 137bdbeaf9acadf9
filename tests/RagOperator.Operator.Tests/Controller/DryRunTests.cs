using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A release is tried on the server before anything of it is made. The decisions are scripted.</summary>
public sealed class DryRunTests : ScriptedPass
{
    [Fact]
    public async Task Dry_runs_are_under_way_beside_each_other_and_what_they_say_stands_in_order()
    {
        var (underWay, most) = (0, 0);
        var all = new TaskCompletionSource();
        Bed.Api.DryRun = async () =>
        {
            most = Math.Max(most, ++underWay);
            if (underWay == 6) all.SetResult();
            await all.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
            underWay--;
        };
        Bed.Api.Fault = static r => r is { DryRun: true, Resource: "deployments" } ? new(ApiReason.Invalid, 422, $"{r.Key.Name} is wrong") : null;
        Decide = i => Output(i, new() { Phase = "x" }) with { Before = Inputs.Count == 1 ? [new Preflight(Sample.Release(), "")] : [] };

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.InRange(most, 6, 8);
        Assert.Equal(
            ["component embedder: Deployment assistant-embedder-emb0000001: assistant-embedder-emb0000001 is wrong", "component api: Deployment assistant-api-api0000001: assistant-api-api0000001 is wrong"], Inputs[1].Observed.Preflight!.Refused);
    }

    [Fact]
    public async Task Dry_run_of_a_kind_that_the_server_does_not_serve_yet_is_no_answer()
    {
        Bed.Api.Fault = static r => r is { DryRun: true, Resource: "deployments" } ? new(ApiReason.KindMissing, 404, "page not found") : null;
        Decide = i => Output(i, new() { Phase = "x" }) with { Before = [new Preflight(Sample.Release(), "")] };

        Assert.False((await Bed.PassAsync()).IsSuccess);
        await Bed.PassAsync();

        Assert.Null(Inputs[1].Observed.Preflight);
    }
}
