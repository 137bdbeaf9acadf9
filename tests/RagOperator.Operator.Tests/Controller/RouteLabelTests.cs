using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A hand that takes the route's label. The decisions are scripted.</summary>
public sealed class RouteLabelTests : ScriptedPass
{
    [Fact]
    public async Task Hand_that_takes_the_routes_label_as_soon_as_it_is_there_holds_up_no_write_although_the_cache_is_late()
    {
        await Bed.PassAsync();
        var labelled = Bed.Routes.Now;
        Strip();
        Bed.Api.Fault = r =>
        {
            if (r.Resource != "httproutes") return null;
            Strip();
            // What the watch tells next is from before.
            if (r.Verb == "get") Bed.Routes.Freeze(labelled);
            return null;
        };
        Decide = i => Output(i, new() { Phase = "x" }) with { After = [new ApplyRoute(Lowered, Ports, i.Observed.Route, null, Direction.Neutral)] };

        for (var passes = 0; passes < 4 && Bed.Weights()[New] > 0; passes++)
        {
            await Bed.PassAsync();
            Bed.Routes.Thaw();
        }

        Assert.Equal(0, Bed.Weights()[New]);

        void Strip()
        {
            if (Bed.Api.Raw<V1HTTPRoute>("assistant")!["metadata"]!["labels"] is JsonObject { Count: > 0 }) Bed.Api.Change<V1HTTPRoute>("assistant", """{"metadata":{"labels":null}}""");
        }
    }

    [Fact]
    public async Task Records_that_status_names_get_the_labels_back_that_they_lost_while_nobody_watched()
    {
        foreach (var record in (JsonObject[])[RevisionRecords.OfRelease(Sample.Owner, Sample.Release()), RevisionRecords.OfPolicy(Sample.Owner, "assistant-policy-p", Sample.Element("{}"), 1)])
        {
            record["metadata"]!.AsObject().Remove("labels");
            Bed.Api.Put<V1ControllerRevision>(record);
        }

        Bed.Api.Change<RagDeployment>("assistant", $$$"""{"status":{"stableRevision":"old","policyRevision":"assistant-policy-p","retiring":[{"revision":"{{{Sample.Hash}}}","reason":"Failed"}]}}""");

        await Bed.PassAsync();

        Assert.Equal(["policy", "release"], Bed.Api.All<V1ControllerRevision>().Select(static r => r.GetLabel("ragoperator.dev/record")).Order());
        Assert.All(Bed.Api.All<V1ControllerRevision>(), static r => Assert.Equal("assistant", r.GetLabel("ragoperator.dev/name")));
    }

    [Fact]
    public async Task Route_that_is_out_of_sight_and_somebody_elses_is_known_before_anything_is_decided()
    {
        Bed.Api.Remove<V1HTTPRoute>("assistant");
        Bed.Api.Put<V1HTTPRoute>(Sample.Object("""
            {"metadata":{"name":"assistant","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"other","uid":"u","controller":true}]},"spec":{"rules":[]}}
            """));
        Bed.Api.Change<RagDeployment>("assistant", """{"status":{"stableRevision":"old"}}""");

        await Bed.PassAsync();

        Assert.Null(Inputs[0].Observed.Route);
        Assert.Contains("HttpRoute assistant", Inputs[0].Observed.Taken.Keys);
    }

    [Fact]
    public async Task Routes_label_is_given_back_once_a_second_at_most_and_again_only_when_a_decision_was_written()
    {
        await Bed.PassAsync();
        var mayWrite = true;
        Bed.Api.Fault = r => mayWrite || r is not { Verb: "patch", Resource: "httproutes", Body: { } body } || body["spec"] is null ? null : new(ApiReason.Conflict, 409);
        Decide = i => Output(i, new() { Phase = "x" }) with { After = [new ApplyRoute(Before, Ports, i.Observed.Route, null, Direction.Neutral)] };

        await StripAndPassAsync();
        Assert.Equal(1, GivenBack());
        // Within the second decisions are made without it.
        await StripAndPassAsync();
        await StripAndPassAsync();
        Assert.Equal(1, GivenBack());

        Bed.Time.Advance(TimeSpan.FromSeconds(1));
        await StripAndPassAsync();
        Assert.Equal(2, GivenBack());
        // Later, too, as long as nothing could be written in between.
        mayWrite = false;
        Bed.Time.Advance(TimeSpan.FromMinutes(1));
        await StripAndPassAsync();
        await StripAndPassAsync();
        Assert.Equal(2, GivenBack());
        mayWrite = true;
        await StripAndPassAsync();
        await StripAndPassAsync();
        Assert.Equal(3, GivenBack());

        int GivenBack() => Bed.Api.Requests.Count(static r => r is { Verb: "patch", Resource: "httproutes", Body: { } body } && body["spec"] is null);

        Task StripAndPassAsync()
        {
            Bed.Api.Change<V1HTTPRoute>("assistant", """{"metadata":{"labels":null}}""");
            return Bed.PassAsync();
        }
    }
}
