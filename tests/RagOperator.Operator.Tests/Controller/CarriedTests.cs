using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A policy of the cluster wants labels on what is made: spec brings them there, and no pod is started for them.</summary>
public sealed class CarriedTests
{
    private readonly ControllerBed _bed = new();

    [Fact]
    public async Task Policy_that_wants_a_label_names_kind_and_name_and_is_met_at_once()
    {
        _bed.Api.Fault = static r => r.Verb == "create" && r.Resource is "deployments" or "services" && r.Body?["metadata"]?["labels"]?["cost-center"] is null
            ? new(ApiReason.Forbidden, 403, "admission webhook \"policy\" denied the request: you must provide labels: {\"cost-center\"}") : null;
        _bed.Apply(SpecOf("", ""));
        await _bed.SettleAsync();
        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal("InvalidSpec", stalled.Reason);
        Assert.Contains("component api: Service assistant-api: admission webhook", stalled.Message, StringComparison.Ordinal);
        Assert.Contains("spec.traffic: Service assistant: admission webhook", stalled.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("gatewayApi", stalled.Message, StringComparison.Ordinal);

        _bed.Api.Change<RagDeployment>("assistant", Spec("4711", "4711"));
        await _bed.SettleAsync();

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
        Assert.All(_bed.Api.All<V1Deployment>(), static d => Assert.Equal("4711", d.GetLabel("cost-center")));
        Assert.All(_bed.Api.All<V1Service>(), static s => Assert.Equal("4711", s.GetLabel("cost-center")));
        Assert.Equal("4711", _bed.Api.All<V1HTTPRoute>().Single().GetLabel("cost-center"));
        Assert.All(_bed.Api.All<V1Deployment>(), d => Assert.Null(_bed.Api.Raw<V1Deployment>(d.Name())!["spec"]!["template"]!["metadata"]!["labels"]!["cost-center"]));
    }

    [Fact]
    public async Task What_exists_follows_spec_without_a_rollout_and_what_somebody_else_wrote_stays()
    {
        _bed.Apply(SpecOf("", ""));
        await _bed.SettleAsync();
        var before = Templates();
        var release = _bed.Object.Status!.StableRevision;
        var deployment = _bed.Api.All<V1Deployment>().Single().Name();
        _bed.Api.Change<V1Deployment>(deployment, """{"metadata":{"labels":{"theirs":"x"}}}""");

        _bed.Api.Change<RagDeployment>("assistant", Spec("4711", "", minReadySeconds: 7));
        await _bed.SettleAsync();
        var made = _bed.Api.Raw<V1Deployment>(deployment)!;
        Assert.Equal(("4711", "search", 7), ((string?)made["metadata"]!["labels"]!["cost-center"], (string?)made["metadata"]!["annotations"]!["owner"], (int?)made["spec"]!["minReadySeconds"]));
        Assert.Equal(("Healthy", release), (_bed.Object.Status!.Phase, _bed.Object.Status!.StableRevision));
        Assert.Null(_bed.Api.Raw<V1Service>("assistant")!["metadata"]!["labels"]!["cost-center"]);
        Assert.Equal("4711", (string?)_bed.Api.Raw<V1Service>("assistant-api")!["metadata"]!["labels"]!["cost-center"]);

        var writes = _bed.Api.Accepted.Count();
        _bed.Time.Advance(TimeSpan.FromHours(1));
        await _bed.PassAsync();
        await _bed.PassAsync();
        Assert.Equal(writes, _bed.Api.Accepted.Count());

        _bed.Api.Change<RagDeployment>("assistant", Spec("", ""));
        await _bed.SettleAsync();
        made = _bed.Api.Raw<V1Deployment>(deployment)!;
        Assert.Equal("x", (string?)made["metadata"]!["labels"]!["theirs"]);
        Assert.Null(made["metadata"]!["labels"]!["cost-center"]);
        Assert.Null(made["metadata"]!["annotations"]?["owner"]);
        Assert.Null(made["metadata"]!["annotations"]?["ragoperator.dev/carried"]);
        Assert.Equal(0, (int?)made["spec"]!["minReadySeconds"]);
        Assert.Equal(before, Templates());
    }

    [Fact]
    public async Task Label_that_somebody_changes_in_every_write_is_not_written_for_ever()
    {
        _bed.Apply(SpecOf("", ""));
        await _bed.SettleAsync();
        _bed.Api.Prune = static (plural, body) =>
        {
            if (plural == "services" && body["metadata"]!["labels"] is JsonObject labels && labels.ContainsKey("cost-center")) labels["cost-center"] = "theirs";
        };

        _bed.Api.Change<RagDeployment>("assistant", Spec("4711", "4711"));
        await _bed.SettleAsync(); // throws where the writing never ends

        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
    }

    [Fact]
    public async Task Field_that_the_server_drops_from_a_pod_template_is_named_and_what_admission_adds_is_not()
    {
        _bed.Api.Prune = static (plural, body) =>
        {
            if (plural != "deployments" || body["spec"]!["template"]!["spec"] is not JsonObject pod) return;
            foreach (var container in pod["containers"]!.AsArray().OfType<JsonObject>())
            {
                container.Remove("redinessProbe");
                container.Remove("stdin"); // false
                container.Remove("args"); // empty
                container["imagePullPolicy"] = "IfNotPresent";
            }

            pod["containers"]!.AsArray().Insert(0, Sample.Object("""{"name":"mesh"}"""));
        };
        _bed.Apply(SpecOf("", "").Replace("\"name\":\"api\",\"image\"", "\"name\":\"api\",\"stdin\":false,\"args\":[],\"redinessProbe\":{\"httpGet\":{\"path\":\"/secret\"}},\"image\"", StringComparison.Ordinal));
        await _bed.SettleAsync();

        var stalled = _bed.Object.Status!.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal("InvalidSpec", stalled.Reason);
        Assert.Contains("component api: template.spec.containers[0].redinessProbe: is not a field of this cluster's Deployment", stalled.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", stalled.Message, StringComparison.Ordinal);
        Assert.Empty(_bed.Api.All<V1Deployment>());

        _bed.Api.Change<RagDeployment>("assistant", Spec("", ""));
        await _bed.SettleAsync();
        Assert.Equal("Healthy", _bed.Object.Status!.Phase);
    }

    private List<string> Templates() => [.. _bed.Api.All<V1Deployment>().Select(d => _bed.Api.Raw<V1Deployment>(d.Name())!["spec"]!["template"]!.ToJsonString())];

    private static string Spec(string component, string traffic, int? minReadySeconds = null) => $$"""{"spec":{{SpecOf(component, traffic, minReadySeconds)}}}""";

    private static string SpecOf(string component, string traffic, int? minReadySeconds = null)
    {
        var spec = Sample.Object("""
            {"components":[{"name":"api","ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"registry.example/api:1"}]}}}],
             "traffic":{"gatewayApi":{"parentRefs":[{"name":"public","namespace":"gateways"}]},"metadata":null}}
            """);
        var api = spec["components"]![0]!.AsObject();
        if (component.Length > 0) api["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["cost-center"] = component }, ["annotations"] = new JsonObject { ["owner"] = "search" } };
        if (minReadySeconds is { } seconds) api["minReadySeconds"] = seconds;
        if (traffic.Length > 0) spec["traffic"]!["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["cost-center"] = traffic } };
        return spec.ToJsonString();
    }
}
