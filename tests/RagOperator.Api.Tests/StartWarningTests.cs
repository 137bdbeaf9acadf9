using RagOperator.Api.Resolved;

namespace RagOperator.Api.Tests;

/// <summary>What would keep pods from being available in time is told when the spec is written, and a spec that ran before is not taken down by a new rule.</summary>
public sealed class StartWarningTests
{
    [Theory]
    [InlineData("{failureThreshold: 120, periodSeconds: 10, initialDelaySeconds: 1}", "spec.components[2].template.spec.containers[0].startupProbe", "20m1s")]
    [InlineData("{failureThreshold: 120, periodSeconds: 10}", null, null)]
    [InlineData("{failureThreshold: 121}", "spec.components[2].template.spec.containers[0].startupProbe", "20m10s")]
    [InlineData("{failureThreshold: 1e300, periodSeconds: 1e300}", "spec.components[2].template.spec.containers[0].startupProbe", "365d")]
    [InlineData("{periodSeconds: 'x'}", null, null)]
    public void Startup_probe_that_outlasts_the_deadline_of_its_component_is_warned_of(string probe, string? field, string? value)
    {
        var warnings = Specs.Read(s => s.Put("components[2].template.spec.containers[0].startupProbe", probe)).Warnings;

        Assert.Equal(field is null ? [] : [(field, value!)], warnings.Select(static w => (w.Field, w.Value)));
    }

    [Fact]
    public void Init_container_that_goes_on_running_is_held_to_the_deadline_of_the_rollout()
    {
        var warning = Assert.Single(Specs.Read(static s => s.Put("components[1].template.spec.initContainers", "[{name: proxy, restartPolicy: Always, startupProbe: {failureThreshold: 31}}]")).Warnings);

        Assert.Equal("spec.components[1].template.spec.initContainers[0].startupProbe", warning.Field);
        Assert.Contains("progressDeadline of 5m", warning.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void Pods_that_may_not_count_before_the_deadline_are_warned_of() =>
        Assert.Equal("spec.components[1].minReadySeconds", Assert.Single(Specs.Read(static s => s.Put("components[1].minReadySeconds", "300")).Warnings).Field);

    [Fact]
    public void Target_port_that_no_container_names_is_warned_of() =>
        Assert.Equal(("spec.components[2].ports[0].targetPort", "http"), Assert.Single(Specs.Read(static s => s.Put("components[2].ports[0].targetPort", "http")).Warnings) is var w ? (w.Field, w.Value) : default);

    [Fact]
    public void Template_that_an_earlier_version_accepted_is_warned_of_and_goes_on()
    {
        var spec = Specs.GoodSpec();
        spec.Put("components[1].template.metadata", "{finalizers: [example.com/wait]}");

        Assert.Null(Specs.ReadNode(spec).Spec);
        var accepted = Specs.ReadNode(spec, accepted: true);
        Assert.NotNull(accepted.Spec);
        Assert.Equal("spec.components[1].template.metadata.finalizers", Assert.Single(accepted.Warnings).Field);
    }

    [Fact]
    public void What_is_carried_beside_the_content_is_read()
    {
        var spec = Specs.Read().Spec!;

        var embedder = spec.Component("embedder")!;
        Assert.Equal((TimeSpan.FromMinutes(20), 5), (embedder.ProgressDeadline, embedder.MinReadySeconds));
        Assert.Equal("cost-center=4711 owner=search team", Text(embedder.Metadata));
        Assert.Equal("team=search note=", Text(spec.Metadata));
        Assert.Equal((null, null, ""), (spec.Component("api")!.ProgressDeadline, spec.Component("api")!.MinReadySeconds, Text(spec.Component("api")!.Metadata)));
    }

    private static string Text(ResolvedMetadata metadata) => string.Join(" ", metadata.Labels.Concat(metadata.Annotations).Select(static t => $"{t.Key}={t.Value}"));
}
