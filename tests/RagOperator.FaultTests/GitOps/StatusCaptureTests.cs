using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.GitOps.Tests.Health;
using RagOperator.TestBed;

namespace RagOperator.FaultTests.GitOps;

/// <summary>
/// One service through every phase, and what Argo CD and kstatus say of it at each. <c>UPDATE_STATUSES=1</c> keeps the objects as the
/// captures that RagOperator.GitOps.Tests holds the scripts against; without it, today's operator has to give the same health.
/// </summary>
public sealed class StatusCaptureTests
{
    private const string Nowhere = """ "nodeSelector": {"not": "here"}, """;

    private static readonly bool s_update = Environment.GetEnvironmentVariable("UPDATE_STATUSES") == "1";
    private static readonly ServiceSpec s_first = new();
    private static readonly ServiceSpec s_slow = new() { Api = "2", HoldOf = static step => step == 0 ? "1h" : "1s", ApprovalAt = "half" };

    // No node is like that: what needs its pods stays where it is until there is a newer spec.
    [SkippableFact]
    public Task Health_at_every_phase_of_a_real_run_is_what_the_docs_promise() => Lab.InSlotAsync(static async () =>
    {
        var bed = await FaultBed.SharedAsync();
        await using var world = await FaultWorld.CreateAsync(bed, "health", []);
        await InstallAsync(world);
        await RolloutAsync(world);
        await TakeBackAsync(world);
        await EndAsync(world);
    });

    private static async Task InstallAsync(FaultWorld world)
    {
        world.Operator.Pause();
        await world.ApplyAsync(s_first with { ApiPod = Nowhere });
        await CaptureAsync(world, "applied-first");
        world.Operator.Resume();
        await CaptureAsync(world, "installing", static s => s is { Phase: "Progressing", StepName: "install", Canary.Length: > 0 });
        await world.ApplyAsync(s_first);
        await CaptureAsync(world, "healthy", static s => s is { Phase: "Healthy", IsRetiring: false });
    }

    private static async Task RolloutAsync(FaultWorld world)
    {
        world.Operator.Pause();
        await world.ApplyAsync(s_slow with { ApiPod = Nowhere });
        await CaptureAsync(world, "applied-again");
        world.Operator.Resume();
        await CaptureAsync(world, "scaling", static s => s is { StepName: "few", StepState: "Scaling", Phase: "Progressing" });
        world.Bed.Gateway.SetForNext(world.Namespace, GatewayMood.Silent);
        await world.ApplyAsync(s_slow);
        await CaptureAsync(world, "shifting", static s => s is { StepName: "few", StepState: "Shifting" });
        await world.Bed.Gateway.SetAsync(world.Namespace, GatewayMood.Accepts);
        await CaptureAsync(world, "holding", static s => s is { StepState: "Holding", Verdict: "Pass", HoldUntil.Length: > 0 });

        world.Prometheus.Value = static _ => null;
        await CaptureAsync(world, "clock-stands", static s => s is { StepState: "Holding", Phase: "Progressing", HoldUntil: "" });
        await world.ApplyAsync(s_slow with { NoDataTimeout = "1s" });
        await CaptureAsync(world, "no-data", static s => s.Phase == "Suspended" && s.Reason("Reconciling") == "NoData");
        world.Prometheus.Value = static _ => 0;

        await world.ApplyAsync(s_slow with { HoldOf = null });
        await CaptureAsync(world, "waiting-for-approval", static s => s is { StepName: "half", StepState: "Waiting", Phase: "Suspended" });
        await world.RequestAsync("pause/current");
        await CaptureAsync(world, "paused", static s => s.IsPaused && s.Reason("Reconciling") == "Paused");
        await world.RequestAsync("resume/current");
        await world.UntilAsync(static s => !s.IsPaused, "resumed");
        await world.RequestAsync("approve/current/half");
        await CaptureAsync(world, "promoted", static s => s is { Phase: "Healthy", IsRetiring: false });
    }

    private static async Task TakeBackAsync(FaultWorld world)
    {
        var quotas = $"/api/v1/namespaces/{world.Namespace}/resourcequotas";
        await world.Api.CreateAsync(quotas, """{"metadata":{"name":"full"},"spec":{"hard":{"pods":"0"} } }""");
        await world.UntilAsync(async () => (await world.Api.ListAsync(quotas)).All(static q => q.TryGetProperty("status", out var status) && status.TryGetProperty("used", out _)), "the quota counts");
        var full = s_slow with { Api = "3" };
        await world.ApplyAsync(full);
        // Only then: before the server has refused them, pods that do not come are late and nothing else.
        await world.UntilAsync(static s => s.Message.Contains("exceeded quota", StringComparison.Ordinal), "there is no room");
        await world.ApplyAsync(full with { ProgressDeadline = "1s" });
        await CaptureAsync(world, "capacity", static s => s.Phase == "Suspended" && s.Reason("Reconciling") == "Capacity");
        await world.Api.DeleteAsync($"{quotas}/full");

        await world.ApplyAsync(s_slow with { Api = "4" });
        await world.UntilAsync(static s => s is { StepName: "few", StepState: "Holding", Weight: 10 }, "release 4 has weight");
        world.Bed.Gateway.SetForNext(world.Namespace, GatewayMood.Silent);
        await world.RequestAsync("abort/current");
        await CaptureAsync(world, "rolling-back", static s => s is { RollbackDecided: true, Phase: "Progressing" } && s.Reason("Reconciling") == "RollingBack");
        await world.Bed.Gateway.SetAsync(world.Namespace, GatewayMood.Accepts);
        await CaptureAsync(world, "rolled-back", static s => s is { Phase: "Degraded", IsRetiring: false });
    }

    private static async Task EndAsync(FaultWorld world)
    {
        await world.ApplyAsync(s_slow with { Api = "4", Sla = "\"source\": \"nobody-has-this\"," });
        await CaptureAsync(world, "invalid-spec", static s => s.Phase == "Degraded" && s.Reason("Stalled") == "InvalidSpec");

        await world.ApplyAsync(s_slow);
        await world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false }, "back at stable");
        var path = $"/apis/ragoperator.dev/v1alpha1/namespaces/{world.Namespace}/ragdeployments/assistant";
        await world.Api.PatchAsync(path, """{"metadata": {"finalizers": ["example.com/seen"]} }""");
        await world.DeleteAsync();
        await CaptureAsync(world, "deleting");
        await world.Api.PatchAsync(path, """{"metadata": {"finalizers": null} }""");
    }

    private static async Task CaptureAsync(FaultWorld world, string name, Func<StatusView, bool>? moment = null)
    {
        var item = moment is null ? (await world.ObjectAsync())!.Value : (await world.UntilAsync(moment, name)).Object!.Value;
        if (s_update)
            await File.WriteAllTextAsync(Expected.FileOf(ClusterBed.Repository, name), Expected.Kept(item));
        else
            await Expected.Of(name).CheckAsync(item, ClusterBed.Repository);
    }
}
