using System.Text.Json;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests;

/// <summary>The status cannot be written while a release hurts: lowering needs no journal.</summary>
public sealed class StatusRefusedTests(ITestOutputHelper output)
{
    // Five minutes where all is run; in between nothing else happens.
    private static readonly TimeSpan s_refused = FaultClass.All ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(15);

    [SkippableTheory]
    [InlineData(500, false)]
    [InlineData(403, false)]
    [InlineData(422, true)]
    [InlineData(503, true)]
    public Task Traffic_comes_back_in_a_breach_although_status_writes_are_refused(int code, bool restart) => FaultTable.CaseAsync(
        $"api/status refused ({code}) in a breach", () => Lab.InSlotAsync(() => PlayAsync(code, restart)),
        $"for {s_refused.TotalSeconds:0} s{(restart ? ", operator restarted meanwhile" : "")}");

    private async Task PlayAsync(int code, bool restart)
    {
        var bed = await FaultBed.SharedAsync();
        await using var world = await FaultWorld.CreateAsync(bed, $"status-{code}", []);
        var spec = new ServiceSpec { Hold = "1h", FailAfter = 3 };
        await world.InstallAsync(spec);
        world.Proxy.Trajectory.Arm();
        await world.ApplyAsync(spec with { Api = "2" });
        await world.UntilAsync(static s => s is { StepName: "few", StepState: "Holding", Weight: 10 }, "the first step's hold");
        var release = (await world.StatusAsync()).Canary;

        world.Proxy.Refuse = call => call.Resource == "ragdeployments/status" ? code : null;
        world.Prometheus.Value = query => query.Contains(world.FirstService, StringComparison.Ordinal) ? 0 : 0.5;
        await world.UntilAsync(async () => await world.WeightBesideAsync(world.FirstService) == 0, "traffic back while the status is refused");
        Assert.Contains(release, await AnnotationAsync(world), StringComparison.Ordinal);
        if (restart)
            await world.RestartOperatorAsync();

        // Whatever the metrics say now, and whoever comes: nothing rises again.
        world.Prometheus.Value = static _ => 0;
        var until = TimeProvider.System.GetUtcNow() + s_refused;
        while (TimeProvider.System.GetUtcNow() < until)
        {
            Assert.Equal(0, await world.WeightBesideAsync(world.FirstService));
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        }

        world.Proxy.Refuse = static _ => null;
        var status = await world.UntilAsync(static s => s is { Phase: "Degraded", IsRetiring: false } && s.Condition("RolledBack") == "True", "the decision told in status");
        Assert.Equal(release, status.Failed);
        await world.QuietAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(0, await world.WeightBesideAsync(world.FirstService));
        Assert.Empty(Invariants.Broken(world.Proxy.Trajectory.All));
        Assert.Empty(world.ProcessTroubles());
        output.WriteLine($"{status}");
        world.Forget();
    }

    private static async Task<string> AnnotationAsync(FaultWorld world) =>
        (await world.RouteAsync())!.Value.GetProperty("metadata").TryGetProperty("annotations", out var annotations)
        && annotations.TryGetProperty("ragoperator.dev/rolled-back", out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
}
