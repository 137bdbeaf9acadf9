using System.Text.Json;
using RagOperator.Abstractions.Attributes;
using RagOperator.Api.Values;

namespace RagOperator.Api.V1Alpha1;

/// <summary>What is wanted of a RagDeployment.</summary>
[ValidationRule(
    "!has(self.traffic.component) || self.components.exists(c, c.name == self.traffic.component && !has(c.external))",
    "traffic.component must name a component that is not external")]
[ValidationRule(
    "self.components.all(c, !has(c.dependsOn) || c.dependsOn.all(d, self.components.exists(o, o.name == d)))",
    "dependsOn must name components")]
[ValidationRule(
    "!has(self.featureFlags) || !has(self.featureFlags.deliverTo) || self.featureFlags.deliverTo.all(d, self.components.exists(c, c.name == d && !has(c.external)))",
    "featureFlags.deliverTo must name components that are not external")]
[ValidationRule(
    "!has(self.traffic.component) || self.components.all(c, c.name != self.traffic.component || has(c.external) || (has(c.ports) && size(c.ports) > 0))",
    "the component that traffic.component names must have a port")]
[ValidationRule(
    "!has(self.sla) || !has(self.sla.metrics) || self.sla.metrics.all(m, !has(m.component) || self.components.exists(c, c.name == m.component && !has(c.external)))",
    "a metric's component must be one that is not external")]
[ValidationRule(
    "!has(self.sla) || !has(self.sla.metrics) || !has(self.rollout) || !has(self.rollout.steps) || self.sla.metrics.all(m, !has(m.steps) || m.steps.all(s, self.rollout.steps.exists(t, t.name == s)))",
    "a metric's steps must be names of rollout.steps")]
public sealed record RagDeploymentSpec
{
    /// <summary>The parts of the service, released together: gateway or API, retriever, embedder, reranker, LLM server and so on. Every one
    /// is reachable from the traffic component by dependsOn.</summary>
    [Required]
    [Items(1, SpecLimits.Components)]
    [XListType(XListType.Map)]
    [XListMapKeys("name")]
    public List<ComponentSpec> Components { get; set; } = [];

    /// <summary>Where requests enter and which route carries them.</summary>
    [Required]
    public TrafficSpec? Traffic { get; set; }

    /// <summary>Boolean switches that are delivered to components as files and turned on by step.</summary>
    public FeatureFlagsSpec? FeatureFlags { get; set; }

    /// <summary>The steps by which a new release takes over. Left out: 5, 10, 50 and 100 percent, each held for 10m.</summary>
    public RolloutSpec? Rollout { get; set; }

    /// <summary>What happens around a rollback.</summary>
    public RollbackSpec? Rollback { get; set; }

    /// <summary>What a new release is held to while it takes over. Left out: only its availability is watched.</summary>
    public SlaSpec? Sla { get; set; }
}

/// <summary>One part of the service: a Deployment's worth of pods, or something external that is only waited for.</summary>
[ValidationRule("!has(self.dependsOn) || self.dependsOn.all(d, d != self.name)", "dependsOn must not name the component itself")]
[ValidationRule("has(self.external) != has(self.template)", "exactly one of external and template must be set")]
[ValidationRule(
    "!has(self.external) || !(has(self.ports) || has(self.replicas) || has(self.canaryReplicas) || has(self.dependsOn))",
    "external excludes ports, replicas, canaryReplicas and dependsOn")]
[ValidationRule(
    "!has(self.canaryReplicas) || (has(self.replicas) ? self.replicas == 0 || self.canaryReplicas <= self.replicas : self.canaryReplicas <= 1)",
    "canaryReplicas must not be above replicas")]
public sealed record ComponentSpec
{
    /// <summary>The component's name, unique among the components: a DNS label that starts with a letter.</summary>
    [Required]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.NamePattern)]
    public string Name { get; set; } = "";

    /// <summary>Something that is not ours: it is waited for and its URL is handed on. Excludes template, ports, replicas and dependsOn.</summary>
    public ExternalSpec? External { get; set; }

    /// <summary>Names of the components that must be available before this one starts and whose URLs it gets.</summary>
    [Items(0, SpecLimits.Components)]
    [XListType(XListType.Set)]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.NamePattern)]
    public List<string>? DependsOn { get; set; }

    /// <summary>Pods wanted, 0 to 10000. Default 1. With 0 for the traffic component nobody is served, and rollouts wait.</summary>
    [RangeMinimum(0)]
    [RangeMaximum(SpecLimits.Replicas)]
    public int? Replicas { get; set; }

    /// <summary>A fixed number of pods for a canary below 100 percent, where pods are dear (GPUs). At most
    /// replicas. Default: in proportion to the weight.</summary>
    [RangeMinimum(1)]
    [RangeMaximum(SpecLimits.Replicas)]
    public int? CanaryReplicas { get; set; }

    /// <summary>Ports of the component's Service. Without ports it has no Service and hands on no URL; the first one is the one handed on.</summary>
    [Items(0, SpecLimits.Ports)]
    [ValidationRule("self.all(p, self.exists_one(o, o.name == p.name))", "names of ports must be unique")]
    [ValidationRule(
        "self.all(p, self.exists_one(o, o.port == p.port && ((has(o.protocol) && has(p.protocol) && o.protocol == p.protocol)"
        + " || ((!has(o.protocol) || o.protocol == 'TCP') && (!has(p.protocol) || p.protocol == 'TCP')))))",
        "numbers of ports must be unique for each protocol")]
    public List<PortSpec>? Ports { get; set; }

    /// <summary>The pod template (a Kubernetes PodTemplateSpec), carried through as it is but for the environment variables that the
    /// operator adds before the user's own.</summary>
    [PreserveUnknownFields]
    public JsonElement? Template { get; set; }

    /// <summary>Labels and annotations for the Deployments, Services and flags ConfigMaps of the component, those that exist included, never for
    /// pods. A change of them starts no rollout.</summary>
    public MetadataSpec? Metadata { get; set; }

    /// <summary>How long this component may take to become available, where it takes longer or shorter than the rest, 1s to 7d. What it depends on
    /// has its own time before that. A change of it starts no rollout. Default: that of rollout.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? ProgressDeadline { get; set; }

    /// <summary>For how many seconds a pod must be ready before it counts as available, as a Deployment's own. A change of it starts no rollout. Default 0.</summary>
    [RangeMinimum(0)]
    [RangeMaximum(SpecLimits.MinReadySeconds)]
    public int? MinReadySeconds { get; set; }
}

/// <summary>A Service that this RagDeployment uses but does not own.</summary>
public sealed record ExternalSpec
{
    /// <summary>The Service's name, in the RagDeployment's namespace.</summary>
    [Required]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.NamePattern)]
    public string Service { get; set; } = "";

    /// <summary>The Service's port, 1 to 65535.</summary>
    [Required]
    [RangeMinimum(1)]
    [RangeMaximum(65535)]
    public int Port { get; set; }
}

/// <summary>A port of a component's Service.</summary>
public sealed record PortSpec
{
    /// <summary>The port's name: a DNS label.</summary>
    [Required]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.LabelPattern)]
    public string Name { get; set; } = "";

    /// <summary>The port, 1 to 65535.</summary>
    [Required]
    [RangeMinimum(1)]
    [RangeMaximum(65535)]
    public int Port { get; set; }

    /// <summary>Where the container listens: a number from 1 to 65535, or the name of a container's port. Default: the port itself.</summary>
    [IntOrString]
    public JsonElement? TargetPort { get; set; }

    /// <summary>The transport. Default TCP. The traffic component's first port must be TCP.</summary>
    [EnumValues("TCP", "UDP", "SCTP")]
    [Length(3, 4)] // servers before 1.31 bound the cost of a comparison by this and not by the values
    public string? Protocol { get; set; }

    /// <summary>What is spoken there, for instance http, https or kubernetes.io/h2c; https makes the handed-on URL an https one.</summary>
    [Length(1, 253)]
    [Pattern(SpecLimits.AppProtocolPattern)]
    public string? AppProtocol { get; set; }
}

/// <summary>Where requests enter.</summary>
public sealed record TrafficSpec
{
    /// <summary>The component that requests enter by. Default: the one that nothing depends on.</summary>
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.NamePattern)]
    public string? Component { get; set; }

    /// <summary>The spec of a Gateway API HTTPRoute without backendRefs: the operator fills those in, with the weights, and owns the route.</summary>
    [Required]
    [PreserveUnknownFields]
    public JsonElement? GatewayApi { get; set; }

    /// <summary>Labels and annotations for the HTTPRoute and for the Service that is called like the RagDeployment, those that exist included. A change
    /// of them starts no rollout.</summary>
    public MetadataSpec? Metadata { get; set; }

    /// <summary>For gateways that do not say which generation of the route they have accepted (Linkerd): how long after the last change of the route
    /// their word counts, 0s to 10m. Default: it never does.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? Settle { get; set; }
}

/// <summary>Feature flags and who receives them.</summary>
public sealed record FeatureFlagsSpec
{
    /// <summary>Components that get the flag files at /etc/rag/flags. Default: the traffic component.</summary>
    [Items(1, SpecLimits.Components)]
    [XListType(XListType.Set)]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.NamePattern)]
    public List<string>? DeliverTo { get; set; }

    /// <summary>The flags. Enabling one is a new release; disabling one turns it off everywhere at once.</summary>
    [Items(0, SpecLimits.Flags)]
    [XListType(XListType.Map)]
    [XListMapKeys("name")]
    public List<FlagSpec>? Flags { get; set; }
}

/// <summary>One boolean flag.</summary>
public sealed record FlagSpec
{
    /// <summary>The flag's name, unique among the flags: a DNS label.</summary>
    [Required]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.LabelPattern)]
    public string Name { get; set; } = "";

    /// <summary>Whether the flag is wanted. False turns it off at once in every release.</summary>
    [Required]
    public bool Enabled { get; set; }
}

/// <summary>How a new release takes over.</summary>
public sealed record RolloutSpec
{
    /// <summary>While true nothing rises and no canary starts; judging, rollback and the hold's clock go on.</summary>
    public bool? Paused { get; set; }

    /// <summary>How long a release may take to become available, or a weight to be accepted by the gateway, 1s to 7d.
    /// Default 10m.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? ProgressDeadline { get; set; }

    /// <summary>How long the pods of a release that lost its traffic stay, so that requests under way can end, 0s to 7d;
    /// a former stable release stays longer while its successor does not serve. Default 30s.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? RetireDelay { get; set; }

    /// <summary>The steps, with weights that never fall and end at 100. Default: canary-5, canary-10, canary-50 and full, each held for 10m.</summary>
    [Items(1, SpecLimits.Steps)]
    [ValidationRule("self.all(s, self.exists_one(o, o.name == s.name))", "names of steps must be unique")]
    // Each place after the first is named: what a function makes of the list has no length that a server could bound the cost by.
    [ValidationRule(
        "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49]"
        + ".all(i, i >= size(self) || self[i].weight >= self[i - 1].weight)",
        "weights must never fall")]
    [ValidationRule("size(self) == 0 || self[size(self) - 1].weight == 100", "the last step must have weight 100")]
    public List<StepSpec>? Steps { get; set; }
}

/// <summary>One step of a rollout.</summary>
public sealed record StepSpec
{
    /// <summary>The step's name, unique among the steps: a DNS label. A rollout's position is kept by it.</summary>
    [Required]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.LabelPattern)]
    public string Name { get; set; } = "";

    /// <summary>Percent of the requests that go to the new release, 1 to 100.</summary>
    [Required]
    [RangeMinimum(1)]
    [RangeMaximum(100)]
    public int Weight { get; set; }

    /// <summary>For how long the step must be seen to keep the SLA before the next one begins, for instance 30s, 10m, 7d; 0s to 365d.
    /// Default 10m.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? Hold { get; set; }

    /// <summary>Whether somebody has to approve before the next step begins. Default NotRequired.</summary>
    [EnumValues("Required", "NotRequired")]
    public string? Approval { get; set; }

    /// <summary>Flags that are turned on for the new release once it has this step's weight.</summary>
    [Items(0, SpecLimits.Flags)]
    [XListType(XListType.Set)]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.LabelPattern)]
    public List<string>? Flags { get; set; }
}

/// <summary>What happens around a rollback.</summary>
public sealed record RollbackSpec
{
    /// <summary>How long one pod of each component of a failed release is kept for a look, 0s to 30d. Default 1h.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? KeepFailedPods { get; set; }

    /// <summary>For how long after its replacement a promoted release can be gone back to without steps, 0s to 365d. Default 72h.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? UndoWindow { get; set; }
}

/// <summary>What a new release is held to.</summary>
public sealed record SlaSpec
{
    /// <summary>A metric source of the operator's configuration, by name. Default: default.</summary>
    [Length(1, 253)]
    public string? Source { get; set; }

    /// <summary>How often the metrics are asked for, 1s to 1h. Default 30s.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? Interval { get; set; }

    /// <summary>How long after the release's first weight nothing but availability counts, 0s to 7d. Default 0s.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? WarmUp { get; set; }

    /// <summary>After how long without a usable answer the rollout is shown as Suspended, 1s to 30d. It is never rolled back for that.
    /// Default 30m.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? NoDataTimeout { get; set; }

    /// <summary>How many requests it takes before the traffic component's metrics are judged. Left out: no number is asked for.</summary>
    public VolumeSpec? Volume { get; set; }

    /// <summary>The metrics. None: only availability is watched.</summary>
    [Items(0, SpecLimits.Metrics)]
    [XListType(XListType.Map)]
    [XListMapKeys("name")]
    public List<MetricSpec>? Metrics { get; set; }
}

/// <summary>How many requests it takes before metrics are judged.</summary>
public sealed record VolumeSpec
{
    /// <summary>A PromQL query that counts requests. Variables: $(name) $(namespace) $(component) $(service) $(revision) $(window).</summary>
    [Required]
    [Length(1, SpecLimits.QueryLength)]
    public string Query { get; set; } = "";

    /// <summary>The least number of requests, at least 1.</summary>
    [Required]
    [RangeMinimum(1)]
    public long Min { get; set; }
}

/// <summary>One metric and its limit.</summary>
[ValidationRule("has(self.query) != has(self.preset)", "exactly one of query and preset must be set")]
public sealed record MetricSpec
{
    /// <summary>The metric's name, unique among the metrics: a DNS label.</summary>
    [Required]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.LabelPattern)]
    public string Name { get; set; } = "";

    /// <summary>The component that it is about. Default: the traffic component.</summary>
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.NamePattern)]
    public string? Component { get; set; }

    /// <summary>A PromQL query that answers one number. Variables: $(name) $(namespace) $(component) $(service) $(revision) $(window).
    /// Excludes preset.</summary>
    [Length(1, SpecLimits.QueryLength)]
    public string? Query { get; set; }

    /// <summary>A query of the operator's configuration, by name; http-error-rate and http-latency-p95 come with it. Excludes query.</summary>
    [Length(1, 253)]
    public string? Preset { get; set; }

    /// <summary>The time that the query looks back over, put in for $(window), 1s to 30d. Default 1m.</summary>
    [Length(2, RagDuration.MaxLength)]
    [Pattern(RagDuration.Pattern)]
    public string? Window { get; set; }

    /// <summary>The limit; at least one part.</summary>
    [Required]
    public LimitSpec? Limit { get; set; }

    /// <summary>How many checks in a row must be beyond the limit, 1 to 100. Default 3.</summary>
    [RangeMinimum(1)]
    [RangeMaximum(SpecLimits.FailAfter)]
    public int? FailAfter { get; set; }

    /// <summary>Names of the steps in which it is judged. Default: all.</summary>
    [Items(1, SpecLimits.Steps)]
    [XListType(XListType.Set)]
    [Length(1, SpecLimits.NameLength)]
    [Pattern(SpecLimits.LabelPattern)]
    public List<string>? Steps { get; set; }

    /// <summary>What a breach leads to. Default Rollback. Rollback takes the release back, Hold stops the rollout until the metric passes again, Report
    /// only shows it.</summary>
    [EnumValues("Rollback", "Hold", "Report")]
    public string? OnBreach { get; set; }
}

/// <summary>A limit: strings like 0.01, 1%, 500ms, 2s, 512Mi or 5M. Breach means strictly beyond. Each part is judged alone.</summary>
[PropertyLimits(1)]
public sealed record LimitSpec
{
    /// <summary>The value may not be above this.</summary>
    [Length(1, LimitValue.MaxLength)]
    [Pattern(LimitValue.Pattern)]
    public string? Max { get; set; }

    /// <summary>The value may not be below this.</summary>
    [Length(1, LimitValue.MaxLength)]
    [Pattern(LimitValue.Pattern)]
    public string? Min { get; set; }

    /// <summary>The value may not be above stable's by more than this.</summary>
    [Length(1, LimitValue.MaxLength)]
    [Pattern(LimitValue.DistancePattern)]
    public string? MaxIncrease { get; set; }

    /// <summary>The value may not be below stable's by more than this.</summary>
    [Length(1, LimitValue.MaxLength)]
    [Pattern(LimitValue.DistancePattern)]
    public string? MaxDecrease { get; set; }

    /// <summary>The value may not be above stable's by more than this many percent of stable's, for instance 10%.</summary>
    [Length(1, LimitValue.MaxLength)]
    [Pattern(LimitValue.PercentPattern)]
    public string? MaxIncreasePercent { get; set; }

    /// <summary>The value must be above stable's by at least this many percent of stable's, for instance 5%.</summary>
    [Length(1, LimitValue.MaxLength)]
    [Pattern(LimitValue.PercentPattern)]
    public string? MinIncreasePercent { get; set; }
}
