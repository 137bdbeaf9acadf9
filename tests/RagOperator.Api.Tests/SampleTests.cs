using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Api.Resolved;
using RagOperator.Tests.Shared;

namespace RagOperator.Api.Tests;

/// <summary>The samples as users apply them.</summary>
internal static class Samples
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "samples");

    public static JsonNode Object(string file) => YamlJson.Parse(File.ReadAllText(Path.Combine(Folder, file)))!;

    public static JsonNode Spec(string file) => Object(file)["spec"]!;

    public static SpecReading Read(string file) =>
        SpecReader.Read(Object(file).Deserialize(ApiJsonContext.Default.RagDeployment)!, Specs.Catalog.Instance);
}

public class SampleTests
{
    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Samples.Folder, "*.yaml").Select(f => Path.GetFileName(f)!)
            .Where(f => Samples.Object(f)["kind"]?.GetValue<string>() == ApiConstants.Kind)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_sample_is_accepted_without_problems(string file)
    {
        var reading = Samples.Read(file);

        Assert.Empty(reading.Problems);
        Assert.Equal(file == "minimal.yaml" ? 1 : 0, reading.Warnings.Count);
    }

    [Fact]
    public void Minimal_sample_has_no_line_that_could_be_spared()
    {
        var whole = Samples.Spec("minimal.yaml");
        foreach (var path in (string[])["components", "components[0].name", "components[0].ports", "components[0].template", "traffic", "traffic.gatewayApi", "traffic.gatewayApi.parentRefs"])
        {
            var spec = whole.DeepClone();
            spec.Put(path, "-");
            Assert.NotEmpty(Specs.ReadNode(spec).Problems);
        }
    }

    [Fact]
    public void Canary_plan_is_the_plan()
    {
        var policy = Samples.Read("canary-plan.yaml").Spec!.Policy;

        Assert.Equal([(5, 1, true), (10, 168, false), (50, 336, false), (100, 24, false)], policy.Steps.Select(s => (s.Weight, (int)s.Hold.TotalHours, s.ApprovalRequired)));
        Assert.Equal(
            [("error-rate", "max 1%", 3), ("latency-p95", "max 500ms", 3), ("memory", "max 85%", 2), ("cpu", "max 80%", 3)],
            policy.Sla!.Metrics.Select(m => (m.Name, m.Limit.Text, m.FailAfter)));
    }

    [Fact]
    public void Weekly_plan_first_the_code_then_the_flags()
    {
        var code = Samples.Read("weekly-1-code.yaml").Spec!;
        var flags = Samples.Read("weekly-2-flags.yaml").Spec!;

        Assert.Equal(7, code.DisabledFlags.Count);
        Assert.Empty(code.EnabledFlags);
        Assert.Equal(7, code.Policy.Steps.Sum(s => s.Hold.TotalDays));
        Assert.Equal(["max 4s", "max 0.1%", "max 1G"], code.Policy.Sla!.Metrics.Select(m => m.Limit.Text));
        Assert.Equal(["experience-replay", "soft-q-bandit"], flags.EnabledFlags);
        Assert.Equal([(10, "experience-replay"), (50, "soft-q-bandit"), (100, "")], flags.Policy.Steps.Select(s => (s.Weight, string.Join(',', s.Flags))));
        Assert.All(flags.Policy.Steps, s => Assert.Equal(TimeSpan.FromDays(7), s.Hold));
        Assert.Equal(code.Components.Select(c => c.Raw.GetRawText()), flags.Components.Select(c => c.Raw.GetRawText()));
        Assert.Equal(
            ["maxIncrease 50ms @ replay", "maxIncrease 5M @ replay", "maxIncrease 0.05% @ replay", "maxIncrease 100ms @ bandit", "max 3.5s @ full", "max 600M @ full"],
            flags.Policy.Sla!.Metrics.Select(m => $"{m.Limit.Text} @ {string.Join(',', m.Steps ?? [])}"));
    }
}
