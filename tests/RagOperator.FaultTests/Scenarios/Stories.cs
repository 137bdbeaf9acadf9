using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Scenarios;

/// <summary>The stories that faults are put into.</summary>
public static class Stories
{
    private static readonly ServiceSpec s_one = new();
    private static readonly ServiceSpec s_flagged = new() { Flag = false };
    // The flag stays on for longer than it takes to see what it does.
    private static readonly ServiceSpec s_three = new() { Replicas = 3, Flag = false, HoldOf = static step => step == 1 ? "5s" : "1s" };
    private static readonly ServiceSpec s_waiting = new() { Approval = true };

    public static Scenario Install { get; } = new("install", null, static w => w.ApplyAsync(s_one), IsHealthy);

    public static Scenario GoodRelease { get; } = new("good-release", s_one, static w => w.ApplyAsync(s_one with { Api = "2" }), IsHealthy);

    public static Scenario Breach { get; } = new("sla-breach", s_one, static w =>
    {
        w.Prometheus.Value = query => query.Contains(w.FirstService, StringComparison.Ordinal) ? 0 : 0.5;
        return w.ApplyAsync(s_one with { Api = "2" });
    }, IsRolledBack);

    /// <summary>The release is well until its flag goes on, at half of the requests, with two pods of three.</summary>
    public static Scenario FlagBreach { get; } = new("flag-breach", s_three, static w =>
    {
        w.Prometheus.Value = query => query.Contains(w.FirstService, StringComparison.Ordinal) || !w.IsFlagOn ? 0 : 0.5;
        return w.ApplyAsync(s_three with { Api = "2", Flag = true });
    }, IsRolledBack);

    public static Scenario FlagOnAndKilled { get; } = new("flag-on-and-killed", s_flagged, static async w =>
    {
        await w.ApplyAsync(s_flagged with { Flag = true });
        await w.UntilAsync(static s => s.Phase == "Healthy" && !s.IsRetiring, "the flag promoted");
        await w.ApplyAsync(s_flagged with { Flag = false });
    }, IsHealthy);

    public static Scenario NewReleaseMidway { get; } = new("new-release-midway", s_one, static async w =>
    {
        await HalfwayAsync(w);
        await w.ApplyAsync(s_one with { Api = "3" });
    }, IsHealthy);

    public static Scenario BackToStableMidway { get; } = new("back-to-stable-midway", s_one, static async w =>
    {
        await HalfwayAsync(w);
        await w.ApplyAsync(s_one);
    }, IsHealthy);

    public static Scenario DeleteMidway { get; } = new("delete-midway", s_one, static async w =>
    {
        await HalfwayAsync(w);
        await w.DeleteAsync();
    }, IsGoneAsync);

    /// <summary>The object is deleted and made again by the same name, with half of the requests on its canary; the garbage collector is not waited for.</summary>
    public static Scenario RecreateMidway { get; } = new("recreate-midway", s_one, static async w =>
    {
        await HalfwayAsync(w);
        await w.DeleteAsync();
        await w.ApplyAsync(s_one with { Api = "2" });
    }, IsHealthy);

    public static Scenario EmbedderOnly { get; } = new("embedder-only", s_one, static w => w.ApplyAsync(s_one with { Embedder = "2" }), IsHealthy);

    public static Scenario Approval { get; } = new("approval", s_one, static async w =>
    {
        await HalfwayAsync(w);
        await w.RequestAsync("approve/current/half");
    }, IsHealthy);

    public static IReadOnlyList<Scenario> All { get; } =
        [Install, GoodRelease, Breach, FlagBreach, FlagOnAndKilled, NewReleaseMidway, BackToStableMidway, DeleteMidway, RecreateMidway, EmbedderOnly, Approval];

    public static Scenario Named(string name) => All.Single(s => s.Name == name);

    /// <summary>Half of the requests go to the new release, which waits for an approval.</summary>
    private static async Task HalfwayAsync(FaultWorld world)
    {
        await world.ApplyAsync(s_waiting with { Api = "2" });
        await world.UntilAsync(static s => s is { StepName: "half", StepState: "Waiting", Weight: 50 }, "halfway");
    }

    private static async Task<bool> IsHealthy(FaultWorld world) => await world.StatusAsync() is { IsCurrent: true, Phase: "Healthy", IsRetiring: false } && await HasRetiredAsync(world);

    private static async Task<bool> IsRolledBack(FaultWorld world) =>
        await world.StatusAsync() is { IsCurrent: true, Phase: "Degraded", IsRetiring: false } status && status.Condition("RolledBack") == "True" && await HasRetiredAsync(world);

    /// <summary>Whether each component has one Deployment. Status tells that a release has retired before its Deployments are deleted.</summary>
    private static async Task<bool> HasRetiredAsync(FaultWorld world)
    {
        var components = (await world.Api.ListAsync($"/apis/apps/v1/namespaces/{world.Namespace}/deployments?labelSelector=ragoperator.dev/component"))
            .Select(static d => d.GetProperty("metadata").GetProperty("labels").GetProperty("ragoperator.dev/component").GetString()).ToList();
        return components.Count > 0 && components.Distinct(StringComparer.Ordinal).Count() == components.Count;
    }

    private static async Task<bool> IsGoneAsync(FaultWorld world)
    {
        foreach (var kind in (string[])["/apis/ragoperator.dev/v1alpha1/namespaces/{0}/ragdeployments", "/apis/gateway.networking.k8s.io/v1/namespaces/{0}/httproutes",
            "/apis/apps/v1/namespaces/{0}/deployments", "/api/v1/namespaces/{0}/services", "/apis/apps/v1/namespaces/{0}/controllerrevisions"])
        {
            if ((await world.Api.ListAsync(kind.Replace("{0}", world.Namespace, StringComparison.Ordinal))).Count > 0)
                return false;
        }

        return true;
    }
}
