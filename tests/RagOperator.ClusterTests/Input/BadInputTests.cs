using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Input;

/// <summary>What a user gets wrong: refused by the CRD or named in a condition with field, value and rule, within a second, and what ran goes on untouched.</summary>
[Collection(AloneCollection.Name)]
public sealed class BadInputTests(BadInputTests.Shared shared, ITestOutputHelper output) : IClassFixture<BadInputTests.Shared>
{
    private const string TooLong = "an-assistant-whose-name-is-a-bit-too-long-for-children";

    private TestSpace Space => shared.Space;

    [SkippableTheory]
    [InlineData("a cycle in dependsOn", "spec.components", "embedder -> api -> embedder", "cycle")]
    [InlineData("a component that nothing reaches", "spec.components", "lonely", "reach")]
    [InlineData("an unknown variable", "spec.sla.metrics[0].query", "$(servce)", "$(service)")]
    [InlineData("a limit of 5 %x", "limit.max", "5 %x", "(%|ms|s|")]
    [InlineData("a falling weight", "spec.rollout.steps[1].weight", "20", "50")]
    [InlineData("a last step of 50", "spec.rollout.steps[0].weight", "50", "100")]
    [InlineData("a source that does not exist", "spec.sla.source", "nowhere", "configuration")]
    [InlineData("a source of another namespace", "spec.sla.source", "fenced", "namespace")]
    [InlineData("a field that HTTPRoute does not have", "spec.traffic.gatewayApi.parentRefs[0].sectonName", "http", "not a field")]
    [InlineData("a template that the API server refuses", "imagePullPolicy", "Sometimes", "supported values")]
    public async Task Wrong_spec_is_named_with_field_value_and_rule(string what, string field, string value, string rule)
    {
        var before = await SnapshotAsync();

        var words = await ApplyWrongAsync(Broken(what), "assistant");

        output.WriteLine($"{what}: {words}");
        foreach (var part in (string[])[field, value, rule])
            Assert.Contains(part, words, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(before, await SnapshotAsync());
        Assert.Equal(200, (await Space.AskAsync()).Status);
    }

    [SkippableFact]
    public async Task Name_too_long_for_its_children_is_named()
    {
        var words = await ApplyWrongAsync((shared.Base with { Name = TooLong, Host = "long.example.com" }).ToYaml(), TooLong);
        output.WriteLine(words);
        Assert.Contains("metadata.name", words, StringComparison.Ordinal);
        Assert.Contains(TooLong, words, StringComparison.Ordinal);
        Assert.Contains("at most 50", words, StringComparison.Ordinal);
        await Space.Bed.KubectlAsync("delete", "ragd", TooLong, "-n", Space.Namespace);
    }

    [SkippableFact]
    public async Task Name_that_a_foreign_Service_holds_is_named_and_the_Service_left_alone()
    {
        await Space.Bed.ApplyAsync($"""
            apiVersion: v1
            kind: Service
            metadata:
              name: taken
              namespace: {Space.Namespace}
            spec:
              ports: [port: 80]
            """);
        var path = $"/api/v1/namespaces/{Space.Namespace}/services/taken";
        var before = (await Space.Api.GetAsync(path))!.Value.GetProperty("metadata").Text("resourceVersion");

        var words = await ApplyWrongAsync((shared.Base with { Name = "taken", Host = "taken.example.com" }).ToYaml(), "taken", "NameTaken");

        output.WriteLine(words);
        Assert.Contains($"Service {Space.Namespace}/taken is held by", words, StringComparison.Ordinal);
        Assert.Equal(before, (await Space.Api.GetAsync(path))!.Value.GetProperty("metadata").Text("resourceVersion"));
        Assert.DoesNotContain(await Space.SizesAsync(), d => d.Key.StartsWith("taken-", StringComparison.Ordinal));
        await Space.Bed.KubectlAsync("delete", "ragd", "taken", "-n", Space.Namespace);
    }

    private string Broken(string what)
    {
        var good = shared.Base;
        const string Max = "{name: m, query: 'sum(up{job=\"$(service)\"})', limit: {max: '1'}}";
        return what switch
        {
            "a cycle in dependsOn" => Replaced(good.ToYaml(), "dependsOn: []", "dependsOn: [api]"),
            "a component that nothing reaches" => Replaced(good.ToYaml(), "components:\n", "components:\n    - {name: lonely, external: {service: lonely, port: 80}}\n"),
            "an unknown variable" => (good with { Metrics = [Max.Replace("$(service)", "$(servce)", StringComparison.Ordinal)] }).ToYaml(),
            "a limit of 5 %x" => (good with { Metrics = [Max.Replace("max: '1'", "max: '5 %x'", StringComparison.Ordinal)] }).ToYaml(),
            "a falling weight" => (good with { Steps = ["{name: a, weight: 50, hold: 1s}", "{name: b, weight: 20, hold: 1s}", "{name: c, weight: 100, hold: 1s}"] }).ToYaml(),
            "a last step of 50" => (good with { Steps = ["{name: half, weight: 50, hold: 1s}"] }).ToYaml(),
            "a source that does not exist" => (good with { Metrics = [RagService.ErrorRate], Sla = ["source: nowhere"] }).ToYaml(),
            "a field that HTTPRoute does not have" => Replaced(good.ToYaml(), "{name: public, ", "{name: public, sectonName: http, "),
            "a source of another namespace" => (good with { Metrics = [RagService.ErrorRate], Sla = ["source: fenced"] }).ToYaml(),
            _ => Replaced((good with { Api = "1.1" }).ToYaml(), "imagePullPolicy: Never", "imagePullPolicy: Sometimes"),
        };
    }

    private static string Replaced(string yaml, string old, string by)
    {
        var at = yaml.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, old);
        return yaml[..at] + by + yaml[(at + old.Length)..];
    }

    /// <summary>Applies what is wrong; answers what the user is told, by kubectl or by the condition.</summary>
    private async Task<string> ApplyWrongAsync(string yaml, string name, string reason = "InvalidSpec")
    {
        var applied = await Space.Bed.KubectlWithInputAsync(yaml, "apply", "-f", "-");
        if (!applied.Ok)
            return applied.Error;
        var status = await Space.UntilAsync(s => s.ConditionOf("Stalled").Reason == reason, TimeSpan.FromSeconds(20), $"refused: {reason}", name);
        Assert.Equal(("Degraded", "False"), (status.Phase, status.ConditionOf("Ready").Status));
        var writes = Space.Writes().Where(w => w.Name == name).ToList();
        var wrong = writes.FindLastIndex(w => w.Resource == "ragdeployments");
        var told = writes.FindIndex(wrong, w => w.Resource == "ragdeployments/status" && w.Object.GetProperty("status").TryGetProperty("phase", out var phase) && phase.GetString() == "Degraded");
        var took = writes[told].At - writes[wrong].At;
        output.WriteLine($"told after {took.TotalMilliseconds:0} ms");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        return status.ConditionOf("Stalled").Message;
    }

    /// <summary>What must not move: the route, the stable Services, the Deployments and their pods.</summary>
    private async Task<string> SnapshotAsync()
    {
        var lines = new List<string> { (await Space.RouteAsync()).GetProperty("metadata").Text("resourceVersion") };
        foreach (var resource in (string[])["services", "configmaps"])
            lines.AddRange((await Space.ListAsync(resource, "ragoperator.dev/name=assistant")).Select(o => $"{o.GetProperty("metadata").Text("name")} {o.GetProperty("metadata").Text("resourceVersion")}"));
        lines.AddRange((await Space.SizesAsync()).Select(d => $"{d.Key} {d.Value}"));
        lines.AddRange(await Space.PodsAsync("api"));
        lines.AddRange(await Space.PodsAsync("embedder"));
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    public sealed class Shared() : InstalledSpace("bad-input", "--metricSources.fenced.url", "http://127.0.0.1:9", "--metricSources.fenced.namespaces", "elsewhere");
}
