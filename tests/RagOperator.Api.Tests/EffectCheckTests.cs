using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;
using RagOperator.Tests.Shared.Mutations;

namespace RagOperator.Api.Tests;

/// <summary>What the mutants on a real cluster are held to can fail: an operator that ignores a field is caught.</summary>
public class EffectCheckTests
{
    private static readonly JsonObject s_base = (JsonObject)Samples.Spec("full.yaml");

    /// <summary>An operator that shows all of its spec but what it hides.</summary>
    private static async Task<Effect> SeenOf(JsonObject changed, string hidden = "(nothing)", int onlyFromStep = 0)
    {
        IReadOnlyList<string> Shown(JsonNode spec) => [.. Meaning.Of(spec).Where(v => !v.Key.Contains(hidden, StringComparison.Ordinal)).Select(static v => $"{v.Key}={v.Value}")];
        var check = new EffectCheck(
            static () => Task.FromResult<IReadOnlyList<string>>([]),
            step => Task.FromResult(step < onlyFromStep ? [] : Sight.Differences(Shown(EffectCheck.Rollout(s_base, step)), Shown(EffectCheck.Rollout(changed, step)))));
        return (await check.FindAsync(s_base, changed)).Effect;
    }

    [Theory]
    [InlineData("sla.metrics[0].failAfter", "4")]
    [InlineData("sla.metrics[1].limit.max", "501ms")]
    [InlineData("rollout.steps[2].approval", "Required")]
    [InlineData("rollout.paused", "true")]
    [InlineData("rollout.someFieldOfTomorrow", "1")]
    [InlineData("components[2].canaryReplicas", "2")]
    public async Task Accepted_field_that_nobody_reads_is_caught(string path, string value)
    {
        var changed = With(path, value);
        Assert.Equal(Effect.InRollout, await SeenOf(changed));
        Assert.Equal(Effect.Hidden, await SeenOf(changed, path[(path.LastIndexOf('.') + 1)..]));
    }

    [Theory]
    [InlineData("rollback.undoWindow", "1h")]
    [InlineData("sla.noDataTimeout", "29m")]
    public async Task Field_that_acts_later_is_known_to(string path, string value) => Assert.Equal(Effect.Later, await SeenOf(With(path, value), path));

    [Fact]
    public async Task Field_that_acts_later_does_not_excuse_one_beside_it()
    {
        var changed = With("rollback.undoWindow", "1h");
        Put(changed, "rollback.someFieldOfTomorrow", "1");
        Assert.Equal(Effect.Hidden, await SeenOf(changed, "rollback"));
    }

    [Fact]
    public async Task What_only_a_later_step_shows_is_looked_for_there() => Assert.Equal(Effect.InRollout, await SeenOf(With("rollout.steps[2].approval", "Required"), onlyFromStep: 2));

    [Theory]
    [InlineData("rollout.steps[0].hold", "60m")]
    [InlineData("rollback.undoWindow", "3d")]
    [InlineData("sla.metrics[0].limit.max", "\"0.01\"")]
    [InlineData("sla.metrics[0].onBreach", "Rollback")]
    [InlineData("components[1].ports[0].protocol", "TCP")]
    [InlineData("featureFlags.deliverTo", "[api]")]
    public async Task Same_in_other_words_needs_no_effect(string path, string value) => Assert.Equal(Effect.None, await SeenOf(With(path, value), "sla"));

    [Theory]
    [InlineData("rollout.steps[0].hold", "61m")]
    [InlineData("sla.metrics[0].limit.max", "\"0.02\"")]
    [InlineData("sla.metrics[2].steps", "[replay, ab]")]
    [InlineData("featureFlags.deliverTo", "[api, embedder]")]
    [InlineData("traffic.gatewayApi.hostnames", "[b.example.com]")]
    [InlineData("components[1].template.spec.hostNetwork", "false")]
    public void Other_meaning_is_told_apart(string path, string value) => Assert.NotEmpty(Meaning.Differences(s_base, With(path, value)));

    [Fact]
    public void Rollout_that_begins_at_a_later_step_is_a_valid_one()
    {
        for (var step = 0; step < 4; step++)
            Assert.Empty(Specs.ReadNode(EffectCheck.Rollout(s_base, step)).Problems);
    }

    private static JsonObject With(string path, string yaml)
    {
        var copy = (JsonObject)s_base.DeepClone();
        Put(copy, path, yaml);
        return copy;
    }

    private static void Put(JsonObject spec, string path, string yaml)
    {
        JsonNode node = spec;
        var parts = path.Split('.', '[', ']').Where(static p => p.Length > 0).ToList();
        foreach (var part in parts.SkipLast(1)) node = int.TryParse(part, out var index) ? node[index]! : node[part]!;
        node[parts[^1]] = YamlJson.Parse(yaml);
    }
}
