using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Mutations;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Installation;

/// <summary>One thing that a role allows.</summary>
/// <param name="Role">`rag-operator` where it watches, `rag-operator-own` in its own namespace.</param>
/// <param name="Rule">The rule's place in the role.</param>
/// <param name="Resource">A resource of the rule.</param>
/// <param name="Verb">A verb of the rule.</param>
internal sealed record Right(string Role, int Rule, string Resource, string Verb)
{
    public override string ToString() => $"{Role}[{Rule}] {Verb} {Resource}";
}

/// <summary>Two operators under the chart's account in some namespaces' mode, with all rights but one, and a scenario that needs them all.</summary>
internal sealed partial class RightsWorld : IAsyncDisposable
{
    // Generous: six worlds share the machine. A right that is missing costs this once.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(25);
    private static int s_ports = 19500;

    private readonly TestSpace _space;
    private readonly PuppetNode _node;
    private readonly string _place;
    private readonly List<(OperatorProcess Process, int Port)> _operators = [];
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    private RightsWorld(TestSpace space, PuppetNode node) => (_space, _node, _place) = (space, node, space.Namespace);

    private string Own => $"{_place}-own";

    /// <summary>Every right that the chart gives an operator of some namespaces.</summary>
    public static IEnumerable<Right> AllRights() =>
        from role in Objects("any").Where(o => ChartObjects.Is(o, "Role"))
        from rule in role["rules"]!.AsArray().Select((r, i) => (Rule: r!, Index: i))
        from resource in rule.Rule["resources"]!.AsArray()
        from verb in rule.Rule["verbs"]!.AsArray()
        select new Right((string)role["metadata"]!["name"]!, rule.Index, (string)resource!, (string)verb!);

    /// <summary>Installs account and roles, without one right, and starts two operators that use them.</summary>
    public static async Task<RightsWorld> StartAsync(string place, Right? without)
    {
        var space = await TestSpace.CreateWithoutPodsAsync(place);
        // It has all rights: not what is asked about.
        await space.Operator.KillAsync();
        var world = new RightsWorld(space, new PuppetNode(space));
        await world._node.StartAsync();
        await space.Bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {world.Own}}}\n");
        var objects = Objects(place).Where(o => (string?)o["kind"] is "Role" or "RoleBinding" or "ServiceAccount").ToList();
        foreach (var role in objects.Where(o => ChartObjects.Is(o, "Role"))) role["rules"] = Without(role, without);
        await space.Bed.ApplyAsync(ChartObjects.List(objects));
        var config = await AccountConfig.WriteAsync(space, world.Own, "rag-operator");
        for (var i = 0; i < 2; i++)
        {
            var port = Interlocked.Increment(ref s_ports);
            var log = Path.Combine(ClusterBed.Repository, $"artifacts/cluster-tests/{place}-{i}.log");
            File.Delete(log);
            world._operators.Add((OperatorProcess.Start(log,
            [
                "--kubeconfig", config, "--namespace", place, "--http.address", "127.0.0.1", "--http.port", $"{port}", "--leaderElection.enabled", "true",
                "--leaderElection.namespace", world.Own, "--leaderElection.name", "rag-operator", "--leaderElection.leaseDuration", "4s",
                "--leaderElection.renewDeadline", "3s", "--leaderElection.retryPeriod", "500ms", "--workers", "2",
            ]), port));
        }

        return world;
    }

    /// <summary>Plays the scenario: what did not happen (null: all did), and what the API server refused.</summary>
    public async Task<(string? Failed, IReadOnlyCollection<string> Refused)> PlayAsync()
    {
        try
        {
            await ScenarioAsync();
            return (null, await RefusedAsync());
        }
        catch (TimeoutException e)
        {
            return ($"fails: {e.Message}", await RefusedAsync());
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (process, _) in _operators) await process.DisposeAsync();
        await _node.DisposeAsync();
        await _space.Bed.KubectlAsync("delete", "namespace", Own, "--wait=false");
        File.Delete(Path.Combine(Path.GetTempPath(), $"{Own}.kubeconfig"));
        await _space.DisposeAsync();
    }

    /// <summary>The chart's objects for an operator of one namespace that lives in another.</summary>
    private static IReadOnlyList<JsonObject> Objects(string place) =>
        [.. ChartObjects.Render($"watchNamespaces: [{place}]\n", "-namespace", $"{place}-own").Where(o => !ChartObjects.IsHook(o))];

    private static JsonArray Without(JsonObject role, Right? right)
    {
        var rules = new JsonArray();
        foreach (var (rule, i) in role["rules"]!.AsArray().Select((r, i) => (r!, i)))
        {
            foreach (var resource in rule["resources"]!.AsArray().Select(r => (string)r!))
            {
                var copy = rule.DeepClone();
                copy["resources"] = new JsonArray(resource);
                var verbs = rule["verbs"]!.AsArray().Select(v => (string)v!).Where(v => right is null || right != new Right((string)role["metadata"]!["name"]!, i, resource, v)).ToList();
                copy["verbs"] = new JsonArray([.. verbs.Select(v => (JsonNode)v)]);
                if (verbs.Count > 0) rules.Add(copy);
            }
        }

        return rules;
    }

    // With words in capitals to be filled in: braces are JSON's here.
    private const string Service = """
        {"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","metadata":{"name":"assistant","annotations":{"rights":"check"}},"spec":{
          "components":[
            {"name":"store","external":{"service":"elsewhere","port":6333}},
            {"name":"embedder","ports":[{"name":"http","port":8003}],"template":{"spec":{"nodeName":"NODE","containers":[{"name":"embedder","image":"rag-sample:1.0"}]}}},
            {"name":"api","dependsOn":["store","embedder"],"ports":[{"name":"http","port":8000}],"template":{"spec":{"nodeName":"NODE","containers":[{"name":"api","image":"rag-sample:TAG"}]}}}],
          "traffic":{"gatewayApi":{"parentRefs":[{"name":"puppet"}],"hostnames":["PLACE.example.com"]}},
          "featureFlags":{"flags":[{"name":"replay","enabled":FLAG}]},
          "rollout":{"progressDeadline":"2m","retireDelay":"1s","steps":[{"name":"canary","weight":50,"hold":"1s","approval":"Required"},{"name":"full","weight":100,"hold":"1s"}]},
          "rollback":{"keepFailedPods":"1s"}}}
        """;

    private Task ApplyAsync(string tag, bool flag = true) => SendAsync("", Service
        .Replace("TAG", tag, StringComparison.Ordinal).Replace("PLACE", _place, StringComparison.Ordinal).Replace("NODE", _node.NodeName, StringComparison.Ordinal).Replace("FLAG", flag ? "true" : "false", StringComparison.Ordinal));

    private async Task SendAsync(string resource, string json)
    {
        var path = resource.Length > 0 ? $"/api/v1/namespaces/{_place}/{resource}/elsewhere" : ObjectPath;
        var (code, body) = await _space.Api.SendAsync(HttpMethod.Patch, $"{path}?fieldManager=test&force=true", json, "application/apply-patch+yaml");
        if (code >= 300) throw new InvalidOperationException($"{path}: {code} {body}");
    }

    private Task RequestAsync(string request) => _space.Api.SendAsync(
        HttpMethod.Patch, ObjectPath, """{"metadata":{"annotations":{"ragoperator.dev/request":"REQUEST"}}}""".Replace("REQUEST", request, StringComparison.Ordinal), "application/merge-patch+json");

    private string ObjectPath => $"/apis/ragoperator.dev/v1alpha1/namespaces/{_place}/ragdeployments/assistant";

    private async Task<JsonElement> ObjectAsync() => (await _space.Api.GetAsync(ObjectPath))!.Value;

    private static bool Flags(JsonElement configMap) => configMap.GetProperty("metadata").Text("name").EndsWith("-flags", StringComparison.Ordinal);

    private static string Root(string group) => group == "v1" ? "/api/v1" : $"/apis/{group}";

    private async Task<IReadOnlyList<JsonElement>> ListAsync(string group, string resource) =>
        [.. (await _space.Api.GetAsync($"{Root(group)}/namespaces/{_place}/{resource}"))!.Value.GetProperty("items").EnumerateArray()];

    private async Task<IReadOnlyList<JsonElement>> EventsAsync(string place) =>
        [.. (await _space.Api.GetAsync($"/apis/events.k8s.io/v1/namespaces/{place}/events"))!.Value.GetProperty("items").EnumerateArray()];

    private Task ReadyAsync() => UntilAsync(async () =>
    {
        using var http = new HttpClient();
        foreach (var (_, port) in _operators)
        {
            using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"));
            if (!answer.IsSuccessStatusCode) return false;
        }

        return true;
    }, "both operators are ready");

    private Task UntilAsync(Func<Api.V1Alpha1.RagDeploymentStatus, bool> condition, string what) => UntilAsync(async () =>
    {
        var current = (await ObjectAsync()).Deserialize(Api.ApiJsonContext.Default.RagDeployment)!;
        return current.Status is { } status && status.ObservedGeneration == current.Metadata.Generation && condition(status);
    }, what);

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or JsonException or KeyNotFoundException or IOException or TaskCanceledException)
            {
                // Not there yet.
            }

            if (TimeProvider.System.GetElapsedTime(start) > s_patience) throw new TimeoutException(what);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
    }

    private static async Task<string> MetricsAsync(int port)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
    }

    private async Task NoteRefusedAsync(int port)
    {
        try
        {
            foreach (Match match in Refused().Matches(await MetricsAsync(port))) _refused.Add($"{match.Groups["verb"].Value} {match.Groups["resource"].Value}");
        }
        catch (HttpRequestException)
        {
            // It ended: that is told by what did not happen.
        }
    }

    private async Task<IReadOnlyCollection<string>> RefusedAsync()
    {
        foreach (var (_, port) in _operators) await NoteRefusedAsync(port);
        return _refused;
    }

    [GeneratedRegex("""ragoperator_api_requests_total\{(?=[^}]*code="403")(?=[^}]*verb="(?<verb>[^"]*)")(?=[^}]*resource="(?<resource>[^"]*)")""", RegexOptions.ExplicitCapture)]
    private static partial Regex Refused();
}
