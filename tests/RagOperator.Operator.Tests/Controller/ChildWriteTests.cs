using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Children that are refused, or whose name is taken. The decisions are scripted.</summary>
public sealed class ChildWriteTests : ScriptedPass
{
    [Fact]
    public async Task Refusal_of_one_write_does_not_stop_the_others_and_is_told_once()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { After = [new CreateDeployment(Sample.Release(), "api", 1), Create()] };
        Bed.Api.Fault = static r => r is { Resource: "deployments", Verb: "create" } ? new(ApiReason.Forbidden, 403, "exceeded quota: small") : null;

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Contains("create services assistant-api-api0000001", Bed.Api.Accepted);
        var told = Assert.Single(Bed.Events);
        Assert.Equal(("WriteRefused", EventType.Warning), (told.Reason, told.Type));
        Assert.Contains("exceeded quota: small", told.Note, StringComparison.Ordinal);
        Assert.Equal("exceeded quota: small", Inputs[1].Observed.LastError);
    }

    [Fact]
    public async Task Create_of_a_name_that_somebody_else_holds_tells_who_and_forgets_it_when_freed()
    {
        Bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"assistant-api-api0000001","annotations":{"meta.helm.sh/release-name":"web"}}}"""));
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            After = i.Observed.Taken.Count == 0 ? [Create()] : [],
            Missed = i.Observed.Taken.Keys.ToHashSet(StringComparer.Ordinal),
        };

        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.Equal(
            "Service rag/assistant-api-api0000001 is held by Helm release web", Inputs[1].Observed.Taken["Service assistant-api-api0000001"]);

        Bed.Api.Remove<V1Service>("assistant-api-api0000001");
        Bed.Time.Advance(TimeSpan.FromSeconds(30));
        await Bed.PassAsync();
        Assert.Empty(Inputs[2].Observed.Taken);
        Assert.Contains("create services assistant-api-api0000001", Bed.Api.Accepted);
    }

    [Fact]
    public async Task Name_that_somebody_else_holds_is_not_asked_for_once_nothing_wants_it()
    {
        Bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"assistant-api-api0000001"}}"""));
        Decide = i => Output(i, new() { Phase = "x" }) with { After = Inputs.Count == 1 ? [Create()] : [] };

        await Bed.PassAsync();
        var second = await Bed.PassAsync();
        Assert.Single(Inputs[1].Observed.Taken);
        Assert.Null(second.RequeueAfter);
        var asked = Bed.Api.Requests.Count;
        Bed.Time.Advance(TimeSpan.FromMinutes(1));
        await Bed.PassAsync();
        Assert.Empty(Inputs[2].Observed.Taken);
        Assert.Equal(asked, Bed.Api.Requests.Count);
    }

    [Theory]
    [InlineData("uid-1", true)]
    [InlineData("uid-0", false)]
    public async Task Create_of_a_name_that_exists_is_fine_when_ours_and_waits_for_that_of_an_earlier_object(string uid, bool goesOn)
    {
        Bed.Api.Put<V1Service>(Sample.Object($$$"""
            {"metadata":{"name":"assistant-api-api0000001","labels":{"ragoperator.dev/name":"assistant"},
             "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","name":"assistant","uid":"{{{uid}}}","controller":true}]}}
            """));
        Decide = i => Output(i, new() { Phase = "x" }) with { After = [Create(), new CreateRevisionService(Sample.Release(), "embedder")] };

        await Bed.PassAsync();

        Assert.Equal(goesOn, Bed.Api.Accepted.Contains("create services assistant-embedder-emb0000001"));
        await Bed.PassAsync();
        Assert.Empty(Inputs[1].Observed.Taken);
    }

    [Fact]
    public async Task Create_of_a_child_of_ours_that_lost_its_label_gives_it_back()
    {
        Bed.Api.Put<V1Service>(Sample.Object("""
            {"metadata":{"name":"assistant-api-api0000001",
             "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","name":"assistant","uid":"uid-1","controller":true}]}}
            """));
        Decide = i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Services.Count == 0 ? [Create()] : [] };

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Contains("assistant-api-api0000001", Inputs[1].Observed.Services.Keys);
    }

    [Theory]
    [InlineData("going")]
    [InlineData("gone")]
    [InlineData("made again")]
    public async Task Creation_for_an_object_that_was_deleted_is_not_sent_although_no_cache_tells(string what)
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { StatusDue = false, After = Inputs.Count == 1 ? [] : [Create()] };
        var entity = Bed.Object;
        // The first pass of a term reads the object live.
        await Bed.PassAsync();
        Bed.Objects.Freeze();
        if (what == "going") Bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}""");
        else Bed.Api.Remove<RagDeployment>("assistant");
        if (what == "made again") Bed.Apply("{}", "uid-2");

        for (var pass = 0; pass < 20; pass++) await Bed.Controller.ReconcileAsync(entity, CancellationToken.None);

        Assert.Equal(2, Inputs.Count);
        Assert.Empty(Bed.Api.Writes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Creations_are_sent_where_nobody_tells_of_their_object_and_it_is_asked_for_once(bool isSilent)
    {
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            StatusDue = false,
            After = Inputs.Count == 1 ? [] : [Create(), new CreateDeployment(Sample.Release(), "api", 1)],
        };
        await Bed.PassAsync();
        var asked = new TaskCompletionSource();
        Bed.Api.Fault = r => !isSilent && r is { Resource: "ragdeployments", Verb: "get" } ? new(ApiReason.Forbidden, 403, "may not get ragdeployments") : null;
        Bed.Api.Reading = (r, token) =>
        {
            if (!isSilent || r.Resource != "ragdeployments") return Task.CompletedTask;
            asked.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, Bed.Time, token);
        };

        var pass = Bed.PassAsync();
        if (isSilent)
        {
            await asked.Task;
            Bed.Time.Advance(TimeSpan.FromSeconds(2));
        }

        await pass;

        Assert.Equal(["create services assistant-api-api0000001", "create deployments assistant-api-api0000001"], Bed.Api.Accepted);
        // One of them is the live read that begins a term.
        Assert.Equal(2, Bed.Api.Requests.Count(static r => r is { Resource: "ragdeployments", Verb: "get" }));
    }

    [Fact]
    public async Task Object_is_looked_at_again_where_creations_take_more_than_a_second()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            StatusDue = false,
            After = Inputs.Count == 1 ? [] : [Create(), new CreateDeployment(Sample.Release(), "api", 1)],
        };
        await Bed.PassAsync();
        Bed.Api.Fault = r =>
        {
            if (r is not { Verb: "create", Resource: "services" }) return null;
            Bed.Time.Advance(TimeSpan.FromSeconds(2));
            Bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}""");
            return null;
        };

        await Bed.PassAsync();

        Assert.Equal(["create services assistant-api-api0000001"], Bed.Api.Accepted);
    }

    [Fact]
    public async Task Record_behind_which_something_is_to_be_lowered_waits_for_no_look()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { Before = Inputs.Count == 1 ? [] : [new CreateRelease(Sample.Release())], After = [Lower(i)] };
        await Bed.PassAsync();
        PutRoute(Before);
        Bed.Api.Reading = static (r, _) => r.Resource == "ragdeployments" ? throw new InvalidOperationException("the object was asked for") : Task.CompletedTask;

        await Bed.PassAsync();

        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Object_is_looked_at_once_for_all_creations_of_a_pass_and_not_after_its_status_was_written()
    {
        Decide = i => Output(i, new() { Phase = $"{Math.Min(Inputs.Count, 2)}" }) with
        {
            StatusDue = Inputs.Count < 3,
            After = Inputs.Count == 1 ? [] : [new CreateRevisionService(Sample.Release(), Inputs.Count == 2 ? "api" : "embedder"), new CreateDeployment(Sample.Release(), Inputs.Count == 2 ? "api" : "embedder", 1)],
        };
        await Bed.PassAsync();
        Assert.Equal(1, Looks());

        await Bed.PassAsync();
        Assert.Equal(1, Looks());
        await Bed.PassAsync();
        Assert.Equal(2, Looks());
        Assert.Equal(4, Bed.Api.Accepted.Count(static r => r.StartsWith("create", StringComparison.Ordinal)));

        int Looks() => Bed.Api.Requests.Count(static r => r is { Resource: "ragdeployments", Verb: "get" });
    }
}
