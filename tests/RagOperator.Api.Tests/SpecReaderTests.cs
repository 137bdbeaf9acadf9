using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Api.Resolved;
using RagOperator.Api.Values;

namespace RagOperator.Api.Tests;

public class SpecReaderTests
{
    private const string Minimal =
        """
        components:
          - name: api
            ports: [{name: http, port: 8000}]
            template: {spec: {containers: [{name: api, image: api:1}]}}
        traffic: {gatewayApi: {parentRefs: [{name: public}]}}
        """;

    [Fact]
    public void Read_good_spec_finds_nothing_and_keeps_what_was_written()
    {
        var reading = Specs.Read();

        Assert.Empty(reading.Problems);
        Assert.Empty(reading.Warnings);
        var spec = reading.Spec!;
        Assert.Equal(["qdrant", "cache", "embedder", "api"], spec.Components.Select(c => c.Name));
        Assert.Equal("api", spec.Entry);
        Assert.Equal(["api"], spec.DeliverTo);
        Assert.Equal(["bandit", "replay"], spec.EnabledFlags);
        Assert.Equal(["debate"], spec.DisabledFlags);
        Assert.Equal(["debate"], reading.DisabledFlags);
        Assert.Equal("300s", spec.GatewayApi.GetProperty("rules")[0].GetProperty("timeouts").GetProperty("request").GetString());
        var external = spec.Component("qdrant")!;
        Assert.Equal(("qdrant", 6333, false), (external.ExternalService, external.ExternalPort, external.IsWorkload));
        var api = spec.Component("api")!;
        Assert.Equal((4, 1, true), (api.Replicas, api.CanaryReplicas!.Value, api.IsWorkload));
        Assert.Equal("api:1", api.Raw.GetProperty("template").GetProperty("spec").GetProperty("containers")[0].GetProperty("image").GetString());
        var policy = spec.Policy;
        Assert.Equal((TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10)), (policy.ProgressDeadline, policy.RetireDelay));
        Assert.Equal((TimeSpan.FromHours(2), TimeSpan.FromHours(24)), (policy.KeepFailedPods, policy.UndoWindow));
        Assert.Equal(new ResolvedStep("canary", 5, TimeSpan.FromHours(1), ApprovalRequired: true, []), policy.Steps[0] with { Flags = [] });
        Assert.Equal(["replay"], policy.Steps[1].Flags);
        Assert.Equal((TimeSpan.FromMinutes(10), false), (policy.Steps[2].Hold, policy.Steps[2].ApprovalRequired));
        var sla = policy.Sla!;
        Assert.Equal((TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(20)), (sla.Interval, sla.WarmUp, sla.NoDataTimeout));
        Assert.Equal((100L, "default"), (sla.VolumeMin, sla.Source));
        Assert.Equal(("api", 0.01, 2, BreachAction.Rollback), (sla.Metrics[0].Component, sla.Metrics[0].Limit.Max!.Value, sla.Metrics[0].FailAfter, sla.Metrics[0].OnBreach));
        var latency = sla.Metrics[1];
        Assert.Equal(MetricPresets.BuiltIn["http-latency-p95"], latency.Query);
        Assert.Equal((TimeSpan.FromMinutes(5), 3, BreachAction.Hold), (latency.Window, latency.FailAfter, latency.OnBreach));
        Assert.Equal("max 500ms, maxIncrease 50ms", latency.Limit.Text);
        Assert.Equal("512ms", latency.Limit.Format(0.512));
        Assert.Equal(["half"], latency.Steps!);
        var memory = sla.Metrics[2];
        Assert.Equal(("embedder", 536870912d, 0.1, 0.05), (memory.Component, memory.Limit.Max!.Value, memory.Limit.MaxIncreaseFraction!.Value, memory.Limit.MinIncreaseFraction!.Value));
        Assert.Equal(BreachAction.Report, memory.OnBreach);
    }

    [Fact]
    public void Read_minimal_spec_fills_in_every_default()
    {
        var reading = Specs.ReadYaml(Minimal);

        Assert.Empty(reading.Problems);
        var spec = reading.Spec!;
        Assert.Equal("api", spec.Entry);
        Assert.Empty(spec.DeliverTo);
        Assert.Equal(1, spec.Components[0].Replicas);
        Assert.Null(spec.Components[0].CanaryReplicas);
        var policy = spec.Policy;
        Assert.False(policy.Paused);
        Assert.Null(policy.Sla);
        Assert.Equal([("canary-5", 5), ("canary-10", 10), ("canary-50", 50), ("full", 100)], policy.Steps.Select(s => (s.Name, s.Weight)));
        Assert.All(policy.Steps, s => Assert.Equal((TimeSpan.FromMinutes(10), false, 0), (s.Hold, s.ApprovalRequired, s.Flags.Count)));
        Assert.Equal("10m 30s 1h 3d", string.Join(' ', new[] { policy.ProgressDeadline, policy.RetireDelay, policy.KeepFailedPods, policy.UndoWindow }.Select(RagDuration.Format)));
        Assert.Equal("spec.sla.metrics", Assert.Single(reading.Warnings).Field);
    }

    [Fact]
    public void Read_sla_with_one_metric_fills_in_its_defaults()
    {
        var sla = Specs.Read(s => s.Put("sla", "{metrics: [{name: e, preset: http-error-rate, limit: {max: 1%}}]}")).Spec!.Policy.Sla!;

        Assert.Equal("default 30s 0s 30m", $"{sla.Source} {RagDuration.Format(sla.Interval)} {RagDuration.Format(sla.WarmUp)} {RagDuration.Format(sla.NoDataTimeout)}");
        Assert.Null(sla.VolumeQuery);
        var metric = Assert.Single(sla.Metrics);
        Assert.Equal(("api", "1m", 3, BreachAction.Rollback), (metric.Component, RagDuration.Format(metric.Window), metric.FailAfter, metric.OnBreach));
        Assert.Null(metric.Steps);
    }

    [Fact]
    public void Read_flags_without_receivers_are_delivered_to_the_entry()
    {
        Assert.Equal(["api"], Specs.Read(s => s.Put("featureFlags.deliverTo", "-")).Spec!.DeliverTo);
    }

    [Fact]
    public void Read_components_in_any_order_gives_start_order_and_keeps_ties_as_written()
    {
        var spec = Specs.Read(s =>
        {
            var components = (JsonArray)s["components"]!;
            var all = components.ToList();
            components.Clear();
            foreach (var i in (int[])[3, 1, 2, 0])
                components.Add(all[i]);
        }).Spec!;

        Assert.Equal(["cache", "qdrant", "embedder", "api"], spec.Components.Select(c => c.Name));
    }

    [Fact]
    public void Read_null_is_the_same_as_left_out()
    {
        var reading = Specs.Read(s =>
        {
            s.Put("sla", "null");
            s.Put("components[2].replicas", "null");
        });

        Assert.Empty(reading.Problems);
        Assert.Equal(1, reading.Spec!.Component("embedder")!.Replicas);
        Assert.Null(reading.Spec.Policy.Sla);
    }

    [Fact]
    public void Read_sla_without_metrics_asks_for_no_source()
    {
        var reading = Specs.Read(s => s.Put("sla", "{metrics: []}"), namespaceName: "elsewhere");

        Assert.Empty(reading.Problems);
        Assert.Null(reading.Spec!.Policy.Sla);
        Assert.Equal("spec.sla.metrics", Assert.Single(reading.Warnings).Field);
    }

    [Theory]
    [InlineData("rollout.steps", "[{name: full, weight: 100}]", "spec.rollout.steps", "single step")]
    [InlineData("rollout.steps", "[{name: most, weight: 51}, {name: half, weight: 100}]", "spec.rollout.steps[0].weight", "more than half")]
    [InlineData("sla.metrics[1].limit", "{max: 500ms, maxIncrease: 5%}", "spec.sla.metrics[1].limit", "maxIncreasePercent")]
    public void Read_daring_spec_warns_and_accepts(string path, string yaml, string field, string rule)
    {
        var reading = Specs.Read(s =>
        {
            s.Put("sla.metrics[1].steps", "-");
            s.Put("sla.metrics[1].window", "1m");
            s.Put(path, yaml);
        });

        Assert.Empty(reading.Problems);
        var warning = Assert.Single(reading.Warnings);
        Assert.Equal(field, warning.Field);
        Assert.Contains(rule, warning.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_many_errors_names_them_all_at_once()
    {
        var reading = Specs.Read(s =>
        {
            s.Put("components[2].replicas", "-1");
            s.Put("components[0].surprise", "1");
            s.Put("rollout.steps[1].weight", "4");
            s.Put("sla.interval", "soon");
            s.Put("sla.metrics[0].limit.max", "5 %x");
            s.Put("rollout.paused", "'yes'");
            s.Put("traffic.gatewayApi.parentRefs", "[]");
        });

        Assert.Null(reading.Spec);
        Assert.Equal(
            [
                "spec.components[0].surprise", "spec.components[2].replicas", "spec.rollout.paused", "spec.rollout.steps[1].weight",
                "spec.sla.interval", "spec.sla.metrics[0].limit.max", "spec.traffic.gatewayApi.parentRefs",
            ],
            reading.Problems.Select(p => p.Field).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_wrong_spec_still_tells_the_disabled_flags()
    {
        var reading = Specs.ReadYaml(
            """
            components: nonsense
            featureFlags:
              flags: [{name: b, enabled: false}, {name: a, enabled: false}, {name: c, enabled: 'false'}, {name: d}, 7, {enabled: false}, {name: e, enabled: true}]
            """);

        Assert.Null(reading.Spec);
        Assert.Equal(["a", "b"], reading.DisabledFlags);
    }

    [Fact]
    public void Read_flag_without_enabled_is_refused_and_not_taken_for_disabled()
    {
        var reading = Specs.Read(s => s.Put("featureFlags.flags[0]", "{name: replay}"));

        Assert.Equal("spec.featureFlags.flags[0].enabled", Assert.Single(reading.Problems).Field);
        Assert.Equal(["debate"], reading.DisabledFlags);
    }

    [Fact]
    public void Read_long_value_is_cut_and_the_inside_of_a_template_is_never_shown()
    {
        var reading = Specs.Read(s =>
        {
            s.Put("rollout.retireDelay", new string('x', 4000));
            s.Put("components[1].template.spec.containers", "[{image: x, env: [{name: PASSWORD, value: hunter2}]}]");
            s.Put("components[2].oops", "{password: hunter2}");
        });

        Assert.Equal(3, reading.Problems.Count);
        Assert.All(reading.Problems, p => Assert.True(p.Value.Length <= 120, p.Value));
        Assert.DoesNotContain("hunter2", string.Join('\n', reading.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{components: [null, 3, []], traffic: [], featureFlags: {flags: {}}, rollout: {steps: [null]}, sla: {metrics: [1], volume: x}}")]
    [InlineData("{components: [{}], traffic: {}, rollout: {}, rollback: {}, sla: {}}")]
    public void Read_any_shape_gives_problems_and_no_exception(string yaml)
    {
        Assert.NotEmpty(Specs.ReadYaml(yaml).Problems);
    }

    [Fact]
    public void Read_no_spec_at_all_is_named()
    {
        Assert.Equal("spec", Specs.ReadElement(default).Problems[0].Field);
    }

    [Fact]
    public void Read_half_a_surrogate_pair_is_a_problem_and_no_exception()
    {
        using var spec = JsonDocument.Parse("""{"components": [{"name": "\ud800"}]}""");

        Assert.NotEmpty(Specs.ReadElement(spec.RootElement).Problems);
    }

    /// <summary>Puts every kind of JSON value at every place of the good spec: nothing may throw, and whatever is accepted is whole.</summary>
    [Fact]
    public void Read_any_value_at_any_place_never_throws()
    {
        string[] values = ["null", "true", "-1", "1.5", "1e300", "\"\"", "\"a\"", "\"$(\"", "[]", "[null]", "{}", "{\"name\": 7}"];
        foreach (var path in Places(Specs.GoodSpec(), ""))
        {
            foreach (var value in values)
            {
                var spec = Specs.GoodSpec();
                var cut = path.LastIndexOfAny(['.', '[']);
                var parent = cut > 0 ? spec.At(path[..cut]) : spec;
                if (parent is JsonArray list)
                    list[int.Parse(path[(cut + 1)..^1])] = JsonNode.Parse(value);
                else
                    parent[path[(cut + 1)..]] = JsonNode.Parse(value);
                var reading = Specs.ReadNode(spec);
                Assert.True(reading.Spec is not null ^ reading.Problems.Count > 0, $"{path} = {value}");
                Assert.All(reading.Problems, p => Assert.True(p.Field.StartsWith("spec", StringComparison.Ordinal) && p.Rule.Length > 0, p.ToString()));
            }
        }
    }

    private static IEnumerable<string> Places(JsonNode? node, string path) => node switch
    {
        JsonObject o => o.SelectMany(f => Places(f.Value, path.Length == 0 ? f.Key : $"{path}.{f.Key}")).Append(path).Where(p => p.Length > 0),
        JsonArray a => a.SelectMany((item, i) => Places(item, $"{path}[{i}]")).Append(path),
        _ => [path],
    };
}
