using System.Text.Json;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Reading;

/// <summary>From the raw JSON of a spec to its types. By hand and not by the serializer: that one stops at the first wrong field, with an
/// exception, and passes unknown ones by in silence.</summary>
internal static class TypedSpec
{
    public static RagDeploymentSpec Read(JsonElement spec, ProblemList problems) =>
        FieldReader.Read(spec, "spec", problems, static f => new RagDeploymentSpec
        {
            Components = f.Many("components", Component, required: true) ?? [],
            Traffic = f.One("traffic", Traffic, required: true),
            FeatureFlags = f.One("featureFlags", FeatureFlags),
            Rollout = f.One("rollout", Rollout),
            Rollback = f.One("rollback", Rollback),
            Sla = f.One("sla", Sla),
        });

    /// <summary>Flags that are disabled, as far as that can be read, sorted: from a spec that may be wrong everywhere else.</summary>
    public static IReadOnlyList<string> DisabledFlags(JsonElement spec)
    {
        if (!(spec.ValueKind == JsonValueKind.Object && spec.TryGetProperty("featureFlags", out var featureFlags)
            && featureFlags.ValueKind == JsonValueKind.Object && featureFlags.TryGetProperty("flags", out var flags)
            && flags.ValueKind == JsonValueKind.Array))
            return [];
        return [.. flags.EnumerateArray()
            .Where(static f => f.ValueKind == JsonValueKind.Object
                && f.TryGetProperty("enabled", out var enabled) && enabled.ValueKind == JsonValueKind.False
                && f.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String)
            .Select(static f => f.GetProperty("name").GetString()!)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
    }

    private static ComponentSpec Component(FieldReader f) => new()
    {
        Name = f.Text("name", required: true) ?? "",
        External = f.One("external", static e => new ExternalSpec { Service = e.Text("service", required: true) ?? "", Port = e.Number("port", required: true) ?? 0 }),
        DependsOn = f.Texts("dependsOn"),
        Replicas = f.Number("replicas"),
        CanaryReplicas = f.Number("canaryReplicas"),
        Ports = f.Many("ports", Port),
        Template = f.Raw("template"),
        Metadata = f.One("metadata", Metadata),
        ProgressDeadline = f.Text("progressDeadline"),
        MinReadySeconds = f.Number("minReadySeconds"),
    };

    private static MetadataSpec Metadata(FieldReader f) => new() { Labels = f.TextMap("labels"), Annotations = f.TextMap("annotations") };

    private static PortSpec Port(FieldReader f) => new()
    {
        Name = f.Text("name", required: true) ?? "",
        Port = f.Number("port", required: true) ?? 0,
        TargetPort = f.NumberOrText("targetPort"),
        Protocol = f.Text("protocol"),
        AppProtocol = f.Text("appProtocol"),
    };

    private static TrafficSpec Traffic(FieldReader f) => new()
    {
        Component = f.Text("component"),
        GatewayApi = f.Raw("gatewayApi", required: true),
        Metadata = f.One("metadata", Metadata),
        Settle = f.Text("settle"),
    };

    private static FeatureFlagsSpec FeatureFlags(FieldReader f) => new()
    {
        DeliverTo = f.Texts("deliverTo"),
        Flags = f.Many("flags", static flag => new FlagSpec { Name = flag.Text("name", required: true) ?? "", Enabled = flag.Flag("enabled", required: true) ?? false }),
    };

    private static RolloutSpec Rollout(FieldReader f) => new()
    {
        Paused = f.Flag("paused"),
        ProgressDeadline = f.Text("progressDeadline"),
        RetireDelay = f.Text("retireDelay"),
        Steps = f.Many("steps", Step),
    };

    private static StepSpec Step(FieldReader f) => new()
    {
        Name = f.Text("name", required: true) ?? "",
        Weight = f.Number("weight", required: true) ?? 0,
        Hold = f.Text("hold"),
        Approval = f.Text("approval"),
        Flags = f.Texts("flags"),
    };

    private static RollbackSpec Rollback(FieldReader f) => new()
    {
        KeepFailedPods = f.Text("keepFailedPods"),
        UndoWindow = f.Text("undoWindow"),
    };

    private static SlaSpec Sla(FieldReader f) => new()
    {
        Source = f.Text("source"),
        Interval = f.Text("interval"),
        WarmUp = f.Text("warmUp"),
        NoDataTimeout = f.Text("noDataTimeout"),
        Volume = f.One("volume", static v => new VolumeSpec { Query = v.Text("query", required: true) ?? "", Min = v.LongNumber("min", required: true) ?? 0 }),
        Metrics = f.Many("metrics", Metric),
    };

    private static MetricSpec Metric(FieldReader f) => new()
    {
        Name = f.Text("name", required: true) ?? "",
        Component = f.Text("component"),
        Query = f.Text("query"),
        Preset = f.Text("preset"),
        Window = f.Text("window"),
        Limit = f.One("limit", Limit, required: true),
        FailAfter = f.Number("failAfter"),
        Steps = f.Texts("steps"),
        OnBreach = f.Text("onBreach"),
    };

    private static LimitSpec Limit(FieldReader f) => new()
    {
        Max = f.Text("max"),
        Min = f.Text("min"),
        MaxIncrease = f.Text("maxIncrease"),
        MaxDecrease = f.Text("maxDecrease"),
        MaxIncreasePercent = f.Text("maxIncreasePercent"),
        MinIncreasePercent = f.Text("minIncreasePercent"),
    };
}
