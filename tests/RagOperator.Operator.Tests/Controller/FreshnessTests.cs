using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Nothing is decided from what is known to be old, or not known at all. The decisions are scripted.</summary>
public sealed class FreshnessTests : ScriptedPass
{
    [Fact]
    public async Task Nothing_is_decided_from_a_cache_older_than_the_own_last_write()
    {
        Decide = static i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Services.Count == 0 ? [Create()] : [] };
        Bed.Services.Freeze();

        await Bed.PassAsync();
        var waits = await Bed.PassAsync();
        Assert.Single(Inputs);
        Assert.InRange(waits.RequeueAfter!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1));

        Bed.Services.Thaw();
        await Bed.PassAsync();
        Assert.Equal(2, Inputs.Count);
        Assert.Single(Inputs[1].Observed.Services);
    }

    [Fact]
    public async Task Nothing_is_decided_after_a_start_before_the_caches_show_what_is_really_there()
    {
        Bed.Objects.Freeze();
        Bed.Routes.Freeze();
        PutRoute(Lowered);
        Bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"newer"}}""");

        await Bed.Controller.ReconcileAsync(Bed.Objects.Items.Single(), CancellationToken.None);
        Bed.Objects.Thaw();
        await Bed.PassAsync();
        Assert.Empty(Inputs);

        Bed.Routes.Thaw();
        await Bed.PassAsync();
        Assert.Equal("newer", Assert.Single(Inputs).Persisted!.Phase);
        Assert.Equal(Lowered, Inputs[0].Observed.Route!.Backends);
    }

    [Fact]
    public async Task Write_whose_answer_was_lost_is_read_live_before_the_next_decision()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Services.Count == 0 ? [Create()] : [] };
        Bed.Services.Freeze();
        Bed.Api.Fault = r =>
        {
            if (r is not { Verb: "create", Resource: "services" }) return null;
            Bed.Api.Put<V1Service>(r.Body!.DeepClone().AsObject());
            return new(ApiReason.Transport, 0, "connection reset");
        };

        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.Single(Inputs);

        Bed.Services.Thaw();
        await Bed.PassAsync();
        Assert.Single(Inputs[1].Observed.Services);
    }

    [Fact]
    public async Task Deletion_of_a_child_is_not_decided_again_while_the_cache_shows_it()
    {
        Bed.Api.Put<V1Service>(Operator.Workloads.WorkloadManifests.RevisionService(Sample.Owner, Sample.Release(), "api"));
        Bed.Services.Freeze();
        Decide = static i => Output(i, new() { Phase = "x" }) with { After = [.. i.Observed.Services.Values.Select(static s => new DeleteChild(ChildKind.Service, s))] };

        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.Single(Inputs);
        Assert.Equal(1, Bed.Api.Requests.Count(static r => r.Verb == "delete"));

        Bed.Services.Thaw();
        await Bed.PassAsync();
        Assert.Empty(Inputs[1].Observed.Services);
    }

    [Fact]
    public async Task Route_kind_that_is_missing_is_told_and_looked_for_again()
    {
        Bed.Routes.State = CacheState.KindMissing;
        Bed.Routes.HasSynced = false;

        var result = await Bed.PassAsync();

        Assert.False(Inputs[0].Observed.RouteKindKnown);
        Assert.Null(Inputs[0].Observed.Route);
        Assert.NotNull(result.RequeueAfter);
    }

    [Fact]
    public async Task Route_cache_without_a_first_list_is_waited_for()
    {
        Bed.Routes.State = CacheState.Listing;
        Bed.Routes.HasSynced = false;

        await Bed.PassAsync();

        Assert.Empty(Inputs);
    }
}
