using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Hands;

/// <summary>One rollout of release 2 beside release 1, into which a hand or the cluster interferes at a moment.</summary>
public sealed class HandRun(FaultWorld world, Moment moment, ServiceSpec first)
{
    private string _canary = "";

    public FaultWorld World => world;

    public Moment Moment => moment;

    /// <summary>Release 2, which waits for an approval in the moment's step.</summary>
    public ServiceSpec Next { get; init; } = first with { Api = "2", Embedder = "2", ApprovalAt = moment.Step };

    /// <summary>Pods of the canary die in this run.</summary>
    public bool CanaryMayDie { get; init; }

    /// <summary>The entry's Deployment and Service of stable.</summary>
    public string Stable => world.FirstService;

    /// <summary>The entry's Deployment and Service of the canary, once its record is there.</summary>
    public string Canary => _canary.Length > 0 ? _canary : throw new InvalidOperationException("the run has not come to its moment");

    private ReleaseMap Releases => new(world.Proxy.Trajectory.All.Where(d => d.Accepted));

    private bool IsBack => moment == Moment.Back;

    /// <summary>Applies release 2 and waits for the moment.</summary>
    public async Task ComeAsync()
    {
        await world.ApplyAsync(Next);
        await ComeToStepAsync();
        if (!IsBack)
            return;
        await world.Bed.Gateway.SetAsync(world.Namespace, GatewayMood.Silent);
        await world.RequestAsync("abort/current");
        await world.UntilAsync(async () => await world.WeightBesideAsync(Stable) == 0, "the weight is on its way to 0");
        await world.UntilAsync(static s => s is { RollbackDecided: true, Phase: "Progressing" }, "in a rollback");
    }

    /// <summary>Waits until the step is held, verified, and waits for its approval.</summary>
    public async Task ComeToStepAsync()
    {
        await world.UntilAsync(s => s.StepName == moment.Step && s.StepState == "Waiting" && s.Weight == moment.Weight, $"at {moment}");
        await KnowCanaryAsync();
    }

    /// <summary>Reads the canary's names from its record.</summary>
    public async Task KnowCanaryAsync()
    {
        var hash = (await world.StatusAsync()).Canary;
        _canary = Releases.EntryService(hash) ?? throw new InvalidOperationException($"no record of {hash}");
    }

    /// <summary>Lets it go on and waits for the end that it should have.</summary>
    public async Task FinishAsync()
    {
        if (IsBack)
        {
            await world.Bed.Gateway.SetAsync(world.Namespace, GatewayMood.Accepts);
            await EndRolledBackAsync();
            return;
        }

        var canary = (await ComeAgainAsync()).Canary;
        await world.RequestAsync($"approve/current/{moment.Step}");
        var end = await world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false }, "the new release is stable");
        Assert.Equal(canary, end.Stable);
        Assert.Equal(Canary, await world.StableServiceAsync());
    }

    /// <summary>Waits for the end of a rollback: stable serves all, the failed release is held and its pods are gone.</summary>
    public async Task EndRolledBackAsync()
    {
        var end = await world.UntilAsync(static s => s is { Phase: "Degraded", IsRetiring: false } && s.Condition("RolledBack") == "True", "rolled back");
        Assert.NotEmpty(end.Failed);
        Assert.Equal("True", end.Condition("Available"));
        Assert.Equal(Stable, await world.StableServiceAsync());
        Assert.Equal(0, await world.WeightBesideAsync(Stable));
    }

    /// <summary>What is wrong with the run as a whole: silence afterwards, the invariants, and the process.</summary>
    public async Task<IReadOnlyList<string>> TroublesAsync()
    {
        var troubles = new List<string>();
        try
        {
            await world.QuietAsync(TimeSpan.FromSeconds(3));
        }
        catch (NotReachedException e)
        {
            troubles.Add(e.Message);
        }

        troubles.AddRange(world.ProcessTroubles());
        if (await world.StopOperatorAsync() is { } ending)
            troubles.Add(ending);
        troubles.AddRange(Invariants.Broken(world.Proxy.Trajectory.All, Next.Replicas, CanaryMayDie));
        return troubles;
    }

    /// <summary>A namespaced object of the world: <c>deployments</c>, <c>services</c>, <c>configmaps</c>, <c>controllerrevisions</c>, <c>httproutes</c>, <c>pods</c>.</summary>
    public string PathOf(string plural, string name = "")
    {
        var group = plural switch
        {
            "deployments" or "controllerrevisions" => "/apis/apps/v1",
            "httproutes" => "/apis/gateway.networking.k8s.io/v1",
            "ragdeployments" => "/apis/ragoperator.dev/v1alpha1",
            _ => "/api/v1",
        };
        return $"{group}/namespaces/{world.Namespace}/{plural}{(name.Length > 0 ? $"/{name}" : "")}";
    }

    public Task<JsonElement?> GetAsync(string plural, string name) => world.Api.GetAsync(PathOf(plural, name));

    public Task PatchAsync(string plural, string name, string json) => world.Api.PatchAsync(PathOf(plural, name), json);

    public async Task<string> UidAsync(string plural, string name) =>
        await GetAsync(plural, name) is { } found ? found.GetProperty("metadata").GetProperty("uid").GetString()! : "";

    /// <summary>Sets a backend's weight by hand, in every rule or in one, and gives stable the rest.</summary>
    public async Task SetWeightAsync(int weight, int? rule = null)
    {
        var route = JsonNode.Parse((await world.RouteAsync())!.Value.GetRawText())!;
        var rules = route["spec"]!["rules"]!.AsArray();
        for (var i = 0; i < rules.Count; i++)
        {
            if (rule is { } only && only != i)
                continue;
            var backends = rules[i]!["backendRefs"]!.AsArray();
            if (!backends.Any(b => b!["name"]!.GetValue<string>() == Canary))
                backends.Add(new JsonObject { ["name"] = Canary, ["port"] = 8000 });
            foreach (var backend in backends)
                backend!["weight"] = backend["name"]!.GetValue<string>() == Canary ? weight : 100 - weight;
        }

        await PatchAsync("httproutes", "assistant", new JsonObject { ["spec"] = new JsonObject { ["rules"] = rules.DeepClone() } }.ToJsonString());
    }

    /// <summary>The canary's weight in each rule of the route.</summary>
    public async Task<IReadOnlyList<int>> WeightsAsync() =>
        [.. (await world.RouteAsync())!.Value.GetProperty("spec").GetProperty("rules").EnumerateArray().Select(rule => rule.GetProperty("backendRefs").EnumerateArray()
            .Where(b => b.GetProperty("name").GetString() == Canary).Sum(b => b.GetProperty("weight").GetInt32()))];

    /// <summary>Ready addresses of a Service.</summary>
    public async Task<int> AddressesAsync(string service) => await GetAsync("endpoints", service) is { } found && found.TryGetProperty("subsets", out var subsets)
        ? subsets.EnumerateArray().Sum(s => s.TryGetProperty("addresses", out var addresses) ? addresses.GetArrayLength() : 0)
        : 0;

    /// <summary>Kills the pods of a Deployment at once, or so many of them.</summary>
    public async Task KillPodsAsync(string deployment, int most = int.MaxValue)
    {
        var revision = deployment[(deployment.LastIndexOf('-') + 1)..];
        foreach (var pod in (await world.Api.ListAsync($"{PathOf("pods")}?labelSelector=ragoperator.dev/revision={revision}")).Take(most))
            await world.Api.DeleteAsync($"{PathOf("pods", pod.GetProperty("metadata").GetProperty("name").GetString()!)}?gracePeriodSeconds=0");
    }

    /// <summary>Lets the namespace have so many pods and no more; null for any number.</summary>
    public async Task QuotaAsync(int? pods)
    {
        if (pods is { } hard)
        {
            await world.Api.CreateAsync(PathOf("resourcequotas"), $$$"""{"metadata":{"name":"few"},"spec":{"hard":{"pods":"{{{hard}}}"} } }""");
            // Its controller counts first; until then it forbids nothing.
            await world.UntilAsync(async () => await GetAsync("resourcequotas", "few") is { } quota && quota.TryGetProperty("status", out var status) && status.TryGetProperty("used", out _), "the quota counts");
        }
        else
        {
            await world.Api.DeleteAsync(PathOf("resourcequotas", "few"));
        }
    }

    /// <summary>Whether an event of this reason with this text was told.</summary>
    public async Task<bool> ToldAsync(string reason, string text) => (await world.Api.ListAsync(PathOf("events"))).Any(e =>
        e.GetProperty("reason").GetString() == reason && e.GetProperty("message").GetString()!.Contains(text, StringComparison.Ordinal));

    /// <summary>The canary's embedder: a Deployment that is not the entry.</summary>
    public async Task<string> CanaryEmbedderAsync() =>
        Releases.Children((await world.StatusAsync()).Canary).Single(n => n.StartsWith("assistant-embedder-", StringComparison.Ordinal) && !n.EndsWith("-flags", StringComparison.Ordinal));


    private async Task<StatusView> ComeAgainAsync() =>
        await world.UntilAsync(s => s.StepName == moment.Step && s.StepState == "Waiting" && s.Weight == moment.Weight && !s.IsPaused, $"at {moment} again");
}
