using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed.Faults;

namespace RagOperator.ClusterTests.Outages;

/// <summary>Answers that are neither good nor bad: the clock stands, nothing is rolled back, and each is counted for itself.</summary>
public sealed class SilenceTests(SilenceTests.Shared shared) : IClassFixture<SilenceTests.Shared>
{
    private const string Requests = "sum(http_requests_total{service=\"$(service)\"})";

    // Stable has had its 40 requests when the rollout begins; the canary has not, and says nothing until then.
    private static readonly string[] s_silent =
    [
        $"{{name: empty, query: '{Requests} > 40', limit: {{max: 1M}}, failAfter: 1}}",
        $"{{name: nan, query: '0 * {Requests} + ({Requests} > bool 40) / ({Requests} > bool 40)', limit: {{max: '1'}}, failAfter: 1}}",
    ];

    private TestSpace Space => shared.Space;

    [SkippableFact]
    public Task Empty_and_NaN_stop_the_clock_and_it_goes_on_with_the_first_number() => FaultTable.CaseAsync("prometheus/empty and NaN", async () =>
    {
        await shared.ResetAsync();
        await AskAsync(60);
        await Space.ApplyAsync(shared.Base with { Api = "1.1", Steps = ["{name: half, weight: 50, hold: 6s}", "{name: full, weight: 100, hold: 1s}"], Metrics = s_silent });
        await Space.UntilHoldingAsync("half", 50);
        await AskAsync(6);

        var silent = await Space.UntilAsync(s => s.Sla!.TrueForAll(m => m.Verdict == "NoData" && m.NoData > 0), TimeSpan.FromSeconds(40), "both metrics say nothing");
        Assert.All(silent.Sla!, m => Assert.Equal((0, 0, 0), (m.TooFew, m.Errors, m.Invalid)));
        Assert.Contains("has no data", silent.Message, StringComparison.Ordinal);
        Assert.Null(silent.Step!.HoldUntil);
        // Longer than the hold would have taken.
        await Space.StaysAsync(async () => await Space.StatusAsync() is { Step: { Name: "half", HeldFor: null or "0s" }, FailedRevision: null }, TimeSpan.FromSeconds(8));

        await AskAsync(120);
        var done = await Space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "it went on with the first numbers");
        Assert.Equal("Promoted", done.History![0].Outcome);
    });

    [SkippableFact]
    public Task Too_few_requests_stop_the_clock_say_how_many_it_takes_and_it_goes_on_with_enough() => FaultTable.CaseAsync("prometheus/too few requests", async () =>
    {
        await shared.ResetAsync();
        await Space.ApplyAsync(shared.Base with
        {
            Api = "1.2",
            Steps = ["{name: half, weight: 50, hold: 3s}", "{name: full, weight: 100, hold: 1s}"],
            Metrics = ["{name: errors, query: 'vector(0)', window: 5s, limit: {max: 1%}, failAfter: 1}"],
            Sla = ["interval: 1s", $"volume: {{query: '{Requests}', min: 40}}"],
        });
        await Space.UntilHoldingAsync("half", 50);
        await AskAsync(6);

        var few = await Space.UntilAsync(s => s.Sla![0] is { Verdict: "TooFew", TooFew: > 0 }, TimeSpan.FromSeconds(40), "too few requests");
        Assert.Equal((0, 0, 0), (few.Sla![0].NoData, few.Sla[0].Errors, few.Sla[0].Invalid));
        Assert.Contains("too few requests", few.Message, StringComparison.Ordinal);
        Assert.Contains("40", few.Sla[0].Message, StringComparison.Ordinal);
        await Space.StaysAsync(async () => await Space.StatusAsync() is { Step.Name: "half", FailedRevision: null }, TimeSpan.FromSeconds(5));

        await AskAsync(120);
        await Space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "it went on with enough requests");
    });

    [SkippableFact]
    public async Task A_service_without_a_single_error_passes_the_default_error_rate()
    {
        await shared.ResetAsync();
        await using var load = Space.StartLoad(20);
        await Space.ApplyAsync(shared.Base with { Api = "1.3", Steps = ["{name: half, weight: 50, hold: 3s}", "{name: full, weight: 100, hold: 1s}"], Metrics = [RagService.ErrorRate] });
        var passed = await Space.UntilAsync(s => s.Sla?[0].Verdict == "Pass" && s.Step?.Name == "half", TestSpace.Patience, "it passes");
        Assert.Equal("0", passed.Sla![0].Value);
        await Space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "promoted");
    }

    private async Task AskAsync(int times)
    {
        for (var i = 0; i < times; i++)
            await Space.AskAsync();
    }

    public sealed class Shared() : InstalledSpace("silence");
}
