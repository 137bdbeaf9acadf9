using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>The real decisions on a fake cluster: what a user would see.</summary>
public sealed class WholeRolloutTests
{
    private readonly ControllerBed _bed = new();

    [Fact]
    public async Task First_install_serves_all_traffic_and_then_writes_nothing()
    {
        await InstallAsync();

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
        Assert.Equal([100], _bed.Weights().Values);
        Assert.Equal(["embedder", "api"], Deployments().Select(static d => d.GetLabel("ragoperator.dev/component")));
        Assert.NotNull(_bed.Api.Raw<V1Service>("assistant"));
        Assert.NotNull(_bed.Api.Raw<V1Service>("assistant-api"));

        var before = _bed.Api.Requests.Count;
        _bed.Time.Advance(TimeSpan.FromHours(1));
        await _bed.PassAsync();
        await _bed.PassAsync();
        Assert.Equal(before, _bed.Api.Requests.Count);
    }

    [Fact]
    public async Task Release_that_changes_the_entry_alone_shares_the_rest_and_takes_over_step_by_step()
    {
        await InstallAsync();
        var embedder = Deployments().Single(static d => d.GetLabel("ragoperator.dev/component") == "embedder");

        _bed.Api.Change<RagDeployment>("assistant", Spec("2.1"));
        await _bed.SettleAsync();
        Assert.Equal([90, 10], _bed.Weights().Values.OrderDescending());
        Assert.Equal(3, Deployments().Count);

        await PassHoldAsync();
        Assert.Equal([50, 50], _bed.Weights().Values);
        await PassHoldAsync();
        await PassHoldAsync();

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
        Assert.Equal([100], _bed.Weights().Values);
        _bed.Time.Advance(TimeSpan.FromMinutes(5));
        await _bed.SettleAsync();
        Assert.Equal(2, Deployments().Count);
        var kept = Deployments().Single(static d => d.GetLabel("ragoperator.dev/component") == "embedder");
        Assert.Equal((embedder.Uid(), embedder.Metadata.Generation), (kept.Uid(), kept.Metadata.Generation));
    }

    [Fact]
    public async Task Abort_takes_the_release_back_and_holds_through_a_restart()
    {
        await InstallAsync();
        _bed.Api.Change<RagDeployment>("assistant", Spec("2.1"));
        await _bed.SettleAsync();

        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"abort/current"}}}""");
        await _bed.SettleAsync();
        Held();

        _bed.Start();
        await _bed.SettleAsync();
        Held();
        Assert.Single(_bed.Reactions);
        Assert.Null(_bed.Object.GetAnnotation("ragoperator.dev/request"));

        void Held()
        {
            Assert.Equal("Degraded", _bed.Object.Status!.Phase);
            Assert.Equal([100], _bed.Weights().Values);
            Assert.Contains(_bed.Events, static e => e.Reason == "RolledBack");
        }
    }

    [Fact]
    public async Task Rollback_goes_on_while_the_status_cannot_be_written_and_is_recorded_later()
    {
        await InstallAsync();
        _bed.Api.Change<RagDeployment>("assistant", Spec("2.1"));
        await _bed.SettleAsync();
        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"abort/current"}}}""");
        _bed.Api.Fault = static r => r.Resource == "ragdeployments/status" ? new(ApiReason.Invalid, 422, "tightened") : null;

        for (var i = 0; i < 3; i++) await _bed.PassAsync();
        Assert.Equal(0, _bed.Weights().Values.Min());
        Assert.NotNull(Route().GetAnnotation("ragoperator.dev/rolled-back"));

        // a new process must find the decision, and raise nothing
        _bed.Api.Fault = static _ => null;
        _bed.Start();
        await _bed.SettleAsync();
        Assert.Equal("Degraded", _bed.Object.Status!.Phase);
        Assert.Null(Route().GetAnnotation("ragoperator.dev/rolled-back"));
        Assert.Equal([100], _bed.Weights().Values);
    }

    [Fact]
    public async Task Template_that_the_server_refuses_is_named_and_leaves_what_runs_alone()
    {
        await InstallAsync();
        var before = Deployments().Select(static d => (d.Name(), d.ResourceVersion())).ToList();
        _bed.Api.Fault = static r => r is { DryRun: true, Resource: "deployments" }
            ? new(ApiReason.Invalid, 422, "Deployment.apps is invalid", new V1Status
            {
                Details = new() { Causes = [new() { Field = "spec.template.spec.containers[0].image", Message = "Required value" }] },
            })
            : null;

        _bed.Api.Change<RagDeployment>("assistant", Spec("2.1"));
        await _bed.SettleAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "InvalidSpec"), (stalled.Status, stalled.Reason));
        Assert.Contains("component api: Deployment spec.template.spec.containers[0].image: Required value", stalled.Message, StringComparison.Ordinal);
        Assert.Equal(before, Deployments().Select(static d => (d.Name(), d.ResourceVersion())));
    }

    [Fact]
    public async Task Route_that_the_server_refuses_is_named_though_the_release_stays()
    {
        await InstallAsync();
        _bed.Api.Fault = static r => r is { DryRun: true, Resource: "httproutes" }
            ? new(ApiReason.Invalid, 422, "HTTPRoute is invalid", new V1Status { Details = new() { Causes = [new() { Field = "spec.hostnames[0]", Message = "should match" }] } })
            : null;
        var accepted = _bed.Api.Raw<V1HTTPRoute>("assistant")!["spec"]!.ToJsonString();

        _bed.Api.Change<RagDeployment>("assistant", """{"spec":{"traffic":{"gatewayApi":{"hostnames":["not_a_host"]}}}}""");
        await _bed.SettleAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "InvalidSpec"), (stalled.Status, stalled.Reason));
        Assert.Contains("spec.traffic.gatewayApi: HTTPRoute spec.hostnames[0]: should match", stalled.Message, StringComparison.Ordinal);
        Assert.Equal(accepted, _bed.Api.Raw<V1HTTPRoute>("assistant")!["spec"]!.ToJsonString());
    }

    [Fact]
    public async Task Name_that_somebody_else_holds_is_named_before_anything_is_made()
    {
        _bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"assistant","managedFields":[{"manager":"kubectl","operation":"Update"}]}}"""));

        _bed.Apply(SpecOf("2.0"));
        await _bed.SettleAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "NameTaken"), (stalled.Status, stalled.Reason));
        Assert.Contains("Service rag/assistant is held by manager kubectl", stalled.Message, StringComparison.Ordinal);
        Assert.Empty(Deployments());
    }

    [Theory]
    [InlineData(403, ApiReason.Forbidden, "pods is forbidden: exceeded quota: small", true)]
    [InlineData(403, ApiReason.Forbidden, "admission webhook denied the request: no latest tags", false)]
    public async Task Quota_in_a_dry_run_is_no_fault_of_the_spec_but_a_policy_is(int code, ApiReason reason, string message, bool accepted)
    {
        _bed.Api.Fault = r => r is { DryRun: true, Resource: "deployments" } ? new(reason, code, message) : null;

        _bed.Apply(SpecOf("2.0"));
        await _bed.SettleAsync();

        Assert.Equal(accepted ? "Healthy" : "Degraded", _bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Right_that_the_operator_lacks_is_no_fault_of_the_spec()
    {
        const string Message = "deployments.apps \"assistant-api\" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>";
        _bed.Api.Fault = r => r is { DryRun: true, Resource: "deployments" } ? new(ApiReason.Forbidden, 403, Message) : null;

        _bed.Apply(SpecOf("2.0"));
        await _bed.SettleAsync();

        Assert.DoesNotContain(_bed.Object.Status?.Conditions ?? [], static c => c.Reason == "InvalidSpec");
        Assert.Empty(Deployments());

        _bed.Api.Fault = static _ => null;
        await _bed.SettleAsync();

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Object_restored_without_status_finds_its_stable_and_restarts_nothing()
    {
        await InstallAsync();
        var before = Deployments().Select(static d => (d.Name(), d.Metadata.Generation)).ToList();

        _bed.Api.Change<RagDeployment>("assistant", """{"status":null}""");
        _bed.Start();
        await _bed.SettleAsync();

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
        Assert.Equal(before, Deployments().Select(static d => (d.Name(), d.Metadata.Generation)));
    }

    [Fact]
    public async Task Orphans_are_adopted_without_a_restart()
    {
        await InstallAsync();
        var before = Deployments().Select(static d => (d.Name(), d.Metadata.Generation)).ToList();
        DeleteObjectAlone();

        _bed.Apply(SpecOf("2.0"), "uid-2");
        await _bed.SettleAsync();

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
        Assert.Equal(before, Deployments().Select(static d => (d.Name(), d.Metadata.Generation)));
        Assert.All(Deployments(), static d => Assert.Equal("uid-2", d.GetController()!.Uid));
    }

    [Fact]
    public async Task Object_seen_before_the_Services_that_were_restored_first_is_no_first_install()
    {
        await InstallAsync();
        DeleteObjectAlone();
        _bed.Api.Remove<V1HTTPRoute>("assistant");
        var services = _bed.Api.All<V1Service>().Select(s => _bed.Api.Raw<V1Service>(s.Name())!.DeepClone().AsObject()).ToList();
        foreach (var service in services) _bed.Api.Remove<V1Service>(service["metadata"]!["name"]!.GetValue<string>());
        _bed.Services.Freeze();
        foreach (var service in services) _bed.Api.Put<V1Service>(service);

        _bed.Apply(SpecOf("2.1"), "uid-2");
        var from = _bed.Api.Requests.Count;
        for (var passes = 0; passes < 5; passes++) await _bed.PassAsync();
        Assert.DoesNotContain(_bed.Api.Requests.Skip(from), static r => r.IsWrite);

        _bed.Services.Thaw();
        await _bed.SettleAsync();
        Assert.Equal([90, 10], _bed.Weights().Values.OrderDescending());
    }

    [Fact]
    public async Task Route_changed_by_hand_is_put_right()
    {
        await InstallAsync();
        _bed.Api.Change<V1HTTPRoute>("assistant", """{"spec":{"hostnames":["evil.example.com"]}}""");

        await _bed.SettleAsync();

        Assert.False(Route().Spec!.Value.TryGetProperty("hostnames", out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Children_that_lose_their_labels_get_them_back_and_pass_for_nothing_else(bool restarted)
    {
        await InstallAsync();
        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"a":"b"}}}""");
        await _bed.SettleAsync();
        var route = Route().Uid();
        var deployment = Deployments().First().Name();
        var record = _bed.Api.All<V1ControllerRevision>().First(static r => r.GetLabel("ragoperator.dev/record") == "release").Name();
        const string Bare = """{"metadata":{"labels":null}}""";
        _bed.Api.Change<V1HTTPRoute>("assistant", Bare);
        _bed.Api.Change<V1Deployment>(deployment, Bare);
        _bed.Api.Change<V1ControllerRevision>(record, Bare);
        if (restarted) _bed.Start();
        var from = _bed.Api.Requests.Count;

        await _bed.SettleAsync();

        Assert.Equal("assistant", Route().GetLabel("ragoperator.dev/name"));
        Assert.Equal(route, Route().Uid());
        Assert.NotNull(Deployments().Single(d => d.Name() == deployment).GetLabel("ragoperator.dev/revision"));
        Assert.Equal("release", _bed.Api.All<V1ControllerRevision>().Single(r => r.Name() == record).GetLabel("ragoperator.dev/record"));
        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
        Assert.DoesNotContain(_bed.Api.Requests.Skip(from), static r => r is { Verb: "delete", Accepted: true } or { Verb: "create", Accepted: true });
    }

    [Fact]
    public async Task Stable_services_changed_by_hand_are_put_right()
    {
        await InstallAsync();
        var wanted = _bed.Api.Raw<V1Service>("assistant")!["spec"]!.DeepClone();
        _bed.Api.Change<V1Service>("assistant", """{"spec":{"selector":{"x":"y"},"ports":[]}}""");

        await _bed.SettleAsync();

        Same.Json(wanted.ToJsonString(), _bed.Api.Raw<V1Service>("assistant")!["spec"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Field_that_the_clusters_route_does_not_have_is_refused_by_name_before_anything_changes(bool installed)
    {
        // As servers before 1.25 do: they do not refuse it, they forget it.
        _bed.Api.Prune = static (plural, body) =>
        {
            if (plural == "httproutes") body["spec"]!["parentRefs"]![0]!.AsObject().Remove("sectonName");
        };
        var wrong = SpecOf("2.0").Replace("\"namespace\":\"gateways\"", "\"namespace\":\"gateways\",\"sectonName\":\"https\"", StringComparison.Ordinal);
        if (installed)
        {
            await InstallAsync();
            _bed.Api.Change<RagDeployment>("assistant", $$"""{"spec":{{wrong}}}""");
        }
        else
        {
            _bed.Apply(wrong);
        }

        var from = _bed.Api.Requests.Count;
        await _bed.SettleAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "InvalidSpec"), (stalled.Status, stalled.Reason));
        Assert.Contains("spec.traffic.gatewayApi.parentRefs[0].sectonName: \"https\": is not a field of this cluster's HTTPRoute", stalled.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_bed.Api.Requests.Skip(from), static r => r.IsWrite && r.Resource != "ragdeployments/status");

        _bed.Api.Change<RagDeployment>("assistant", $$"""{"spec":{{SpecOf("2.0").Replace("\"gateways\"", "\"gateways\",\"sectonName\":null", StringComparison.Ordinal)}}}""");
        await _bed.SettleAsync();
        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
    }

    [Theory]
    [InlineData("""[{"filters":[{"type":"RequestRedirect","requestRedirect":{"scheme":"https"}}]}]""", "spec.traffic.gatewayApi.rules", "must have at least one rule without a requestRedirect filter")]
    [InlineData("""[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]""", "spec.rules[0].timeouts", "otherwise than it was written")]
    public async Task Route_that_could_never_be_as_written_is_refused_by_name(string rules, string place, string rule)
    {
        await InstallAsync();
        // As a webhook may.
        _bed.Api.Prune = static (plural, body) =>
        {
            if (plural == "httproutes") body["spec"]!["rules"]![0]!["timeouts"] = Sample.Object("""{"request":"10s"}""");
        };
        var from = _bed.Api.Requests.Count;
        _bed.Api.Change<RagDeployment>("assistant", """{"spec":{"traffic":{"gatewayApi":{"rules":RULES}}}}""".Replace("RULES", rules, StringComparison.Ordinal));
        await _bed.SettleAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "InvalidSpec"), (stalled.Status, stalled.Reason));
        Assert.Contains(place, stalled.Message, StringComparison.Ordinal);
        Assert.Contains(rule, stalled.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_bed.Api.Requests.Skip(from), static r => r is { IsWrite: true, Resource: "httproutes" });
    }

    [Fact]
    public async Task Route_edit_is_done_when_the_route_is_written_and_not_before()
    {
        await InstallAsync();
        var from = _bed.Api.Requests.Count;
        _bed.Api.Change<RagDeployment>("assistant", """{"spec":{"traffic":{"gatewayApi":{"hostnames":["assistant.example"]}}}}""");
        await _bed.SettleAsync();

        var phase = "Healthy";
        long? seen = null;
        var (written, well) = (-1, -1);
        foreach (var (index, request) in _bed.Api.Requests.Skip(from).Where(static r => r is { IsWrite: true, Accepted: true }).Index())
        {
            if (request is { Verb: "patch", Resource: "httproutes" } && written < 0) written = index;
            if (request.Resource != "ragdeployments/status" || request.Body!["status"] is not { } status) continue;
            phase = status["phase"]?.GetValue<string>() ?? phase;
            seen = status["observedGeneration"]?.GetValue<long>() ?? seen;
            if (well < 0 && phase == "Healthy" && seen == _bed.Object.Metadata.Generation) well = index;
        }

        Assert.True(written >= 0 && well > written, $"route written as number {written}, told to be done as number {well}");
        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Release_record_that_is_refused_leaves_the_running_rollout_judged_and_is_made_once_it_can_be()
    {
        await InstallAsync();
        _bed.Api.Change<RagDeployment>("assistant", Spec("2.1"));
        await _bed.SettleAsync();
        Assert.Equal([90, 10], _bed.Weights().Values.OrderDescending());
        _bed.Api.Fault = static r => r is { Verb: "create", Resource: "controllerrevisions", DryRun: false }
            ? new(ApiReason.Forbidden, 403, "exceeded quota: few, requested: count/controllerrevisions.apps=1") : null;
        _bed.Api.Change<RagDeployment>("assistant", """{"spec":{"rollout":{"progressDeadline":"20m"}}}""");
        for (var passes = 0; passes < 6; passes++) await _bed.PassAsync();
        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "NotRecorded"), (stalled.Status, stalled.Reason));
        Assert.Contains("exceeded quota", stalled.Message, StringComparison.Ordinal);

        // Told once and then the same, though it is tried again; only the hold's clock is written meanwhile.
        var told = new HashSet<string>(StringComparer.Ordinal);
        var tries = _bed.Api.Requests.Count(static r => r is { Verb: "create", Resource: "controllerrevisions", DryRun: false });
        for (var passes = 0; passes < 10; passes++)
        {
            _bed.Time.Advance(TimeSpan.FromSeconds(10));
            await _bed.PassAsync();
            told.Add($"{_bed.Object.Status!.Phase}: {_bed.Object.Status.Message}");
        }

        Assert.Single(told);
        Assert.InRange(_bed.Api.Requests.Count(static r => r is { Verb: "create", Resource: "controllerrevisions", DryRun: false }) - tries, 3, 7);
        Assert.Single(_bed.Events, static e => e.Reason == "WriteRefused");

        // What hurts is still taken back.
        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"abort/current"}}}""");
        for (var passes = 0; passes < 6; passes++) await _bed.PassAsync();
        Assert.Contains(100, _bed.Weights().Values);
        Assert.DoesNotContain(_bed.Weights().Values, static w => w == 10);

        _bed.Api.Fault = static _ => null;
        _bed.Time.Advance(TimeSpan.FromSeconds(20));
        await _bed.SettleAsync();
        Assert.NotEqual("NotRecorded", _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled").Reason);
    }

    [Fact]
    public async Task Record_whose_name_somebody_else_holds_is_told_and_the_running_rollout_is_judged_on()
    {
        await InstallAsync();
        _bed.Api.Change<RagDeployment>("assistant", Spec("2.1"));
        await _bed.SettleAsync();
        string? taken = null;
        _bed.Api.Fault = r =>
        {
            if (r is not { Verb: "create", Resource: "controllerrevisions", DryRun: false } || taken is not null) return null;
            taken = r.Body!["metadata"]!["name"]!.GetValue<string>();
            _bed.Api.Put<V1ControllerRevision>(Sample.Object($$"""{"metadata":{"name":"{{taken}}","ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"other","uid":"uid-other","controller":true}]},"revision":1}"""));
            return null;
        };
        _bed.Api.Change<RagDeployment>("assistant", """{"spec":{"rollout":{"progressDeadline":"20m"}}}""");
        for (var passes = 0; passes < 6; passes++) await _bed.PassAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal(("True", "NotRecorded"), (stalled.Status, stalled.Reason));
        Assert.Contains($"/{taken} is held by StatefulSet other", stalled.Message, StringComparison.Ordinal);
        Assert.Single(_bed.Events, static e => e.Reason == "WriteRefused");
        var tries = _bed.Api.Requests.Count(static r => r is { Verb: "create", Resource: "controllerrevisions", DryRun: false });
        for (var passes = 0; passes < 10; passes++)
        {
            _bed.Time.Advance(TimeSpan.FromSeconds(10));
            Assert.True((await _bed.PassAsync()).RequeueAfter >= TimeSpan.FromMilliseconds(50));
        }

        Assert.InRange(_bed.Api.Requests.Count(static r => r is { Verb: "create", Resource: "controllerrevisions", DryRun: false }) - tries, 3, 7);
        _bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"abort/current"}}}""");
        for (var passes = 0; passes < 6; passes++) await _bed.PassAsync();
        Assert.DoesNotContain(_bed.Weights().Values, static w => w == 10);

        _bed.Api.Remove<V1ControllerRevision>(taken!);
        _bed.Time.Advance(TimeSpan.FromSeconds(20));
        await _bed.SettleAsync();
        Assert.NotEqual("NotRecorded", _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled").Reason);
    }

    private void DeleteObjectAlone()
    {
        const string Orphaned = """{"metadata":{"ownerReferences":null}}""";
        foreach (var d in Deployments()) _bed.Api.Change<V1Deployment>(d.Name(), Orphaned);
        foreach (var s in _bed.Api.All<V1Service>().ToList()) _bed.Api.Change<V1Service>(s.Name(), Orphaned);
        foreach (var r in _bed.Api.All<V1ControllerRevision>().ToList()) _bed.Api.Change<V1ControllerRevision>(r.Name(), Orphaned);
        foreach (var c in _bed.Api.All<V1ConfigMap>().ToList()) _bed.Api.Change<V1ConfigMap>(c.Name(), Orphaned);
        _bed.Api.Change<V1HTTPRoute>("assistant", Orphaned);
        _bed.Api.Remove<RagDeployment>("assistant");
    }

    private async Task InstallAsync()
    {
        _bed.Apply(SpecOf("2.0"));
        await _bed.SettleAsync();
    }

    private async Task PassHoldAsync()
    {
        // the clock is only credited for time that was watched
        for (var i = 0; i < 12; i++)
        {
            _bed.Time.Advance(TimeSpan.FromMinutes(1));
            await _bed.PassAsync();
        }

        await _bed.SettleAsync();
    }

    private List<V1Deployment> Deployments() => [.. _bed.Api.All<V1Deployment>()];

    private V1HTTPRoute Route() => _bed.Api.All<V1HTTPRoute>().Single();

    private static string Spec(string tag) => $$"""{"spec":{{SpecOf(tag)}}}""";

    private static string SpecOf(string tag) => """
        {"components":[
          {"name":"embedder","replicas":2,"ports":[{"name":"http","port":8003}],"template":{"spec":{"containers":[{"name":"embedder","image":"registry.example/embedder:1.4"}]}}},
          {"name":"api","dependsOn":["embedder"],"replicas":4,"ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"registry.example/api:TAG"}]}}}],
         "traffic":{"gatewayApi":{"parentRefs":[{"name":"public","namespace":"gateways"}]}},
         "rollout":{"steps":[{"name":"canary","weight":10,"hold":"10m"},{"name":"half","weight":50,"hold":"10m"},{"name":"full","weight":100,"hold":"10m"}]}}
        """.Replace("TAG", tag, StringComparison.Ordinal);
}
