using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Admission;

/// <summary>Who asked, at the door of a real API server. jane may write objects; ann may also approve and abort; root may everything.</summary>
[Collection("webhook")]
public sealed class RequesterTests(WebhookSpace webhook, ITestOutputHelper output)
{
    private const string Stamp = "ragoperator.dev/requested-by";
    private const string Request = "ragoperator.dev/request";

    private TestSpace Space => webhook.Space;

    [SkippableFact]
    public async Task Request_takes_its_verb_and_is_stamped_whatever_was_written_there()
    {
        await MadeAsync("asked");

        var jane = await AnnotateAsync("jane", "asked", "approve/current/canary");
        var ann = await AnnotateAsync("ann", "asked", "approve/current/canary", forged: "v1.1.AAAA root");
        var nonsense = await AnnotateAsync("ann", "asked", "aprove/current");
        var kept = await AnnotateAsync("ann", "asked", "approve/current/canary", forged: "v1.1.AAAA root", keep: true);

        output.WriteLine(jane.Error + nonsense.Error);
        Assert.Contains("user \"jane\" may not approve it: that takes the verb \"approve\"", jane.Error, StringComparison.Ordinal);
        Assert.Contains("verbs: [approve]", jane.Error, StringComparison.Ordinal);
        Assert.Matches(@"^v1\.\d{13}\.[A-Za-z0-9_-]{43} ann$", StampIn(kept.OrThrow().Out)!);
        // What is only tried out shows who would stand there, and gives nobody a stamp to keep.
        Assert.Matches(@"^v1\.\d{13}\.dry-run ann$", StampIn(ann.OrThrow().Out)!);
        Assert.Contains("must begin with one of approve, promote, retry, abort, pause, resume", nonsense.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Stamp_without_a_request_is_taken_away_and_one_beside_it_is_given_back()
    {
        await MadeAsync("forged");

        var alone = await Space.Bed.KubectlAsync("annotate", "ragd", "forged", "-n", webhook.Still, $"{Stamp}=v1.1.AAAA root", "--as=jane", "-o", "json");
        var kept = await AnnotateAsync("ann", "forged", "abort/current", keep: true);
        var changed = await Space.Bed.KubectlAsync("annotate", "--overwrite", "ragd", "forged", "-n", webhook.Still, $"{Stamp}=v1.1.AAAA root", "--as=jane", "-o", "json");
        var removed = await Space.Bed.KubectlAsync("annotate", "ragd", "forged", "-n", webhook.Still, $"{Stamp}-", "--as=jane", "-o", "json");
        var cleared = await Space.Bed.KubectlAsync("annotate", "ragd", "forged", "-n", webhook.Still, $"{Request}-", "--as=jane", "-o", "json");

        Assert.Null(StampIn(alone.OrThrow().Out));
        Assert.EndsWith(" ann", StampIn(kept.OrThrow().Out), StringComparison.Ordinal);
        Assert.Equal(StampIn(kept.Out), StampIn(changed.OrThrow().Out));
        Assert.Equal(StampIn(kept.Out), StampIn(removed.OrThrow().Out));
        Assert.Null(StampIn(cleared.OrThrow().Out));
    }

    [SkippableFact]
    public async Task Approval_is_taken_off_a_running_step_by_those_only_who_may_approve()
    {
        await MadeAsync("running");
        var (code, body) = await Space.Api.SendAsync(HttpMethod.Patch, $"/apis/ragoperator.dev/v1alpha1/namespaces/{webhook.Still}/ragdeployments/running/status",
            """{"status":{"observedGeneration":1,"canaryRevision":"abc","step":{"index":0,"name":"canary","weight":5,"state":"Waiting"}}}""", "application/merge-patch+json");
        Assert.True(code < 300, body.ToString());
        var free = Named("running").Replace(", approval: Required", "", StringComparison.Ordinal);
        var gone = Named("running").Replace("name: canary, weight: 5, hold: 1h, approval: Required", "name: first, weight: 5", StringComparison.Ordinal);
        var other = Named("running").Replace("weight: 50", "weight: 40", StringComparison.Ordinal);

        Assert.Contains("user \"jane\" may not take approval off step \"canary\", which is running", await DryAsync("jane", free), StringComparison.Ordinal);
        Assert.Contains("user \"jane\" may not take approval off", await DryAsync("jane", gone), StringComparison.Ordinal);
        Assert.Contains("configured", await DryAsync("jane", other), StringComparison.Ordinal);
        Assert.Contains("configured", await DryAsync("ann", free), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Operator_takes_requests_from_those_it_knows_and_tells_who_asked()
    {
        await Space.Bed.ApplyAsync(Objects.Good, "-n", webhook.Watched);
        await Space.UntilAsync(s => s.CanaryRevision is not null || s.Release is not null, TimeSpan.FromSeconds(20), "seen by the operator");

        (await Space.Bed.KubectlAsync("annotate", "ragd", "assistant", "-n", webhook.Watched, $"{Request}=approve/current/canary", "--as=ann")).OrThrow();
        var known = await Space.UntilAsync(s => s.LastRequest is { Removed: true }, TimeSpan.FromSeconds(20), "handled and removed");
        Assert.Equal(("approve/current/canary", "ann"), (known.LastRequest!.Request, known.LastRequest.By));
        // Asked for by somebody known: what it says is of the rollout. A first install has no steps.
        Assert.DoesNotContain("proven", known.LastRequest.Message!, StringComparison.Ordinal);

        // Past the webhook: a stamp of ann's for the same, copied from before, and none at all.
        await Space.Bed.KubectlAsync("label", "namespace", webhook.Watched, "webhook-test-");
        try
        {
            await Space.UntilAsync(async () => StampIn((await Space.Bed.KubectlAsync("annotate", "ragd", "assistant", "-n", webhook.Watched, $"{Stamp}=x", "--dry-run=server", "-o", "json")).Out) == "x", TimeSpan.FromSeconds(20), "nobody asks the webhook");
            (await Space.Bed.KubectlAsync("annotate", "ragd", "assistant", "-n", webhook.Watched, $"{Request}=approve/current/half", $"{Stamp}=v1.1.AAAA ann")).OrThrow();
            var unknown = await Space.UntilAsync(s => s.LastRequest is { Request: "approve/current/half", Removed: true }, TimeSpan.FromSeconds(20), "handled and removed");
            Assert.Equal(("Refused", null), (unknown.LastRequest!.Outcome, unknown.LastRequest.By));
            Assert.Contains("it is not proven who asks", unknown.LastRequest.Message, StringComparison.Ordinal);
            Assert.Contains(await Space.EventsAsync(), e => e.Reason == "RequestRefused" && e.Note.Contains("not proven", StringComparison.Ordinal));

            (await Space.Bed.KubectlAsync("annotate", "ragd", "assistant", "-n", webhook.Watched, $"{Request}=pause/current")).OrThrow();
            var paused = await Space.UntilAsync(s => s.LastRequest is { Request: "pause/current", Removed: true }, TimeSpan.FromSeconds(20), "handled and removed");
            Assert.DoesNotContain("proven", paused.LastRequest!.Message!, StringComparison.Ordinal);
        }
        finally
        {
            (await Space.Bed.KubectlAsync("label", "namespace", webhook.Watched, "webhook-test=asked")).OrThrow();
        }

        var metadata = (await Space.Bed.GetAsync("ragdeployments", "assistant", webhook.Watched))!.Value.GetProperty("metadata");
        Assert.False(metadata.GetProperty("annotations").TryGetProperty(Stamp, out _));
    }

    private static string Named(string name) => Objects.Good.Replace("name: assistant", $"name: {name}", StringComparison.Ordinal);

    private Task MadeAsync(string name) => Space.Bed.ApplyAsync(Named(name), "-n", webhook.Still);

    private Task<CommandResult> AnnotateAsync(string user, string name, string request, string? forged = null, bool keep = false)
    {
        string[] args = ["annotate", "ragd", name, "-n", webhook.Still, $"{Request}={request}", $"--as={user}", "-o", "json"];
        if (forged is not null) args = [.. args, $"{Stamp}={forged}"];
        return Space.Bed.KubectlAsync(keep ? args : [.. args, "--dry-run=server"]);
    }

    private async Task<string> DryAsync(string user, string yaml)
    {
        var result = await Space.Bed.KubectlWithInputAsync(yaml, "apply", "--dry-run=server", $"--as={user}", "-n", webhook.Still, "-f", "-");
        return result.Out + result.Error;
    }

    private static string? StampIn(string json) =>
        JsonElement.Parse(json).GetProperty("metadata") is var metadata && metadata.TryGetProperty("annotations", out var annotations) && annotations.TryGetProperty(Stamp, out var stamp) ? stamp.GetString() : null;
}
