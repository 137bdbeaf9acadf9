using RagOperator.ClusterTests.Infrastructure;
using RagOperator.Tests.Shared.Objects;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Admission;

/// <summary>Validation at the door of a real API server.</summary>
[Collection("webhook")]
public sealed class ValidationTests(WebhookSpace webhook, ITestOutputHelper output)
{
    private TestSpace Space => webhook.Space;

    [SkippableFact]
    public async Task Apply_is_refused_with_every_error_and_its_field()
    {
        var said = (await Space.Bed.KubectlWithInputAsync(Objects.Bad, "apply", "-n", webhook.Still, "-f", "-")).Error;

        output.WriteLine(said);
        Assert.All(Objects.BadFields, field => Assert.Contains(field, said, StringComparison.Ordinal));
        Assert.Null(await Space.Bed.GetAsync("ragdeployments", "assistant", webhook.Still));
    }

    [SkippableFact]
    public async Task Dry_run_and_diff_are_asked_too_and_keep_nothing()
    {
        await Space.Bed.ApplyAsync(Objects.Good.Replace("name: assistant", "name: diffed", StringComparison.Ordinal), "-n", webhook.Still);
        var version = await VersionAsync("diffed");
        var changed = Objects.Good.Replace("name: assistant", "name: diffed", StringComparison.Ordinal).Replace("weight: 50", "weight: 40", StringComparison.Ordinal);

        var diff = await Space.Bed.KubectlWithInputAsync(changed, "diff", "-n", webhook.Still, "-f", "-");
        var same = await Space.Bed.KubectlWithInputAsync(Objects.Good.Replace("name: assistant", "name: diffed", StringComparison.Ordinal), "diff", "-n", webhook.Still, "-f", "-");
        var bad = await webhook.ReviewAsync(webhook.Still, Objects.Bad.Replace("name: assistant", "name: diffed", StringComparison.Ordinal));

        Assert.Equal((1, true), (diff.ExitCode, diff.Out.Contains("weight: 40", StringComparison.Ordinal)));
        Assert.Equal((0, ""), (same.ExitCode, same.Out));
        Assert.Contains("is invalid", bad, StringComparison.Ordinal);
        Assert.Equal(version, await VersionAsync("diffed"));
    }

    [SkippableFact]
    public async Task Kubectl_prints_warnings()
    {
        var risky = Objects.Good.Replace("weight: 5,", "weight: 60,", StringComparison.Ordinal).Replace("weight: 50", "weight: 60", StringComparison.Ordinal);
        risky = risky[..risky.IndexOf("  sla:", StringComparison.Ordinal)];
        var created = await webhook.ReviewAsync(webhook.Still, risky);
        await Space.Bed.ApplyAsync(Objects.Good.Replace("name: assistant", "name: warned", StringComparison.Ordinal), "-n", webhook.Still);

        var changed = await webhook.ReviewAsync(
            webhook.Still, Objects.Good.Replace("name: assistant", "name: warned", StringComparison.Ordinal).Replace("name: embedder, image: \"none:1\"", "name: embedder, image: \"none:2\"", StringComparison.Ordinal));

        output.WriteLine(created + changed);
        Assert.Contains("Warning: spec.sla.metrics: has no metric", created, StringComparison.Ordinal);
        Assert.Contains("Warning: spec.rollout.steps[0].weight: \"60\": is more than half", created, StringComparison.Ordinal);
        Assert.Contains("Warning: spec.components[0]: \"embedder\": changes the embedder while nothing checks the index", changed, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Objects_of_the_list_are_judged_alike_by_schema_webhook_and_operator()
    {
        var wrong = new List<string>();
        await Parallel.ForEachAsync(SpecCase.All, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (@case, _) =>
        {
            var name = @case.Object["metadata"]!["name"]!.GetValue<string>();
            // Names apart, so that what one case leaves is not what another meets.
            var (open, openSaid) = await webhook.CreateAsync(webhook.Open, @case.Object["spec"]!.ToJsonString(), name);
            var (asked, askedSaid) = await webhook.CreateAsync(webhook.Still, @case.Object["spec"]!.ToJsonString(), name);
            var bySchema = @case.Schema == "schema";
            if (open < 300 == bySchema) Wrong($"schema alone: {open} {openSaid}");
            var passes = @case.IsGood || @case.Schema == "prunes";
            if (asked < 300 != passes) Wrong($"schema and webhook: {asked} {askedSaid}");
            if (passes || bySchema || asked < 300) return;
            var fields = askedSaid.GetProperty("details").GetProperty("causes").EnumerateArray().Select(static c => c.GetProperty("field").GetString()!).Order(StringComparer.Ordinal);
            if (!fields.SequenceEqual(@case.Problems.Order(StringComparer.Ordinal)) || asked != 422) Wrong($"webhook: {asked} {askedSaid}");

            void Wrong(string what)
            {
                lock (wrong) wrong.Add($"{@case}: {what}");
            }
        });

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    [SkippableFact]
    public async Task Invalid_object_can_still_be_labelled_switched_off_and_deleted()
    {
        // Made where nobody asks, as if the webhook had been down.
        var yaml = Objects.Bad.Replace("name: assistant", "name: old", StringComparison.Ordinal) + "\n  featureFlags: {flags: [{name: replay, enabled: true}]}\n";
        await Space.Bed.KubectlAsync("label", "namespace", webhook.Still, "webhook-test-");
        try
        {
            await Space.UntilAsync(async () => (await Space.Bed.KubectlWithInputAsync(yaml, "apply", "-n", webhook.Still, "-f", "-")).Ok, TimeSpan.FromSeconds(20), "let in without a webhook");
        }
        finally
        {
            (await Space.Bed.KubectlAsync("label", "namespace", webhook.Still, "webhook-test=asked")).OrThrow();
        }

        await webhook.IsAskedAsync();
        var label = await Space.Bed.KubectlAsync("label", "ragd", "old", "-n", webhook.Still, "team=search");
        var edit = await PatchAsync("old", """{"spec":{"rollout":{"progressDeadline":"5m"}}}""");
        var kill = await PatchAsync("old", """{"spec":{"featureFlags":{"flags":[{"name":"replay","enabled":false}]}}}""");
        await PatchAsync("old", """{"metadata":{"finalizers":["test.example/x"]}}""");
        var delete = await Space.Bed.KubectlAsync("delete", "ragd", "old", "-n", webhook.Still, "--wait=false");
        var finalizer = await PatchAsync("old", """{"metadata":{"finalizers":null}}""");

        Assert.True(label.Ok, label.Error);
        Assert.Contains("is invalid", edit.Error, StringComparison.Ordinal);
        Assert.True(kill.Ok, kill.Error);
        Assert.Contains("only its disabled flags are obeyed", kill.Error, StringComparison.Ordinal);
        Assert.True(delete.Ok, delete.Error);
        Assert.True(finalizer.Ok, finalizer.Error);
        Assert.Null(await Space.Bed.GetAsync("ragdeployments", "old", webhook.Still));
    }

    private Task<TestBed.CommandResult> PatchAsync(string name, string patch) => Space.Bed.KubectlAsync("patch", "ragd", name, "-n", webhook.Still, "--type=merge", "-p", patch);

    private async Task<string> VersionAsync(string name) => (await Space.Bed.GetAsync("ragdeployments", name, webhook.Still))!.Value.GetProperty("metadata").GetProperty("resourceVersion").GetString()!;
}

/// <summary>The tests of the webhook share one, one after the other.</summary>
[CollectionDefinition("webhook")]
public sealed class WebhookCollection : ICollectionFixture<WebhookSpace>;
