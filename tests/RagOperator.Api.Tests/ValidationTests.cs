using System.Text.Json.Nodes;

namespace RagOperator.Api.Tests;

/// <summary>Each rule by one bad object: the good spec, bent at one place, must be refused there, with the value, and with what is allowed.</summary>
public class ValidationTests
{
    /// <summary>Where it is bent, to what (YAML; - removes), and the problem: field, value, part of the rule.</summary>
    public static TheoryData<string, string, string, string, string> Bad { get; } = new()
    {
        // shape
        { "surprise", "1", "spec.surprise", "1", "allowed are components, traffic, featureFlags, rollout, rollback, sla" },
        { "components[0].external.portt", "1", "spec.components[0].external.portt", "1", "allowed are service, port" },
        { "components", "-", "spec.components", "", "is required" },
        { "components", "{}", "spec.components", "an object", "must be a list" },
        { "components[1]", "cache", "spec.components[1]", "cache", "must be an object" },
        { "components[2].replicas", "'2'", "spec.components[2].replicas", "2", "must be a whole number" },
        { "components[2].replicas", "1.5", "spec.components[2].replicas", "1.5", "must be a whole number" },
        { "components[2].dependsOn", "cache", "spec.components[2].dependsOn", "cache", "must be a list of strings" },
        { "components[2].dependsOn", "[qdrant, cache, 3]", "spec.components[2].dependsOn[2]", "3", "must be a string" },
        { "rollout.paused", "'true'", "spec.rollout.paused", "true", "must be true or false" },
        { "rollout.steps[0].hold", "60", "spec.rollout.steps[0].hold", "60", "must be a string" },
        { "rollout.steps[0].weight", "-", "spec.rollout.steps[0].weight", "", "is required" },
        { "sla.metrics[0].limit", "1%", "spec.sla.metrics[0].limit", "1%", "must be an object" },
        { "sla.metrics[0].limit.max", "1", "spec.sla.metrics[0].limit.max", "1", "must be a string" },
        { "sla.metrics[0].limit", "-", "spec.sla.metrics[0].limit", "", "is required" },
        { "sla.volume.query", "-", "spec.sla.volume.query", "", "is required" },
        { "traffic.gatewayApi", "-", "spec.traffic.gatewayApi", "", "is required" },
        { "traffic.gatewayApi", "[]", "spec.traffic.gatewayApi", "0 items", "must be an object" },
        { "traffic", "-", "spec.traffic", "", "is required" },
        { "featureFlags.flags[0].enabled", "-", "spec.featureFlags.flags[0].enabled", "", "is required" },

        // names
        { "components[1].name", "Cache", "spec.components[1].name", "Cache", "lower-case letters" },
        { "components[1].name", "1cache", "spec.components[1].name", "1cache", "the first a letter" },
        { "components[1].name", "api-bcdfg24567", "spec.components[1].name", "api-bcdfg24567", "reads like a revision of component api" },
        { "components[3].name", new string('a', 43), "spec.components[3].name", new string('a', 43), "would have 64 characters, 63 are allowed" },
        { "components[1].name", "embedder", "spec.components[2].name", "embedder", "unique among the components" },
        { "components[2].ports[0].name", "HTTP", "spec.components[2].ports[0].name", "HTTP", "lower-case letters" },
        { "components[3].ports[1].name", "http", "spec.components[3].ports[1].name", "http", "unique among the ports" },
        { "components[3].ports[1].port", "8000", "spec.components[3].ports[1].port", "8000", "unique among the ports of its protocol" },
        { "components[2].ports[0].port", "0", "spec.components[2].ports[0].port", "0", "must be 1 to 65535" },
        { "components[2].ports[0].port", "65536", "spec.components[2].ports[0].port", "65536", "must be 1 to 65535" },
        { "components[2].ports[0].protocol", "tcp", "spec.components[2].ports[0].protocol", "tcp", "one of TCP, UDP, SCTP" },
        { "components[2].ports[0].appProtocol", "a b", "spec.components[2].ports[0].appProtocol", "a b", "a protocol like http" },
        { "featureFlags.flags[2].name", "replay", "spec.featureFlags.flags[2].name", "replay", "unique among the flags" },
        { "featureFlags.flags[2].name", "Debate_Mode", "spec.featureFlags.flags[2].name", "Debate_Mode", "lower-case letters" },
        { "rollout.steps[0].name", "half", "spec.rollout.steps[1].name", "half", "unique among the steps" },
        { "rollout.steps[0].name", "''", "spec.rollout.steps[0].name", "", "lower-case letters" },
        { "sla.metrics[1].name", "errors", "spec.sla.metrics[1].name", "errors", "unique among the metrics" },

        // components
        { "components", "[]", "spec.components", "0 items", "must hold 1 to 50 components" },
        { "components[2].replicas", "-1", "spec.components[2].replicas", "-1", "must be 0 to 10000" },
        { "components[3].canaryReplicas", "0", "spec.components[3].canaryReplicas", "0", "must be 1 to 10000" },
        { "components[3].canaryReplicas", "5", "spec.components[3].canaryReplicas", "5", "1 to replicas, which is 4" },
        { "components[2].dependsOn", "[qdrant, cache, nothing]", "spec.components[2].dependsOn[2]", "nothing", "is no component; there are qdrant, cache, embedder, api" },
        { "components[2].dependsOn", "[qdrant, cache, cache]", "spec.components[2].dependsOn[2]", "cache", "must be unique" },
        { "components[1].dependsOn", "[api]", "spec.components[1].dependsOn", "cache -> api -> embedder -> cache", "must not be a cycle" },
        { "components[3].dependsOn", "[embedder, api]", "spec.components[3].dependsOn", "api -> api", "must not be a cycle" },
        { "components[2].dependsOn", "[qdrant]", "spec.components[1].name", "cache", "is reached from nowhere: the traffic component api must depend on it" },
        { "components[0].external.service", "Q!", "spec.components[0].external.service", "Q!", "lower-case letters" },
        { "components[0].external.service", "assistant-embedder", "spec.components[0].external.service", "assistant-embedder", "a Service that the operator makes" },
        { "components[0].external.service", "assistant", "spec.components[0].external.service", "assistant", "a Service that the operator makes" },
        { "components[0].external.port", "70000", "spec.components[0].external.port", "70000", "must be 1 to 65535" },
        { "components[0].template", "{}", "spec.components[0].template", "an object", "must be left out where external is set" },
        { "components[0].ports", "[{name: a, port: 1}]", "spec.components[0].ports", "1 items", "must be left out where external is set" },
        { "components[0].replicas", "1", "spec.components[0].replicas", "1", "must be left out where external is set" },
        { "components[0].canaryReplicas", "1", "spec.components[0].canaryReplicas", "1", "must be left out where external is set" },
        { "components[0].dependsOn", "[cache]", "spec.components[0].dependsOn", "1 items", "must be left out where external is set" },

        // templates
        { "components[1].template", "-", "spec.components[1].template", "", "is required where external is not set" },
        { "components[1].template", "[]", "spec.components[1].template", "0 items", "must be an object" },
        { "components[1].template", "{}", "spec.components[1].template.spec.containers", "", "at least one container" },
        { "components[1].template.spec.containers", "[]", "spec.components[1].template.spec.containers", "0 items", "at least one container" },
        { "components[1].template.spec.containers", "[{image: x}]", "spec.components[1].template.spec.containers", "1 items", "each with a name" },
        { "components[1].template.metadata", "{labels: {ragoperator.dev/name: x}}", "spec.components[1].template.metadata.labels", "ragoperator.dev/name", "must not begin with ragoperator.dev/" },
        { "components[1].template.metadata", "{annotations: {ragoperator.dev/x: x}}", "spec.components[1].template.metadata.annotations", "ragoperator.dev/x", "must not begin with ragoperator.dev/" },
        { "components[3].template.spec.containers[0].env[0].name", "RAG_REVISION", "spec.components[3].template.spec.containers[0].env[0].name", "RAG_REVISION", "is set by the operator" },
        { "components[3].template.spec.containers[0].env[0].name", "RAG_FLAGS_DIR", "spec.components[3].template.spec.containers[0].env[0].name", "RAG_FLAGS_DIR", "is set by the operator" },
        { "components[3].template.spec.containers[0].env[0].name", "RAG_EMBEDDER_URL", "spec.components[3].template.spec.containers[0].env[0].name", "RAG_EMBEDDER_URL", "is set by the operator" },
        { "components[3].template.spec.containers[0].env[0].name", "RAG_EMBEDDER_HOST", "spec.components[3].template.spec.containers[0].env[0].name", "RAG_EMBEDDER_HOST", "is set by the operator" },
        { "components[3].template.spec.containers[0].env[0].name", "RAG_EMBEDDER_PORT", "spec.components[3].template.spec.containers[0].env[0].name", "RAG_EMBEDDER_PORT", "is set by the operator" },
        { "components[3].template.spec.containers[0].volumeMounts", "[{name: a, mountPath: /etc/rag/flags}]", "spec.components[3].template.spec.containers[0].volumeMounts[0].mountPath", "/etc/rag/flags", "outside of /etc/rag/flags" },
        { "components[3].template.spec.containers[0].volumeMounts", "[{name: a, mountPath: /etc/x/..//rag/flags/my/}]", "spec.components[3].template.spec.containers[0].volumeMounts[0].mountPath", "/etc/x/..//rag/flags/my/", "outside of /etc/rag/flags" },
        { "components[3].template.spec.volumes", "[{name: rag-flags}]", "spec.components[3].template.spec.volumes[0].name", "rag-flags", "name it otherwise" },

        { "components[1].template.metadata", "{finalizers: [example.com/wait]}", "spec.components[1].template.metadata.finalizers", "1 items", "must be left out of a pod template" },
        { "components[1].template.metadata", "{ownerReferences: []}", "spec.components[1].template.metadata.ownerReferences", "0 items", "must be left out of a pod template" },
        { "components[1].template.metadata", "{managedFields: [{manager: me}]}", "spec.components[1].template.metadata.managedFields", "1 items", "must be left out of a pod template" },

        // what is carried beside the content
        { "components[2].metadata.labels", "{ragoperator.dev/name: x}", "spec.components[2].metadata.labels", "ragoperator.dev/name", "must not begin with ragoperator.dev/" },
        { "components[2].metadata.annotations", "{deployment.kubernetes.io/revision: '7'}", "spec.components[2].metadata.annotations", "deployment.kubernetes.io/revision", "must not begin with deployment.kubernetes.io/" },
        { "traffic.metadata.labels", "{kubernetes.io/cluster-service: 'true'}", "spec.traffic.metadata.labels", "kubernetes.io/cluster-service", "must not begin with kubernetes.io/" },
        { "traffic.metadata.annotations", "{kubectl.kubernetes.io/restartedAt: now}", "spec.traffic.metadata.annotations", "kubectl.kubernetes.io/restartedAt", "must not begin with kubectl.kubernetes.io/" },
        { "components[2].metadata.labels", "{cost center: x}", "spec.components[2].metadata.labels", "cost center", "must be a key like team" },
        { "components[2].metadata.labels", "{UPPER.example/team: x}", "spec.components[2].metadata.labels", "UPPER.example/team", "must be a key like team" },
        { "components[2].metadata.labels", "{team: 'search & co'}", "spec.components[2].metadata.labels[team]", "search & co", "must be a label's value" },
        { "components[2].metadata.labels", "{cost-center: 4711}", "spec.components[2].metadata.labels[cost-center]", "4711", "must be a string; write it in quotes" },
        { "components[2].metadata.labels", "[a]", "spec.components[2].metadata.labels", "1 items", "must be an object of strings" },
        { "components[2].metadata.name", "x", "spec.components[2].metadata.name", "x", "allowed are labels, annotations" },
        { "components[0].metadata", "{labels: {a: b}}", "spec.components[0].metadata", "", "must be left out where external is set" },
        { "components[0].progressDeadline", "1m", "spec.components[0].progressDeadline", "1m", "must be left out where external is set" },
        { "components[0].minReadySeconds", "1", "spec.components[0].minReadySeconds", "1", "must be left out where external is set" },
        { "components[2].progressDeadline", "0s", "spec.components[2].progressDeadline", "0s", "from 1s to 7d" },
        { "components[2].minReadySeconds", "600", "spec.components[2].minReadySeconds", "600", "must be 0 to 599" },
        { "components[2].ports[0].targetPort", "0", "spec.components[2].ports[0].targetPort", "0", "a number from 1 to 65535, or the name" },
        { "components[2].ports[0].targetPort", "80.5", "spec.components[2].ports[0].targetPort", "80.5", "must be a whole number or a string" },
        { "components[2].ports[0].targetPort", "'8080'", "spec.components[2].ports[0].targetPort", "8080", "one of them a letter" },
        { "components[2].ports[0].targetPort", "a-name-of-16-chr", "spec.components[2].ports[0].targetPort", "a-name-of-16-chr", "1 to 15 lower-case letters" },

        // traffic
        { "traffic.component", "nobody", "spec.traffic.component", "nobody", "is no component; there are cache, embedder, api" },
        { "traffic.component", "qdrant", "spec.traffic.component", "qdrant", "must not be external" },
        { "components[3].ports", "-", "spec.components[3].ports", "", "at least one port, because api is the traffic component" },
        { "components[3].ports[0].protocol", "UDP", "spec.components[3].ports[0].protocol", "UDP", "must be TCP" },
        { "traffic.gatewayApi.parentRefs", "-", "spec.traffic.gatewayApi.parentRefs", "", "at least one gateway" },
        { "traffic.gatewayApi.parentRefs", "[]", "spec.traffic.gatewayApi.parentRefs", "0 items", "at least one gateway" },
        { "traffic.gatewayApi.rules", "{}", "spec.traffic.gatewayApi.rules", "an object", "must be a list of objects" },
        { "traffic.gatewayApi.rules", "[{backendRefs: [{name: x}]}]", "spec.traffic.gatewayApi.rules[0].backendRefs", "1 items", "the operator fills in the backends" },
        { "traffic.gatewayApi.backendRefs", "[]", "spec.traffic.gatewayApi.backendRefs", "0 items", "the operator fills in the backends" },

        // flags
        { "featureFlags.deliverTo", "[qdrant]", "spec.featureFlags.deliverTo[0]", "qdrant", "a component that is run here: one of cache, embedder, api" },
        { "featureFlags.deliverTo", "[nobody]", "spec.featureFlags.deliverTo[0]", "nobody", "a component that is run here" },
        { "featureFlags.deliverTo", "[api, api]", "spec.featureFlags.deliverTo[1]", "api", "must be unique" },
        { "featureFlags.deliverTo", "[]", "spec.featureFlags.deliverTo", "0 items", "or be left out" },
        { "rollout.steps[1].flags", "[nothing]", "spec.rollout.steps[1].flags[0]", "nothing", "is no flag; spec.featureFlags.flags has replay, bandit, debate" },
        { "rollout.steps[2].flags", "[replay]", "spec.rollout.steps[2].flags[0]", "replay", "is turned on by step half already" },

        // steps
        { "rollout.steps", "[]", "spec.rollout.steps", "0 items", "must hold 1 to 50 steps, or be left out" },
        { "rollout.steps[0].weight", "0", "spec.rollout.steps[0].weight", "0", "must be 1 to 100" },
        { "rollout.steps[2].weight", "101", "spec.rollout.steps[2].weight", "101", "must be 1 to 100" },
        { "rollout.steps[1].weight", "4", "spec.rollout.steps[1].weight", "4", "must not be below 5" },
        { "rollout.steps[2].weight", "50", "spec.rollout.steps[2].weight", "50", "must be 100 in the last step" },
        { "rollout.steps[0].hold", "366d", "spec.rollout.steps[0].hold", "366d", "from 0s to 365d" },
        { "rollout.steps[0].hold", "soon", "spec.rollout.steps[0].hold", "soon", "a duration like 30s, 10m, 1h30m or 7d" },
        { "rollout.steps[0].approval", "required", "spec.rollout.steps[0].approval", "required", "one of Required, NotRequired" },
        { "rollout.progressDeadline", "0s", "spec.rollout.progressDeadline", "0s", "from 1s to 7d" },
        { "rollout.retireDelay", "-1s", "spec.rollout.retireDelay", "-1s", "from 0s to 7d" },
        { "rollback.keepFailedPods", "31d", "spec.rollback.keepFailedPods", "31d", "from 0s to 30d" },
        { "rollback.undoWindow", "1 day", "spec.rollback.undoWindow", "1 day", "from 0s to 365d" },

        // sla
        { "sla.interval", "999ms", "spec.sla.interval", "999ms", "from 1s to 1h" },
        { "sla.warmUp", "8d", "spec.sla.warmUp", "8d", "from 0s to 7d" },
        { "sla.noDataTimeout", "0s", "spec.sla.noDataTimeout", "0s", "from 1s to 30d" },
        { "sla.source", "nowhere", "spec.sla.source", "nowhere", "is no metric source of the operator's configuration; for namespace rag there are default, thanos" },
        { "sla.source", "secret", "spec.sla.source", "secret", "is a metric source that namespace rag may not use; for it there are default, thanos" },
        { "sla.volume.min", "0", "spec.sla.volume.min", "0", "at least 1" },
        { "sla.volume.query", "''", "spec.sla.volume.query", "", "a PromQL query of 1 to 4096 characters" },
        { "sla.volume.query", "x{a=\"$(pod)\"}", "spec.sla.volume.query", "$(pod)", "allowed are $(name) $(namespace) $(component) $(service) $(revision) $(window)" },
        { "sla.metrics[0].query", "x{a=\"$(pod)\"}", "spec.sla.metrics[0].query", "$(pod)", "allowed are $(name)" },
        { "sla.metrics[0].query", "x{a=\"$(name\"}", "spec.sla.metrics[0].query", "$(name\"}", "not closed" },
        { "sla.metrics[0].query", "$$(name)", "spec.sla.metrics[0].query", "$$(name)", "is not an escape" },
        { "sla.metrics[0].query", "-", "spec.sla.metrics[0].query", "", "is required where no preset is named" },
        { "sla.metrics[0].preset", "http-error-rate", "spec.sla.metrics[0].preset", "http-error-rate", "must be left out where a query is given" },
        { "sla.metrics[1].preset", "nothing", "spec.sla.metrics[1].preset", "nothing", "is no preset; there are http-error-rate, http-latency-p95" },
        { "sla.metrics[2].component", "nobody", "spec.sla.metrics[2].component", "nobody", "a component that is run here" },
        { "sla.metrics[2].component", "qdrant", "spec.sla.metrics[2].component", "qdrant", "a component that is run here" },
        { "sla.metrics[1].steps", "[half, never]", "spec.sla.metrics[1].steps[1]", "never", "is no step; there are canary, half, full" },
        { "sla.metrics[1].steps", "[half, half]", "spec.sla.metrics[1].steps[1]", "half", "must be unique" },
        { "sla.metrics[1].steps", "[]", "spec.sla.metrics[1].steps", "0 items", "or be left out for all steps" },
        { "sla.metrics[1].window", "0s", "spec.sla.metrics[1].window", "0s", "from 1s to 30d" },
        { "sla.metrics[0].failAfter", "0", "spec.sla.metrics[0].failAfter", "0", "must be 1 to 100" },
        { "sla.metrics[0].failAfter", "101", "spec.sla.metrics[0].failAfter", "101", "must be 1 to 100" },
        { "sla.metrics[0].onBreach", "Explode", "spec.sla.metrics[0].onBreach", "Explode", "one of Rollback, Hold, Report" },
        { "sla.metrics[0].limit", "{}", "spec.sla.metrics[0].limit", "", "at least one of max, min, maxIncrease, maxDecrease, maxIncreasePercent, minIncreasePercent" },
        { "sla.metrics[0].limit.max", "5 %x", "spec.sla.metrics[0].limit.max", "5 %x", "a number like 0.01, 1%, 500ms, 2s, 5M or 512Mi" },
        { "sla.metrics[0].limit.min", "low", "spec.sla.metrics[0].limit.min", "low", "a number like 0.01" },
        { "sla.metrics[0].limit.min", "2%", "spec.sla.metrics[0].limit.max", "1%", "must not be below min, which is 2%" },
        { "sla.metrics[0].limit.maxIncrease", "-1%", "spec.sla.metrics[0].limit.maxIncrease", "-1%", "not below 0" },
        { "sla.metrics[0].limit.maxDecrease", "5m", "spec.sla.metrics[0].limit.maxDecrease", "5m", "a number like 0.01" },
        { "sla.metrics[0].limit.maxIncreasePercent", "ten", "spec.sla.metrics[0].limit.maxIncreasePercent", "ten", "a percentage like 10% or 10" },
        { "sla.metrics[2].limit.minIncreasePercent", "11%", "spec.sla.metrics[2].limit.maxIncreasePercent", "10%", "must not be below minIncreasePercent, which is 11%" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Read_bent_spec_names_field_value_and_rule(string path, string yaml, string field, string value, string rule)
    {
        var reading = Specs.Read(s => s.Put(path, yaml));

        Assert.Null(reading.Spec);
        var problem = Assert.Single(reading.Problems, p => p.Field == field);
        Assert.Equal(value, problem.Value);
        Assert.Contains(rule, problem.Rule, StringComparison.Ordinal);
        Assert.Equal($"{field}: \"{value}\": {problem.Rule}", problem.ToString());
    }

    /// <summary>Bends that must not lead to a heap of further complaints: what follows from one mistake is not told as another.</summary>
    [Theory]
    [InlineData("components", "{}")]
    [InlineData("rollout.steps[0].weight", "'5'")]
    [InlineData("sla.metrics[0].limit.max", "5 %x")]
    [InlineData("components[2].replicas", "-1")]
    [InlineData("sla.source", "nowhere")]
    [InlineData("rollout.steps[1].flags", "[nothing]")]
    public void Read_one_mistake_is_one_problem(string path, string yaml)
    {
        var problems = Specs.Read(s => s.Put(path, yaml)).Problems;

        Assert.True(problems.Count == 1, string.Join('\n', problems));
    }

    [Theory]
    [InlineData("Assistant")]
    [InlineData("7th")]
    [InlineData("a.b")]
    [InlineData("")]
    public void Read_object_whose_name_no_Service_can_have_is_refused(string name)
    {
        var problem = Assert.Single(Specs.Read(name: name).Problems, p => p.Field == "metadata.name");

        Assert.Equal(name, problem.Value);
        Assert.Contains("beginning with a letter", problem.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_two_ways_in_ask_for_the_component_to_be_named()
    {
        var reading = Specs.Read(s =>
        {
            s.Put("traffic.component", "-");
            s.Put("components[2].dependsOn", "[qdrant]");
        });

        var problem = Assert.Single(reading.Problems);
        Assert.Equal("spec.traffic.component", problem.Field);
        Assert.Contains("one of cache, api", problem.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_cycle_without_a_way_in_is_told_as_a_cycle_alone()
    {
        var reading = Specs.Read(s =>
        {
            s.Put("traffic.component", "-");
            s.Put("components[1].dependsOn", "[api]");
        });

        Assert.Equal("cache -> api -> embedder -> cache", Assert.Single(reading.Problems).Value);
    }

    [Fact]
    public void Read_source_in_another_namespace_is_not_for_it()
    {
        var problem = Assert.Single(Specs.Read(namespaceName: "elsewhere").Problems);

        Assert.Equal("spec.sla.source: \"default\": is a metric source that namespace elsewhere may not use; for it there are thanos", problem.ToString());
    }

    [Theory]
    [InlineData("components", 51, "{name: c%, template: {spec: {containers: [{name: a}]}}}")]
    [InlineData("featureFlags.flags", 101, "{name: f%, enabled: false}")]
    [InlineData("rollout.steps", 51, "{name: s%, weight: 100}")]
    [InlineData("sla.metrics", 51, "{name: m%, query: x, limit: {max: '1'}}")]
    [InlineData("components[3].ports", 21, "{name: p%, port: 1%}")]
    public void Read_more_than_is_allowed_is_refused(string path, int count, string item)
    {
        var reading = Specs.Read(s => s.Put(path, $"[{string.Join(',', Enumerable.Range(0, count).Select(i => item.Replace("%", $"{i}", StringComparison.Ordinal)))}]"));

        var problem = Assert.Single(reading.Problems, p => p.Field == "spec." + path);
        Assert.Equal($"{count} items", problem.Value);
        Assert.Contains($"to {count - 1} ", problem.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_query_of_more_than_4096_characters_is_refused()
    {
        var reading = Specs.Read(s => s.At("sla.metrics[0]")["query"] = JsonValue.Create(new string('x', 4097)));

        Assert.Equal("spec.sla.metrics[0].query", Assert.Single(reading.Problems).Field);
        Assert.Empty(Specs.Read(s => s.At("sla.metrics[0]")["query"] = JsonValue.Create(new string('x', 4096))).Problems);
    }

    /// <summary>What looks like a mistake and is none.</summary>
    [Theory]
    [InlineData("components[1].name", "api-controller", "components[2].dependsOn", "[qdrant, api-controller]")]
    [InlineData("components[1].template.spec.containers[0].env", "[{name: RAG_EMBEDDER_URL, value: x}]", "rollout.paused", "true")]
    [InlineData("components[1].template.spec.containers[0].volumeMounts", "[{name: a, mountPath: /etc/rag/flags}]", "rollout.paused", "true")]
    [InlineData("components[3].template.spec.containers[0].volumeMounts", "[{name: a, mountPath: /etc/rag/flagship}]", "rollout.paused", "true")]
    [InlineData("components[3].ports[1]", "{name: quic, port: 8000, protocol: UDP}", "rollout.paused", "true")]
    [InlineData("rollout.steps[1].weight", "5", "rollout.steps[1].flags", "[debate]")]
    [InlineData("components[3].template.spec.initContainers", "[{name: i, env: [{name: RAG_REVISION}]}]", "rollout.paused", "true")]
    [InlineData("sla.metrics[0].query", "'x{a=~\"5..$\"} / {{ y }} ${z} $$'", "rollout.steps[0].hold", "0s")]
    [InlineData("traffic.gatewayApi.rules", "[{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: x}}}]}]", "rollout.paused", "true")]
    public void Read_unusual_spec_is_accepted(string path, string yaml, string path2, string yaml2)
    {
        Assert.Empty(Specs.Read(s =>
        {
            s.Put(path, yaml);
            s.Put(path2, yaml2);
        }).Problems);
    }
}
