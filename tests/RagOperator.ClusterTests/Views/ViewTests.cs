using RagOperator.ClusterTests.Infrastructure;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Views;

/// <summary>What people see who have not read the docs. Everything is also printed: whether it reads well is for a person to judge.</summary>
public sealed class ViewTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Get_describe_and_explain_tell_where_it_is_why_and_what_happened()
    {
        await using var space = await TestSpace.CreateAsync("views");
        await space.InstallAsync(space.Service());
        Assert.Equal(["NAME", "PHASE", "STEP", "WEIGHT", "RELEASE", "UNTIL", "AGE"], Words((await ShowAsync(space, "get", "ragd"))[0]));

        var good = space.Service() with
        {
            Api = "1.1",
            Steps = ["{name: half, weight: 50, hold: 15s}", "{name: full, weight: 100, hold: 2s, approval: Required}"],
            Metrics = [RagService.ErrorRate],
        };
        await using var load = space.StartLoad(30);
        await space.ApplyAsync(good);
        var holding = await space.UntilAsync(s => s.Step is { Name: "half", HoldUntil: not null }, TestSpace.Patience, "the clock of half runs");
        var row = Words((await ShowAsync(space, "get", "ragd"))[1]);
        Assert.Equal(["assistant", "Progressing", "half", "50", "2"], row[..5]);
        Assert.StartsWith($"{holding.Step!.HoldUntil:yyyy-MM-dd}T", row[5], StringComparison.Ordinal);

        await space.UntilAsync(s => s.Step is { Name: "full", State: "Waiting" }, TestSpace.Patience, "full waits for approval");
        var wide = await ShowAsync(space, "get", "ragd", "-o", "wide");
        Assert.Equal(["STABLE", "CANARY", "MESSAGE"], Words(wide[0])[^3..]);
        Assert.Contains("waiting for approval", wide[1], StringComparison.Ordinal);
        Assert.Contains("ragoperator.dev/request=approve/2/full", wide[1], StringComparison.Ordinal);

        await space.RequestAsync("approve/current/full");
        await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "release 2 is stable");
        await space.ApplyAsync(good with { Api = "1.2-err50", Steps = ["{name: half, weight: 50, hold: 1h}", "{name: full, weight: 100, hold: 1h}"] });
        await space.UntilAsync(s => s.Phase == "Degraded", TestSpace.Patience, "release 3 is taken back");
        var bad = await ShowAsync(space, "get", "ragd", "-o", "wide");
        Assert.Contains("was taken back in step half: metric error-rate", bad[1], StringComparison.Ordinal);

        // How often a metric is silent for a moment, of stable or of the canary, depends on the machine; all the rest does not.
        var told = await DescribedEventsAsync(space);
        var story = told.Where(reason => reason is not "SpecWarning" && !reason.StartsWith("Baseline", StringComparison.Ordinal) && (!reason.StartsWith("Metric", StringComparison.Ordinal) || reason == "MetricBreach")).ToList();
        Assert.Equal(
            ["Installing", "Installed", "RolloutStarted", "StepStarted", "WeightVerified", "StepStarted", "WeightVerified", "ApprovalNeeded", "Approved", "Promoted"],
            story.Take(10));
        // The failing release may begin before the one that was replaced is retired.
        Assert.Equal(["RolloutStarted", "StepStarted", "WeightVerified", "MetricBreach", "RollbackStarted", "RolledBack"], story.Skip(10).Where(reason => reason != "Retired").Distinct(StringComparer.Ordinal));
        Assert.Contains("Retired", story);

        var explained = string.Join('\n', await ShowAsync(space, "explain", "ragdeployment.spec.sla"));
        foreach (var field in (string[])["interval", "metrics", "noDataTimeout", "source", "volume", "warmUp"])
            Assert.Contains(field, explained, StringComparison.Ordinal);
        Assert.DoesNotContain("<no description>", explained, StringComparison.OrdinalIgnoreCase);
        await ShowAsync(space, "explain", "ragdeployment.spec.sla.metrics");
        await ShowAsync(space, "explain", "ragdeployment.spec.rollout.steps");
        await load.StopAsync();
    }

    /// <summary>Reasons of the events, in the order in which describe shows them.</summary>
    private async Task<List<string>> DescribedEventsAsync(TestSpace space)
    {
        List<string> reasons = [];
        await space.UntilAsync(async () =>
        {
            var lines = (await space.Bed.KubectlAsync("describe", "ragd", "assistant", "-n", space.Namespace)).OrThrow().Out.Split('\n');
            reasons = [.. lines.SkipWhile(l => !l.StartsWith("Events:", StringComparison.Ordinal)).Skip(3).Select(Words).Where(w => w.Length > 3).Select(w => w[1])];
            return reasons.Contains("RolledBack");
        }, TimeSpan.FromSeconds(10), "the events are there");
        await ShowAsync(space, "describe", "ragd", "assistant");
        return reasons;
    }

    private async Task<string[]> ShowAsync(TestSpace space, params string[] args)
    {
        var text = (await space.Bed.KubectlAsync([.. args, "-n", space.Namespace])).OrThrow().Out;
        output.WriteLine($"$ kubectl {string.Join(' ', args)}\n{text}");
        return text.TrimEnd('\n').Split('\n');
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
