using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Installation;
using RagOperator.ClusterTests.Mutations;
using RagOperator.ClusterTests.Support;
using RagOperator.FaultTests.Peers;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Rights;

/// <summary>Two operators under an account and roles of the chart, with all rights or all but one, and a scenario that needs them all.</summary>
internal sealed partial class RightsWorld : IAsyncDisposable
{
    /// <summary>How long something may take once the right was refused while it was waited for, before it counts as not happening.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("RBAC_PATIENCE") is { Length: > 0 } seconds ? seconds : "30", CultureInfo.InvariantCulture));

    // Without a refusal meanwhile it may be slow for another reason, and has much more time.
    private static readonly TimeSpan s_slow = 4 * Patience;
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(200);
    private static int s_ports = 19500;

    private readonly Mode _mode;
    private readonly Right? _without;
    private readonly TestSpace _space;
    private readonly PuppetNode _node;
    private readonly ScriptedPrometheus _prometheus;
    private readonly Refusals _refusals;
    private readonly string _name;
    private readonly List<(OperatorProcess Process, int Port)> _operators = [];
    private readonly List<string> _files = [];
    private double _errors;
    private TimeSpan _longest;

    private RightsWorld(Mode mode, Right? without, TestSpace space, ScriptedPrometheus prometheus, Refusals refusals)
    {
        (_mode, _without, _space, _node, _prometheus, _refusals, _name) = (mode, without, space, new PuppetNode(space), prometheus, refusals, space.Namespace);
        prometheus.Value = _ => _errors;
    }

    /// <summary>Installs account and roles, without one right, and starts two operators that use them.</summary>
    /// <param name="mode">The installation.</param>
    /// <param name="without">What is taken away.</param>
    /// <param name="name">What everything of this world is called.</param>
    /// <param name="alone">Whether nobody else is there, so that an operator of the whole cluster may see all of it. Otherwise it looks at its own namespace only,
    /// by the rights of the same ClusterRole.</param>
    /// <param name="refusals">What the API server refuses.</param>
    public static async Task<RightsWorld> StartAsync(Mode mode, Right? without, string name, bool alone, Refusals refusals)
    {
        var world = new RightsWorld(mode, without, await TestSpace.CreateWithoutOperatorAsync(name), await ScriptedPrometheus.StartAsync(), refusals);
        await world._node.StartAsync();
        await world.InstallAsync(alone);
        return world;
    }

    /// <summary>Plays the scenario up to the first thing that does not happen.</summary>
    public async Task<Finding> PlayAsync()
    {
        var (failed, slow) = ((string?)null, (string?)null);
        try
        {
            await ScenarioAsync();
        }
        catch (TimeoutException e) when (RefusedSoFar > 0)
        {
            failed = e.Message;
        }
        catch (TimeoutException e)
        {
            slow = e.Message;
        }

        var refused = _refusals.Of(_name);
        return new Finding(
            _mode, _without, RefusedSoFar, [.. refused.Where(r => _without is null || !r.IsFor(_without)).Select(r => r.ToString()).Distinct()],
            failed, _without is null ? null : Told(_without), slow, _longest);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (process, _) in _operators) await process.DisposeAsync();
        await _prometheus.DisposeAsync();
        await _node.DisposeAsync();
        foreach (var file in _files) File.Delete(file);
        await _space.DisposeAsync();
    }

    private int RefusedSoFar => _without is null ? 0 : _refusals.Of(_name).Count(r => r.IsFor(_without));

    private async Task InstallAsync(bool alone)
    {
        var objects = ChartRights.Objects(_mode, _name, _prometheus.Url);
        var roles = objects.Where(o => ChartRights.Kind(o, _name) is not null).ToList();
        Assert.Equal(2, roles.Count);
        // What the account must be able to do before anybody uses it: the API server hears of new roles a moment later.
        var firsts = roles.ConvertAll(o => (Rule: o["rules"]![0]!.DeepClone(), Kind: ChartRights.Kind(o, _name)));
        foreach (var role in roles.Where(_ => _without is not null)) role["rules"] = ChartRights.Without(role, _name, _without!);
        // Four ports: probes and the webhook, of each.
        var first = Interlocked.Add(ref s_ports, 4);
        var second = first + 2;
        var webhooks = objects.Where(o => ((string)o["kind"]!).EndsWith("WebhookConfiguration", StringComparison.Ordinal)).ToList();
        foreach (var webhook in webhooks.SelectMany(o => o["webhooks"]!.AsArray()))
            webhook!["clientConfig"] = new JsonObject { ["url"] = $"https://127.0.0.1:{first + 1}{webhook["clientConfig"]!["service"]!["path"]}" };
        await _space.Bed.ApplyAsync($$"""
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: Namespace, metadata: {name: {{ChartRights.Home}}} }
              - {apiVersion: v1, kind: Namespace, metadata: {name: {{_name}}, labels: {rights: {{_name}}} } }
            """);
        await _space.Bed.ApplyAsync(ChartObjects.List([
            .. objects.Where(o => (string?)o["kind"] == "ServiceAccount"), .. roles,
            .. objects.Where(o => ((string)o["kind"]!).EndsWith("RoleBinding", StringComparison.Ordinal) && roles.Exists(r => (string?)r["metadata"]!["name"] == (string?)o["roleRef"]!["name"])),
            .. webhooks, .. PersonWhoApproves(),
        ]));
        foreach (var (rule, kind) in firsts) await MayAsync(rule, kind == ChartRights.Own ? ChartRights.Home : _name);

        var account = await AccountConfig.WriteAsync(_space, ChartRights.Home, _name);
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, (string)objects.Single(o => ChartObjects.Is(o, "ConfigMap") && o["data"]!["config.yaml"] is not null)["data"]!["config.yaml"]!);
        _files.AddRange([account, config]);
        foreach (var port in (int[])[first, second])
        {
            var log = Path.Combine(ClusterBed.Repository, $"artifacts/cluster-tests/{_name}-{(port == first ? 0 : 1)}.log");
            File.Delete(log);
            string[] webhook = _mode == Mode.Cluster ? ["--webhook.address", "127.0.0.1", "--webhook.port", $"{port + 1}"] : [];
            string[] place = _mode == Mode.Cluster && !alone ? ["--namespace", _name] : [];
            _operators.Add((OperatorProcess.Start(log, ["--config", config, "--kubeconfig", account, "--http.address", "127.0.0.1", "--http.port", $"{port}", .. webhook, .. place]), port));
        }
    }

    /// <summary>Waits until the API server knows of a role: by one right of it that is not taken away.</summary>
    private async Task MayAsync(JsonNode rule, string place)
    {
        var verb = rule["verbs"]!.AsArray().Select(v => (string)v!).First(v => v != _without?.Verb);
        var question = new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["kind"] = "SubjectAccessReview",
            ["spec"] = new JsonObject
            {
                ["user"] = $"system:serviceaccount:{ChartRights.Home}:{_name}",
                ["resourceAttributes"] = new JsonObject
                {
                    ["namespace"] = place,
                    ["verb"] = verb,
                    ["group"] = (string)rule["apiGroups"]![0]!,
                    ["resource"] = (string)rule["resources"]![0]!,
                    ["name"] = (string?)rule["resourceNames"]?[0] ?? "",
                },
            },
        }.ToJsonString();
        await UntilAsync(async () => (await _space.Api.SendAsync(HttpMethod.Post, "/apis/authorization.k8s.io/v1/subjectaccessreviews", question)).Body.GetProperty("status").GetProperty("allowed").GetBoolean(), "the roles count");
    }

    /// <summary>The line in which an operator names the refusal, as loudly as a warning.</summary>
    private string? Told(Right right)
    {
        // In the API server's words, or in the operator's own.
        string[] words = right.Resource == "ragdeployments/finalizers" ? ["set finalizers on"] : [$"cannot {right.Verb} resource \"{right.Resource}\"", $"{right.Verb} {right.Resource} {_name}: 403", $"{right.Verb} {right.Resource} {ChartRights.Home}/{_name}: 403"];
        for (var i = 0; i < 2; i++)
        {
            foreach (var line in File.ReadLines(Path.Combine(ClusterBed.Repository, $"artifacts/cluster-tests/{_name}-{i}.log")).Where(l => l.Contains("\"level\":\"warning\"", StringComparison.Ordinal) || l.Contains("\"level\":\"error\"", StringComparison.Ordinal)))
            {
                var entry = JsonElement.Parse(line);
                if (entry.EnumerateObject().Any(p => p.Value.ValueKind == JsonValueKind.String && words.Any(w => p.Value.GetString()!.Contains(w, StringComparison.Ordinal)))) return $"{entry.Text("level")}, {entry.Text("logger")}";
            }
        }

        return null;
    }

    private async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var (start, before) = (TimeProvider.System.GetTimestamp(), RefusedSoFar);
        long? refused = null;
        var trouble = "";
        while (true)
        {
            try
            {
                if (await condition()) break;
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or JsonException or KeyNotFoundException or IOException or TaskCanceledException)
            {
                // Not there yet.
                trouble = e.Message;
            }

            // As a kubelet does: a leader that lost its term on a busy machine ends.
            foreach (var (process, _) in _operators) process.Start();
            if (RefusedSoFar > before) refused ??= TimeProvider.System.GetTimestamp();
            if (refused is { } since && TimeProvider.System.GetElapsedTime(since) > Patience) throw new TimeoutException(what);
            if (refused is null && TimeProvider.System.GetElapsedTime(start) > s_slow) throw new TimeoutException(before > 0 ? what : $"{what} {trouble} {_node.Trouble}");
            await Task.Delay(s_poll, TimeProvider.System);
        }

        if (TimeProvider.System.GetElapsedTime(start) is var took && took > _longest) _longest = took;
    }
}
