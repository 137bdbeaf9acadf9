using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Which writes are sent, in which order, with what conditions: the decisions are scripted.</summary>
public sealed class PassOrderTests
{
    private const string Old = "assistant-api-old";
    private const string New = "assistant-api-new";
    private const string Note = "rel0000001 SlaBreach";
    private static readonly Dictionary<string, int> Ports = new() { [Old] = 8000, [New] = 8000 };
    private static readonly Backend[] Before = [new(Old, 90), new(New, 10)];
    private static readonly Backend[] Lowered = [new(Old, 100), new(New, 0)];

    private readonly List<EngineInput> _inputs = [];
    private readonly ControllerBed _bed;
    private Func<EngineInput, EngineOutput> _decide = static i => Output(i, new());

    public PassOrderTests()
    {
        _bed = new ControllerBed(input =>
        {
            _inputs.Add(input);
            return _decide(input);
        });
        _bed.Apply("{}");
        PutRoute(Before);
    }

    [Theory]
    [InlineData(ApiReason.InternalError, 500)]
    [InlineData(ApiReason.Invalid, 422)]
    [InlineData(ApiReason.Forbidden, 403)]
    public async Task Status_refused_lets_only_what_lowers_pass_with_the_note_on_the_route(ApiReason reason, int code)
    {
        _decide = i => Output(i, new() { Phase = "Degraded" }) with { After = [Lower(i), Create()], Events = [new EngineEvent("RollbackStarted", "m")] };
        _bed.Api.Fault = r => r.Resource == "ragdeployments/status" ? new(reason, code) : null;

        var result = await _bed.PassAsync();

        Assert.False(result.IsSuccess);
        Assert.Equal(["patch httproutes assistant"], _bed.Api.Accepted);
        Assert.Equal(Note, _bed.Api.All<V1HTTPRoute>().Single().GetAnnotation("ragoperator.dev/rolled-back"));
        Assert.Equal(0, _bed.Weights()[New]);
        Assert.DoesNotContain(_bed.Events, static e => e.Reason == "RollbackStarted");
    }

    [Fact]
    public async Task Status_is_asked_for_once_and_waited_for_two_seconds_where_something_is_to_be_lowered()
    {
        _decide = i => Output(i, new() { Phase = $"{_inputs.Count}" }) with { After = _inputs.Count == 1 ? [Lower(i)] : [] };

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Equal([TimeSpan.FromSeconds(2), null], _bed.Api.Requests.Where(static r => r.Resource == "ragdeployments/status").Select(static r => r.Patience));
    }

    [Fact]
    public async Task Records_that_status_will_name_are_waited_for_no_longer_where_something_is_to_be_lowered()
    {
        _decide = i => Output(i, new() { Phase = "x" }) with { Before = [new CreateRelease(Sample.Release())], After = [Lower(i), Create()] };
        await _bed.PassAsync();
        Assert.Equal(
            [("controllerrevisions", TimeSpan.FromSeconds(2)), ("ragdeployments/status", TimeSpan.FromSeconds(2)), ("httproutes", (TimeSpan?)null), ("services", null)],
            _bed.Api.Writes.Select(static r => (r.Resource, r.Patience)));
    }

    [Fact]
    public async Task Status_that_was_written_though_no_answer_came_is_the_own_one_and_its_events_are_told()
    {
        _decide = i => Output(i, new() { Phase = "Degraded" }) with
        {
            Memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch },
            Events = _inputs.Count == 1 ? [new EngineEvent("RollbackStarted", "m", true)] : [],
        };
        _bed.Api.Fault = r =>
        {
            if (r.Resource != "ragdeployments/status" || _inputs.Count > 1) return null;
            _bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"Degraded"}}""");
            return new(ApiReason.Transport, 0, "no answer within 2 s");
        };

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Equal(DateTimeOffset.UnixEpoch, _inputs[1].Memory.CreditedTo);
        Assert.Single(_bed.Events, static e => e.Reason == "RollbackStarted");
    }

    [Fact]
    public async Task Dry_runs_are_under_way_beside_each_other_and_what_they_say_stands_in_order()
    {
        var (underWay, most) = (0, 0);
        var all = new TaskCompletionSource();
        _bed.Api.DryRun = async () =>
        {
            most = Math.Max(most, ++underWay);
            if (underWay == 6) all.SetResult();
            await all.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
            underWay--;
        };
        _bed.Api.Fault = static r => r is { DryRun: true, Resource: "deployments" } ? new(ApiReason.Invalid, 422, $"{r.Key.Name} is wrong") : null;
        _decide = i => Output(i, new() { Phase = "x" }) with { Before = _inputs.Count == 1 ? [new Preflight(Sample.Release(), "")] : [] };

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.InRange(most, 6, 8);
        Assert.Equal(
            ["component embedder: assistant-embedder-emb0000001 is wrong", "component api: assistant-api-api0000001 is wrong"], _inputs[1].Observed.Preflight!.Refused);
    }

    [Fact]
    public async Task Dry_run_of_a_kind_that_the_server_does_not_serve_yet_is_no_answer()
    {
        _bed.Api.Fault = static r => r is { DryRun: true, Resource: "deployments" } ? new(ApiReason.KindMissing, 404, "page not found") : null;
        _decide = i => Output(i, new() { Phase = "x" }) with { Before = [new Preflight(Sample.Release(), "")] };

        Assert.False((await _bed.PassAsync()).IsSuccess);
        await _bed.PassAsync();

        Assert.Null(_inputs[1].Observed.Preflight);
    }

    [Fact]
    public async Task Status_refused_forgets_nothing_that_was_seen_and_tells_it_once_it_is_taken()
    {
        var memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch };
        _decide = i => Output(i, new() { Phase = "Degraded" }) with { Memory = memory, Events = _inputs.Count == 1 ? [new EngineEvent("MetricBreach", "m", true)] : [] };
        _bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Invalid, 422, "status.phase: wrong") : null;

        await _bed.PassAsync();
        await _bed.PassAsync();
        Assert.DoesNotContain(_bed.Events, static e => e.Reason == "MetricBreach");
        _bed.Api.Fault = static _ => null;
        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Equal(DateTimeOffset.UnixEpoch, _inputs[1].Memory.CreditedTo);
        Assert.Equal("status.phase: wrong", _inputs[1].Observed.LastError);
        Assert.Null(_inputs[3].Observed.LastError);
        Assert.Single(_bed.Events, static e => e.Reason == "MetricBreach");
    }

    [Fact]
    public async Task Status_in_conflict_is_decided_again_from_what_was_remembered_before()
    {
        _decide = i => Output(i, new() { Phase = "Degraded" }) with { Memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch } };
        _bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Conflict, 409) : null;

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Null(_inputs[1].Memory.CreditedTo);
    }

    [Fact]
    public async Task Status_written_comes_before_what_it_allows_and_takes_the_note_off_the_route()
    {
        _decide = i => Output(i, new() { Phase = "Degraded" }) with
        {
            Before = [new CreateRelease(Sample.Release())],
            After = [Lower(i), Create()],
            Events = [new EngineEvent("RolledBack", "m", true)],
        };

        Assert.True((await _bed.PassAsync()).IsSuccess);

        Assert.Equal(
            [
                "create controllerrevisions assistant-rel0000001",
                "patch ragdeployments/status assistant",
                "patch httproutes assistant",
                "create services assistant-api-api0000001",
            ],
            _bed.Api.Accepted);
        Assert.Null(_bed.Api.All<V1HTTPRoute>().Single().GetAnnotation("ragoperator.dev/rolled-back"));
        Assert.Equal([("RolledBack", "m", EventType.Warning)], _bed.Events);
    }

    [Fact]
    public async Task Status_conflict_sends_nothing_after_and_looks_again_at_once()
    {
        _decide = i => Output(i, new() { Phase = "Degraded" }) with { After = [Lower(i), Create()] };
        var changed = false;
        _bed.Api.Fault = r =>
        {
            if (r.Resource != "ragdeployments/status" || changed) return null;
            changed = true;
            _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"a":"b"}}}""");
            return null;
        };

        var result = await _bed.PassAsync();

        Assert.Equal(ApiReason.Conflict, Assert.IsType<KubernetesException>(result.Error).Reason);
        Assert.Empty(_bed.Api.Accepted);
        Assert.True((await _bed.PassAsync()).IsSuccess);
        Assert.Equal(0, _bed.Weights()[New]);
    }

    [Theory]
    [InlineData(ApiReason.Unavailable, 503)]
    [InlineData(ApiReason.Forbidden, 403)]
    public async Task Before_that_fails_leaves_the_status_unwritten_and_lowers_only(ApiReason reason, int code)
    {
        _decide = i => Output(i, new() { Phase = "x" }) with { Before = [new CreateRelease(Sample.Release())], After = [Lower(i), Create()] };
        _bed.Api.Fault = r => r.Resource == "controllerrevisions" && r.Verb == "create" ? new(reason, code) : null;

        await _bed.PassAsync();

        Assert.Equal(["patch httproutes assistant"], _bed.Api.Accepted);
        Assert.Null(_bed.Object.Status);
    }

    [Fact]
    public async Task Conflict_in_a_raising_write_sends_nothing_after_it()
    {
        _decide = i => Output(i, new() { Phase = "x" }) with
        {
            After = [new ScaleDeployment(new DeploymentView { Name = "gone", Uid = "u", ResourceVersion = "1" }, 3), Create()],
        };

        await _bed.PassAsync();

        Assert.Equal(["patch ragdeployments/status assistant"], _bed.Api.Accepted);
    }

    [Fact]
    public async Task Refusal_of_one_write_does_not_stop_the_others_and_is_told_once()
    {
        _decide = i => Output(i, new() { Phase = "x" }) with { After = [new CreateDeployment(Sample.Release(), "api", 1), Create()] };
        _bed.Api.Fault = static r => r is { Resource: "deployments", Verb: "create" } ? new(ApiReason.Forbidden, 403, "exceeded quota: small") : null;

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Contains("create services assistant-api-api0000001", _bed.Api.Accepted);
        var told = Assert.Single(_bed.Events);
        Assert.Equal(("WriteRefused", EventType.Warning), (told.Reason, told.Type));
        Assert.Contains("exceeded quota: small", told.Note, StringComparison.Ordinal);
        Assert.Equal("exceeded quota: small", _inputs[1].Observed.LastError);
    }

    [Fact]
    public async Task Create_of_a_name_that_somebody_else_holds_tells_who_and_forgets_it_when_freed()
    {
        _bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"assistant-api-api0000001","annotations":{"meta.helm.sh/release-name":"web"}}}"""));
        _decide = i => Output(i, new() { Phase = "x" }) with
        {
            After = i.Observed.Taken.Count == 0 ? [Create()] : [],
            Missed = i.Observed.Taken.Keys.ToHashSet(StringComparer.Ordinal),
        };

        await _bed.PassAsync();
        await _bed.PassAsync();
        Assert.Equal(
            "Service rag/assistant-api-api0000001 is held by Helm release web", _inputs[1].Observed.Taken["Service assistant-api-api0000001"]);

        _bed.Api.Remove<V1Service>("assistant-api-api0000001");
        _bed.Time.Advance(TimeSpan.FromSeconds(30));
        await _bed.PassAsync();
        Assert.Empty(_inputs[2].Observed.Taken);
        Assert.Contains("create services assistant-api-api0000001", _bed.Api.Accepted);
    }

    [Fact]
    public async Task Name_that_somebody_else_holds_is_not_asked_for_once_nothing_wants_it()
    {
        _bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"assistant-api-api0000001"}}"""));
        _decide = i => Output(i, new() { Phase = "x" }) with { After = _inputs.Count == 1 ? [Create()] : [] };

        await _bed.PassAsync();
        var second = await _bed.PassAsync();
        Assert.Single(_inputs[1].Observed.Taken);
        Assert.Null(second.RequeueAfter);
        var asked = _bed.Api.Requests.Count;
        _bed.Time.Advance(TimeSpan.FromMinutes(1));
        await _bed.PassAsync();
        Assert.Empty(_inputs[2].Observed.Taken);
        Assert.Equal(asked, _bed.Api.Requests.Count);
    }

    [Theory]
    [InlineData("uid-1", true)]
    [InlineData("uid-0", false)]
    public async Task Create_of_a_name_that_exists_is_fine_when_ours_and_waits_for_that_of_an_earlier_object(string uid, bool goesOn)
    {
        _bed.Api.Put<V1Service>(Sample.Object($$$"""
            {"metadata":{"name":"assistant-api-api0000001","labels":{"ragoperator.dev/name":"assistant"},
             "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","name":"assistant","uid":"{{{uid}}}","controller":true}]}}
            """));
        _decide = i => Output(i, new() { Phase = "x" }) with { After = [Create(), new CreateRevisionService(Sample.Release(), "embedder")] };

        await _bed.PassAsync();

        Assert.Equal(goesOn, _bed.Api.Accepted.Contains("create services assistant-embedder-emb0000001"));
        await _bed.PassAsync();
        Assert.Empty(_inputs[1].Observed.Taken);
    }

    [Fact]
    public async Task Create_of_a_child_of_ours_that_lost_its_label_gives_it_back()
    {
        _bed.Api.Put<V1Service>(Sample.Object("""
            {"metadata":{"name":"assistant-api-api0000001",
             "ownerReferences":[{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","name":"assistant","uid":"uid-1","controller":true}]}}
            """));
        _decide = i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Services.Count == 0 ? [Create()] : [] };

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Contains("assistant-api-api0000001", _inputs[1].Observed.Services.Keys);
    }

    [Fact]
    public async Task Hand_that_takes_the_routes_label_as_soon_as_it_is_there_holds_up_no_write_although_the_cache_is_late()
    {
        await _bed.PassAsync();
        var labelled = _bed.Routes.Now;
        Strip();
        _bed.Api.Fault = r =>
        {
            if (r.Resource != "httproutes") return null;
            Strip();
            // What the watch tells next is from before.
            if (r.Verb == "get") _bed.Routes.Freeze(labelled);
            return null;
        };
        _decide = i => Output(i, new() { Phase = "x" }) with { After = [new ApplyRoute(Lowered, Ports, i.Observed.Route, null, Direction.Neutral)] };

        for (var passes = 0; passes < 4 && _bed.Weights()[New] > 0; passes++)
        {
            await _bed.PassAsync();
            _bed.Routes.Thaw();
        }

        Assert.Equal(0, _bed.Weights()[New]);

        void Strip()
        {
            if (_bed.Api.Raw<V1HTTPRoute>("assistant")!["metadata"]!["labels"] is JsonObject { Count: > 0 }) _bed.Api.Change<V1HTTPRoute>("assistant", """{"metadata":{"labels":null}}""");
        }
    }

    [Fact]
    public async Task Routes_label_is_given_back_once_a_second_at_most_and_again_only_when_a_decision_was_written()
    {
        await _bed.PassAsync();
        var mayWrite = true;
        _bed.Api.Fault = r => mayWrite || r is not { Verb: "patch", Resource: "httproutes", Body: { } body } || body["spec"] is null ? null : new(ApiReason.Conflict, 409);
        _decide = i => Output(i, new() { Phase = "x" }) with { After = [new ApplyRoute(Before, Ports, i.Observed.Route, null, Direction.Neutral)] };

        await StripAndPassAsync();
        Assert.Equal(1, GivenBack());
        // Within the second decisions are made without it.
        await StripAndPassAsync();
        await StripAndPassAsync();
        Assert.Equal(1, GivenBack());

        _bed.Time.Advance(TimeSpan.FromSeconds(1));
        await StripAndPassAsync();
        Assert.Equal(2, GivenBack());
        // Later, too, as long as nothing could be written in between.
        mayWrite = false;
        _bed.Time.Advance(TimeSpan.FromMinutes(1));
        await StripAndPassAsync();
        await StripAndPassAsync();
        Assert.Equal(2, GivenBack());
        mayWrite = true;
        await StripAndPassAsync();
        await StripAndPassAsync();
        Assert.Equal(3, GivenBack());

        int GivenBack() => _bed.Api.Requests.Count(static r => r is { Verb: "patch", Resource: "httproutes", Body: { } body } && body["spec"] is null);

        Task StripAndPassAsync()
        {
            _bed.Api.Change<V1HTTPRoute>("assistant", """{"metadata":{"labels":null}}""");
            return _bed.PassAsync();
        }
    }

    [Fact]
    public async Task Lowering_that_meets_a_conflict_is_read_again_and_repeated_at_once()
    {
        _decide = i => Output(i, new() { Phase = "x" }) with { After = [Lower(i)] };
        var touched = 0;
        _bed.Api.Fault = r =>
        {
            if (r is { Verb: "patch", Resource: "httproutes" } && touched++ < 3) PutStatus();
            return null;
        };

        Assert.True((await _bed.PassAsync()).IsSuccess);

        Assert.Equal(0, _bed.Weights()[New]);
    }

    [Fact]
    public async Task Lowering_that_would_raise_by_now_is_not_repeated()
    {
        Backend[] less = [new(Old, 95), new(New, 5)];
        _decide = i => Output(i, new() { Phase = "x" }) with { After = [new ApplyRoute(less, Ports, i.Observed.Route, null, Direction.Lowers)] };
        var touched = false;
        _bed.Api.Fault = r =>
        {
            if (r is not { Verb: "patch", Resource: "httproutes" } || touched) return null;
            touched = true;
            PutRoute(Lowered);
            return null;
        };

        await _bed.PassAsync();

        Assert.Equal(0, _bed.Weights()[New]);
    }

    [Fact]
    public async Task Lowering_that_is_refused_for_the_users_part_of_the_route_changes_the_weights_alone()
    {
        _decide = i => Output(i, new() { Phase = "x", PolicyRevision = "p" }) with { Before = i.Observed.Policies.Count == 0 ? [new CreatePolicy("p")] : [], After = [Lower(i)] };
        _bed.Api.Change<RagDeployment>("assistant", FullSpec("BAD"));
        _bed.Api.Fault = static r => r is { Verb: "patch", Resource: "httproutes" } && r.Body!["spec"]!["hostnames"]?[0]?.GetValue<string>() == "BAD"
            ? new(ApiReason.Invalid, 422, "spec.hostnames[0]: Invalid value")
            : null;

        Assert.True((await _bed.PassAsync()).IsSuccess);

        Assert.Equal(2, _bed.Api.Requests.Count(static r => r is { Verb: "patch", Resource: "httproutes" }));
        Assert.Equal(0, _bed.Weights()[New]);
    }

    [Fact]
    public async Task Lowering_of_flags_that_meets_a_conflict_is_repeated_only_while_no_flag_goes_on()
    {
        var on = FeatureFlags(("a", true), ("b", true));
        var off = FeatureFlags(("a", true), ("b", false));
        _bed.Api.Put<V1ConfigMap>(Operator.FeatureFlags.FlagsConfigMap.Body(Sample.Owner, "api", "r1", on));
        _bed.Api.Put<V1ConfigMap>(Operator.FeatureFlags.FlagsConfigMap.Body(Sample.Owner, "api", "r2", on));
        _decide = i => Output(i, new() { Phase = "x" }) with
        {
            After =
            [
                new ApplyFlags("api", "r1", off, i.Observed.FlagMaps["assistant-api-r1-flags"], Direction.Lowers),
                new ApplyFlags("api", "r2", off, i.Observed.FlagMaps["assistant-api-r2-flags"], Direction.Lowers),
            ],
        };
        var touched = new HashSet<string>();
        _bed.Api.Fault = r =>
        {
            if (r is not { Verb: "patch", Resource: "configmaps" } || !touched.Add(r.Key.Name)) return null;
            // r1: touched without meaning; r2: somebody turned both off
            if (r.Key.Name == "assistant-api-r1-flags") _bed.Api.Change<V1ConfigMap>(r.Key.Name, """{"metadata":{"annotations":{"x":"y"}}}""");
            else _bed.Api.Change<V1ConfigMap>(r.Key.Name, new JsonObject { ["data"] = Operator.FeatureFlags.FlagsConfigMap.Body(Sample.Owner, "api", "r2", FeatureFlags(("a", false), ("b", false)))["data"]!.DeepClone() }.ToJsonString());
            return null;
        };

        await _bed.PassAsync();

        Assert.Equal(off, Flags("assistant-api-r1-flags"));
        Assert.Equal(FeatureFlags(("a", false), ("b", false)), Flags("assistant-api-r2-flags"));
    }

    [Fact]
    public async Task RemoveRequest_goes_after_the_status_with_its_new_version()
    {
        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"pause/current"}}}""");
        _decide = i => Output(i, new() { Phase = "x" }) with { After = i.Request is { } r ? [new RemoveRequest(r)] : [] };

        Assert.True((await _bed.PassAsync()).IsSuccess);
        await _bed.PassAsync();

        Assert.Equal("pause/current", _inputs[0].Request);
        Assert.Null(_inputs[1].Request);
        Assert.Equal("x", _bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Status_fields_that_are_gone_are_taken_away_and_unknown_ones_stay()
    {
        _bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"Healthy","message":"old","step":{"name":"a"},"future":1}}""");
        _decide = static i => Output(i, new() { ObservedGeneration = 4, Phase = "Healthy" });

        await _bed.PassAsync();

        Same.Json("""{"phase":"Healthy","future":1,"observedGeneration":4}""", _bed.Api.Raw<RagDeployment>("assistant")!["status"]);
    }

    [Fact]
    public async Task Memory_is_forgotten_when_somebody_else_wrote_the_status()
    {
        _decide = static i => Output(i, new() { Phase = "x" }) with { Memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch } };

        await _bed.PassAsync();
        await _bed.PassAsync();
        _bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"by hand"}}""");
        await _bed.PassAsync();

        Assert.Equal(DateTimeOffset.UnixEpoch, _inputs[1].Memory.CreditedTo);
        Assert.Null(_inputs[2].Memory.CreditedTo);
    }

    [Fact]
    public async Task Nothing_is_decided_from_a_cache_older_than_the_own_last_write()
    {
        _decide = static i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Services.Count == 0 ? [Create()] : [] };
        _bed.Services.Freeze();

        await _bed.PassAsync();
        var waits = await _bed.PassAsync();
        Assert.Single(_inputs);
        Assert.InRange(waits.RequeueAfter!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1));

        _bed.Services.Thaw();
        await _bed.PassAsync();
        Assert.Equal(2, _inputs.Count);
        Assert.Single(_inputs[1].Observed.Services);
    }

    [Fact]
    public async Task Nothing_is_decided_after_a_start_before_the_caches_show_what_is_really_there()
    {
        _bed.Objects.Freeze();
        _bed.Routes.Freeze();
        PutRoute(Lowered);
        _bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"newer"}}""");

        await _bed.Controller.ReconcileAsync(_bed.Objects.Items.Single(), CancellationToken.None);
        _bed.Objects.Thaw();
        await _bed.PassAsync();
        Assert.Empty(_inputs);

        _bed.Routes.Thaw();
        await _bed.PassAsync();
        Assert.Equal("newer", Assert.Single(_inputs).Persisted!.Phase);
        Assert.Equal(Lowered, _inputs[0].Observed.Route!.Backends);
    }

    [Fact]
    public async Task Write_whose_answer_was_lost_is_read_live_before_the_next_decision()
    {
        _decide = i => Output(i, new() { Phase = "x" }) with { After = i.Observed.Services.Count == 0 ? [Create()] : [] };
        _bed.Services.Freeze();
        _bed.Api.Fault = r =>
        {
            if (r is not { Verb: "create", Resource: "services" }) return null;
            _bed.Api.Put<V1Service>(r.Body!.DeepClone().AsObject());
            return new(ApiReason.Transport, 0, "connection reset");
        };

        await _bed.PassAsync();
        await _bed.PassAsync();
        Assert.Single(_inputs);

        _bed.Services.Thaw();
        await _bed.PassAsync();
        Assert.Single(_inputs[1].Observed.Services);
    }

    [Fact]
    public async Task Deletion_in_progress_is_left_alone()
    {
        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}""");
        _decide = static i => Output(i, new() { Phase = "x" }) with { After = [Create()] };

        Assert.True((await _bed.PassAsync()).IsSuccess);

        Assert.Empty(_inputs);
        Assert.Empty(_bed.Api.Requests);
    }

    [Fact]
    public async Task Deletion_of_a_child_is_not_decided_again_while_the_cache_shows_it()
    {
        _bed.Api.Put<V1Service>(Operator.Workloads.WorkloadManifests.RevisionService(Sample.Owner, Sample.Release(), "api"));
        _bed.Services.Freeze();
        _decide = static i => Output(i, new() { Phase = "x" }) with { After = [.. i.Observed.Services.Values.Select(static s => new DeleteChild(ChildKind.Service, s))] };

        await _bed.PassAsync();
        await _bed.PassAsync();
        Assert.Single(_inputs);
        Assert.Equal(1, _bed.Api.Requests.Count(static r => r.Verb == "delete"));

        _bed.Services.Thaw();
        await _bed.PassAsync();
        Assert.Empty(_inputs[1].Observed.Services);
    }

    [Fact]
    public async Task Route_kind_that_is_missing_is_told_and_looked_for_again()
    {
        _bed.Routes.State = CacheState.KindMissing;
        _bed.Routes.HasSynced = false;

        var result = await _bed.PassAsync();

        Assert.False(_inputs[0].Observed.RouteKindKnown);
        Assert.Null(_inputs[0].Observed.Route);
        Assert.NotNull(result.RequeueAfter);
    }

    [Fact]
    public async Task Route_cache_without_a_first_list_is_waited_for()
    {
        _bed.Routes.State = CacheState.Listing;
        _bed.Routes.HasSynced = false;

        await _bed.PassAsync();

        Assert.Empty(_inputs);
    }

    [Fact]
    public async Task External_services_are_counted_only_while_asked_for()
    {
        _bed.Api.Put<V1Endpoints>(Sample.Object("""{"metadata":{"name":"qdrant"},"subsets":[{"addresses":[{"ip":"10.1.0.1"}]}]}"""));
        _bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"cloud"},"spec":{"type":"ExternalName","externalName":"x.example.com"}}"""));
        _decide = i => Output(i, new() { Phase = "x" }) with { Externals = _inputs.Count < 3 ? ["qdrant", "cloud", "absent"] : [] };

        var first = await _bed.PassAsync();
        await _bed.PassAsync();
        await _bed.PassAsync();
        await _bed.PassAsync();
        var reads = _bed.Api.Requests.Count(static r => r.Resource == "endpoints");
        _bed.Time.Advance(TimeSpan.FromMinutes(1));
        await _bed.PassAsync();

        Assert.True(first.RequeueAfter < TimeSpan.FromSeconds(1));
        Assert.Equal(new Dictionary<string, int> { ["qdrant"] = 1, ["cloud"] = 1, ["absent"] = 0 }, _inputs[1].Observed.ExternalAddresses);
        Assert.Equal(3, reads);
        Assert.Equal(reads, _bed.Api.Requests.Count(static r => r.Resource == "endpoints"));
    }

    [Fact]
    public async Task External_service_that_may_not_be_read_is_told_once()
    {
        _bed.Api.Fault = static r => r.Resource == "endpoints" ? new(ApiReason.Forbidden, 403, "may not get endpoints") : null;
        _decide = static i => Output(i, new() { Phase = "x" }) with { Externals = ["qdrant"] };
        for (var looks = 0; looks < 3; looks++)
        {
            await _bed.PassAsync();
            _bed.Time.Advance(TimeSpan.FromMinutes(1));
        }

        var told = Assert.Single(_bed.Warnings);
        Assert.Contains("qdrant, which cannot be read", told, StringComparison.Ordinal);
        Assert.Contains("may not get endpoints", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reaction_of_a_rollback_is_told_once_from_the_deciding_sample()
    {
        var sample = _bed.Time.GetUtcNow();
        _bed.Api.Put<V1ControllerRevision>(Operator.Workloads.RevisionRecords.OfRelease(Sample.Owner, Sample.Release()));
        Backend[] zero = [new(Old, 100), new("assistant-api-api0000001", 0)];
        _decide = i => Output(i, new() { Phase = "x", Rollback = new() { Release = Sample.Hash, Cause = "SlaBreach", SampleAt = sample, DecidedAt = sample } }) with
        {
            After = [new ApplyRoute(zero, new Dictionary<string, int> { [Old] = 1, ["assistant-api-api0000001"] = 1 }, i.Observed.Route, null, Direction.Lowers)],
        };
        _bed.Time.Advance(TimeSpan.FromMilliseconds(700));

        await _bed.PassAsync();
        await _bed.PassAsync();

        Assert.Equal([TimeSpan.FromMilliseconds(700)], _bed.Reactions);
    }

    [Fact]
    public async Task NextLook_is_when_the_host_comes_back()
    {
        _decide = i => Output(i, new() { Phase = "x" }) with { NextLook = i.Now + TimeSpan.FromSeconds(42) };

        Assert.Equal(TimeSpan.FromSeconds(42), (await _bed.PassAsync()).RequeueAfter);
    }

    private static EngineOutput Output(EngineInput input, RagDeploymentStatus status) => new()
    {
        Status = status,
        StatusDue = true,
        Memory = input.Memory,
    };

    private static CreateRevisionService Create() => new(Sample.Release(), "api");

    private static ApplyRoute Lower(EngineInput input) => new(Lowered, Ports, input.Observed.Route, Note, Direction.Lowers);

    private static Dictionary<string, bool> FeatureFlags(params (string Name, bool On)[] flags) => flags.ToDictionary(static f => f.Name, static f => f.On);

    private IReadOnlyDictionary<string, bool>? Flags(string name) =>
        Operator.FeatureFlags.FlagFiles.Read(_bed.Api.All<V1ConfigMap>().Single(c => c.Name() == name).Data);

    private static string FullSpec(string host) => """
        {"spec":{"components":[{"name":"api","ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"i"}]}}}],
         "traffic":{"gatewayApi":{"parentRefs":[{"name":"public","namespace":"gateways"}],"hostnames":["HOST"]}}}}
        """.Replace("HOST", host, StringComparison.Ordinal);

    private void PutRoute(Backend[] backends)
    {
        _bed.Api.Remove<V1HTTPRoute>("assistant");
        _bed.Api.Put<V1HTTPRoute>(new GatewayApiRouter().Create(
            Sample.Owner, new DesiredTraffic(Sample.Element("""{"parentRefs":[{"name":"public","namespace":"gateways"}]}"""), backends, Ports)));
    }

    private void PutStatus() => _bed.Api.Change<V1HTTPRoute>("assistant", """{"status":{"parents":[]}}""");
}
