using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Which writes are sent, in which order, with what conditions. The decisions are scripted.</summary>
public sealed class PassOrderTests : ScriptedPass
{
    [Theory]
    [InlineData(ApiReason.InternalError, 500)]
    [InlineData(ApiReason.Invalid, 422)]
    [InlineData(ApiReason.Forbidden, 403)]
    public async Task Status_refused_lets_only_what_lowers_pass_with_the_note_on_the_route(ApiReason reason, int code)
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with { After = [Lower(i), Create()], Events = [new EngineEvent("RollbackStarted", "m")] };
        Bed.Api.Fault = r => r.Resource == "ragdeployments/status" ? new(reason, code) : null;

        var result = await Bed.PassAsync();

        Assert.False(result.IsSuccess);
        Assert.Equal(["patch httproutes assistant"], Bed.Api.Accepted);
        Assert.Equal(Note, Bed.Api.All<V1HTTPRoute>().Single().GetAnnotation("ragoperator.dev/rolled-back"));
        Assert.Equal(0, Bed.Weights()[New]);
        Assert.DoesNotContain(Bed.Events, static e => e.Reason == "RollbackStarted");
    }

    [Fact]
    public async Task Status_refused_forgets_nothing_that_was_seen_and_tells_it_once_it_is_taken()
    {
        var memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch };
        Decide = i => Output(i, new() { Phase = "Degraded" }) with { Memory = memory, Events = Inputs.Count == 1 ? [new EngineEvent("MetricBreach", "m", true)] : [] };
        Bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Invalid, 422, "status.phase: wrong") : null;

        await Bed.PassAsync();
        await Bed.PassAsync();
        Assert.DoesNotContain(Bed.Events, static e => e.Reason == "MetricBreach");
        Bed.Api.Fault = static _ => null;
        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Equal(DateTimeOffset.UnixEpoch, Inputs[1].Memory.CreditedTo);
        Assert.Equal("status.phase: wrong", Inputs[1].Observed.LastError);
        Assert.Null(Inputs[3].Observed.LastError);
        Assert.Single(Bed.Events, static e => e.Reason == "MetricBreach");
    }

    [Fact]
    public async Task Status_in_conflict_is_decided_again_from_what_was_remembered_before()
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with { Memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch } };
        Bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Conflict, 409) : null;

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Null(Inputs[1].Memory.CreditedTo);
    }

    [Fact]
    public async Task Status_written_comes_before_what_it_allows_and_takes_the_note_off_the_route()
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with
        {
            Before = [new CreateRelease(Sample.Release())],
            After = [Lower(i), Create()],
            Events = [new EngineEvent("RolledBack", "m", true)],
        };

        Assert.True((await Bed.PassAsync()).IsSuccess);

        Assert.Equal(
            [
                "create controllerrevisions assistant-rel0000001",
                "patch ragdeployments/status assistant",
                "patch httproutes assistant",
                "create services assistant-api-api0000001",
            ],
            Bed.Api.Accepted);
        Assert.Null(Bed.Api.All<V1HTTPRoute>().Single().GetAnnotation("ragoperator.dev/rolled-back"));
        Assert.Equal([("RolledBack", "m", EventType.Warning)], Bed.Events);
    }

    [Fact]
    public async Task Status_conflict_sends_nothing_after_and_looks_again_at_once()
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with { After = [Lower(i), Create()] };
        var changed = false;
        Bed.Api.Fault = r =>
        {
            if (r.Resource != "ragdeployments/status" || changed) return null;
            changed = true;
            Bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"Progressing"}}""");
            return null;
        };

        var result = await Bed.PassAsync();

        Assert.Equal(ApiReason.Conflict, Assert.IsType<KubernetesException>(result.Error).Reason);
        Assert.Empty(Bed.Api.Accepted);
        Assert.True((await Bed.PassAsync()).IsSuccess);
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Theory]
    [InlineData(ApiReason.Unavailable, 503)]
    [InlineData(ApiReason.Forbidden, 403)]
    public async Task Before_that_fails_leaves_the_status_unwritten_and_lowers_only(ApiReason reason, int code)
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { Before = [new CreateRelease(Sample.Release())], After = [Lower(i), Create()] };
        Bed.Api.Fault = r => r.Resource == "controllerrevisions" && r.Verb == "create" ? new(reason, code) : null;

        await Bed.PassAsync();

        Assert.Equal(["patch httproutes assistant"], Bed.Api.Accepted);
        Assert.Null(Bed.Object.Status);
    }

    [Fact]
    public async Task Conflict_in_a_raising_write_sends_nothing_after_it()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            After = [new ScaleDeployment(new DeploymentView { Name = "gone", Uid = "u", ResourceVersion = "1" }, 3), Create()],
        };

        await Bed.PassAsync();

        Assert.Equal(["patch ragdeployments/status assistant"], Bed.Api.Accepted);
    }

    [Fact]
    public async Task RemoveRequest_goes_after_the_status_with_its_new_version()
    {
        Bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"pause/current"}}}""");
        Decide = i => Output(i, new() { Phase = "x" }) with { After = i.Request is { } r ? [new RemoveRequest(r)] : [] };

        Assert.True((await Bed.PassAsync()).IsSuccess);
        await Bed.PassAsync();

        Assert.Equal("pause/current", Inputs[0].Request);
        Assert.Null(Inputs[1].Request);
        Assert.Equal("x", Bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Status_fields_that_are_gone_are_taken_away_and_unknown_ones_stay()
    {
        Bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"Healthy","message":"old","step":{"name":"a"},"future":1}}""");
        Decide = static i => Output(i, new() { ObservedGeneration = 4, Phase = "Healthy" });

        await Bed.PassAsync();

        Same.Json("""{"phase":"Healthy","future":1,"observedGeneration":4}""", Bed.Api.Raw<RagDeployment>("assistant")!["status"]);
    }

    [Fact]
    public async Task Memory_is_forgotten_when_somebody_else_wrote_the_status()
    {
        Decide = static i => Output(i, new() { Phase = "x" }) with { Memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch } };

        await Bed.PassAsync();
        await Bed.PassAsync();
        Bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"by hand"}}""");
        await Bed.PassAsync();

        Assert.Equal(DateTimeOffset.UnixEpoch, Inputs[1].Memory.CreditedTo);
        Assert.Null(Inputs[2].Memory.CreditedTo);
    }

    [Fact]
    public async Task Deletion_in_progress_is_left_alone()
    {
        Bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}""");
        Decide = static i => Output(i, new() { Phase = "x" }) with { After = [Create()] };

        Assert.True((await Bed.PassAsync()).IsSuccess);

        Assert.Empty(Inputs);
        Assert.Empty(Bed.Api.Requests);
    }

    [Fact]
    public async Task Reaction_of_a_rollback_is_told_once_from_the_deciding_sample()
    {
        var sample = Bed.Time.GetUtcNow();
        Bed.Api.Put<V1ControllerRevision>(Operator.Workloads.RevisionRecords.OfRelease(Sample.Owner, Sample.Release()));
        Backend[] zero = [new(Old, 100), new("assistant-api-api0000001", 0)];
        Decide = i => Output(i, new() { Phase = "x", Rollback = new() { Release = Sample.Hash, Cause = "SlaBreach", SampleAt = sample, DecidedAt = sample } }) with
        {
            After = [new ApplyRoute(zero, new Dictionary<string, int> { [Old] = 1, ["assistant-api-api0000001"] = 1 }, i.Observed.Route, null, Direction.Lowers)],
        };
        Bed.Time.Advance(TimeSpan.FromMilliseconds(700));

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Equal([TimeSpan.FromMilliseconds(700)], Bed.Reactions);
    }

    [Fact]
    public async Task NextLook_is_when_the_host_comes_back()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { NextLook = i.Now + TimeSpan.FromSeconds(42) };

        Assert.Equal(TimeSpan.FromSeconds(42), (await Bed.PassAsync()).RequeueAfter);
    }

    /// <summary>What is adopted is the object's by its labels, whatever its status tells; where the world was another one, nothing of the decision holds.</summary>
    [Theory]
    [InlineData(ApiReason.Forbidden, 403, true)]
    [InlineData(ApiReason.Transport, 0, true)]
    [InlineData(ApiReason.Conflict, 409, false)]
    public async Task Adoption_is_sent_though_the_status_is_refused(ApiReason reason, int code, bool isSent)
    {
        Bed.Api.Fault = r => r.Resource == "ragdeployments/status" ? new(reason, code) : null;
        Decide = static i => Output(i, new() { Phase = "x" }) with { After = [Create(), new Adopt(ChildKind.HttpRoute, i.Observed.Route!)] };

        await Bed.PassAsync();
        Assert.Equal(isSent ? ["patch httproutes assistant"] : [], Bed.Api.Accepted);
    }

    /// <summary>Nothing is looked at less often for it, and a conflict makes nobody forget it.</summary>
    [Fact]
    public async Task Refused_adoption_is_told_and_no_failure()
    {
        Bed.Api.Fault = static r => r is { Verb: "patch", Resource: "httproutes" } ? new(ApiReason.Forbidden, 403, "may not") : null;
        Decide = i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Unwritten.Count > 0 ? [] : [new Adopt(ChildKind.HttpRoute, i.Observed.Route!)], NextLook = i.Now + TimeSpan.FromSeconds(10) };

        var result = await Bed.PassAsync();
        Assert.True(result.IsSuccess);
        Assert.Equal(TimeSpan.FromSeconds(10), result.RequeueAfter);
        Assert.Single(Bed.Events, static e => e.Reason == "WriteRefused" && e.Note.EndsWith("may not", StringComparison.Ordinal));
        Bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Conflict, 409) : null;
        Decide = static i => Output(i, new() { Phase = "y" });
        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Equal("may not", Inputs[^1].Observed.Unwritten["owner of HttpRoute assistant"]);
    }
}
