using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using RagOperator.TestBed.Cluster;

namespace RagOperator.TestBed.Gateway;

/// <summary>
/// Routes, Services and ready pods in, nginx out; then each route's status says for which generation that holds. One loop: whatever
/// changed, everything is looked at again.
/// </summary>
internal sealed class GatewayController(ClusterClient client, Nginx nginx, string folder)
{
    public const string ControllerName = "ragoperator.dev/bed-gateway";
    private const string Group = "/apis/gateway.networking.k8s.io/v1";
    private readonly ChangeSignal _signal = new();
    private readonly ConcurrentDictionary<string, (string ResourceVersion, JsonObject Route, long Since)> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RoutePlan> _served = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first configuration is served.</summary>
    public Task Ready => _ready.Task;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var services = new Mirror(client, "/api/v1/services", _signal.Set);
        var endpoints = new Mirror(client, "/api/v1/endpoints", _signal.Set);
        var routes = new Mirror(client, $"{Group}/httproutes", _signal.Set);
        var gateways = new Mirror(client, $"{Group}/gateways", _signal.Set);
        Mirror[] all = [services, endpoints, routes, gateways];
        await Together.RunAsync([.. all.Select(mirror => mirror.RunAsync(cancellationToken)), PollControlAsync(cancellationToken), ServeAsync(services, endpoints, routes, gateways, cancellationToken)]);
    }

    private async Task ServeAsync(Mirror services, Mirror endpoints, Mirror routes, Mirror gateways, CancellationToken cancellationToken)
    {
        Mirror[] all = [services, endpoints, routes, gateways];
        var complaint = "";
        while (true)
        {
            await _signal.WaitAsync(cancellationToken);
            var control = GatewayControl.Read(folder);
            if (control.Freeze || !Array.TrueForAll(all, mirror => mirror.Synced))
                continue;
            try
            {
                await PassAsync(control, services, endpoints, routes, gateways, cancellationToken);
                _ready.TrySetResult();
            }
            catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException or TimeoutException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                if (e.Message != complaint)
                    await Console.Error.WriteLineAsync($"gateway: {e.Message}");
                complaint = e.Message;
                await TimeProvider.System.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
                _signal.Set();
            }
        }
    }

    private async Task PassAsync(GatewayControl control, Mirror services, Mirror endpoints, Mirror routes, Mirror gateways, CancellationToken cancellationToken)
    {
        var ours = new List<(JsonObject Route, RoutePlan Plan, List<JsonObject> Parents)>();
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var current in routes.Items.OrderBy(route => route["metadata"]!["creationTimestamp"]!.GetValue<string>(), StringComparer.Ordinal))
        {
            var route = Lagging(current, control.Lag, cancellationToken);
            if (route is null || OurParents(route, gateways) is not { Count: > 0 } parents)
                continue;
            var plan = RoutePlan.Of(route, services, endpoints);
            present.Add(plan.Key);
            ours.Add((route, plan, parents));
            if (!control.Refuse.Contains(plan.Key))
                _served[plan.Key] = plan;
            else if (_served.TryGetValue(plan.Key, out var before))
                _served[plan.Key] = before; // keeps being served as it was
        }

        foreach (var gone in _served.Keys.Where(key => !present.Contains(key)).ToList())
            _served.Remove(gone);
        await nginx.ApplyAsync(NginxConfiguration.Write(folder, [.. ours.Select(entry => entry.Plan.Key).Where(_served.ContainsKey).Select(key => _served[key])]), cancellationToken);
        foreach (var (route, plan, parents) in ours)
            await SetStatusAsync(route, plan, parents, control.Refuse.Contains(plan.Key), cancellationToken);
    }

    /// <summary>The route as this gateway knows it: its newest version, unless that is younger than the lag that a test asked for.</summary>
    private JsonObject? Lagging(JsonObject current, TimeSpan lag, CancellationToken cancellationToken)
    {
        var key = $"{current["metadata"]!["namespace"]}/{current["metadata"]!["name"]}/{current["metadata"]!["uid"]}";
        var generation = current["metadata"]!["generation"]?.ToString() ?? "";
        var now = TimeProvider.System.GetTimestamp();
        if (lag == TimeSpan.Zero)
        {
            _seen[key] = (generation, current, 0);
            return current;
        }

        if (!_seen.TryGetValue(key, out var known))
            _seen[key] = known = ("", new JsonObject(), now);
        if (known.ResourceVersion == generation)
            return known.Route;
        if (known.Since == 0)
        {
            _seen[key] = known with { Since = now };
            _ = WakeAsync(lag, cancellationToken);
        }
        else if (TimeProvider.System.GetElapsedTime(known.Since, now) >= lag)
        {
            _seen[key] = (generation, current, 0);
            return current;
        }
        else
        {
            _ = WakeAsync(lag - TimeProvider.System.GetElapsedTime(known.Since, now), cancellationToken);
        }

        return known.ResourceVersion.Length == 0 ? null : known.Route;
    }

    private async Task WakeAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        await TimeProvider.System.Delay(delay + TimeSpan.FromMilliseconds(20), cancellationToken);
        _signal.Set();
    }

    private async Task PollControlAsync(CancellationToken cancellationToken)
    {
        var last = DateTime.MinValue;
        while (true)
        {
            await TimeProvider.System.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            var written = File.GetLastWriteTimeUtc(Path.Combine(folder, GatewayControl.FileName));
            if (written == last)
                continue;
            last = written;
            _signal.Set();
        }
    }

    private static List<JsonObject> OurParents(JsonObject route, Mirror gateways)
    {
        var ns = route["metadata"]!["namespace"]!.GetValue<string>();
        return [.. (route["spec"]?["parentRefs"]?.AsArray() ?? []).OfType<JsonObject>().Where(parent =>
            (parent["group"]?.GetValue<string>() ?? "gateway.networking.k8s.io") == "gateway.networking.k8s.io"
            && (parent["kind"]?.GetValue<string>() ?? "Gateway") == "Gateway"
            && gateways.Find(parent["namespace"]?.GetValue<string>() ?? ns, parent["name"]!.GetValue<string>())?["spec"]?["gatewayClassName"]?.GetValue<string>() == "bed")];
    }

    private async Task SetStatusAsync(JsonObject route, RoutePlan plan, List<JsonObject> parents, bool refused, CancellationToken cancellationToken)
    {
        var metadata = route["metadata"]!;
        var generation = metadata["generation"]!.GetValue<long>();
        var existing = (route["status"]?["parents"]?.AsArray() ?? []).OfType<JsonObject>().ToList();
        var result = new JsonArray([.. existing.Where(entry => entry["controllerName"]?.GetValue<string>() != ControllerName).Select(entry => (JsonNode)entry.DeepClone())]);
        foreach (var parent in parents)
        {
            var before = existing.Find(entry => entry["controllerName"]?.GetValue<string>() == ControllerName && JsonNode.DeepEquals(entry["parentRef"], parent));
            var accepted = Condition(before, "Accepted", !refused, refused ? "NotAllowedByListeners" : "Accepted", refused ? "the bed was told to refuse this route" : "served", generation);
            var resolved = Condition(before, "ResolvedRefs", plan.Problem is null, plan.Problem is null ? "ResolvedRefs" : "BackendNotFound", plan.Problem ?? "all backends exist", generation);
            result.Add((JsonNode)new JsonObject { ["parentRef"] = parent.DeepClone(), ["controllerName"] = ControllerName, ["conditions"] = new JsonArray(accepted, resolved) });
        }

        if (JsonNode.DeepEquals(route["status"]?["parents"], result))
            return;
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = metadata["uid"]!.GetValue<string>() }, ["status"] = new JsonObject { ["parents"] = result } };
        var path = $"{Group}/namespaces/{metadata["namespace"]}/httproutes/{metadata["name"]}/status";
        var (status, body) = await client.MergePatchAsync(path, patch, cancellationToken);
        if (status is not (200 or 404 or 409))
            throw new InvalidOperationException($"status of {plan.Key}: {status} {body}");
    }

    private static JsonObject Condition(JsonObject? before, string type, bool value, string reason, string message, long generation)
    {
        var status = value ? "True" : "False";
        var old = before?["conditions"]?.AsArray().FirstOrDefault(condition => condition!["type"]!.GetValue<string>() == type);
        var since = old?["status"]?.GetValue<string>() == status ? old["lastTransitionTime"]!.GetValue<string>() : TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        return new JsonObject { ["type"] = type, ["status"] = status, ["reason"] = reason, ["message"] = message, ["observedGeneration"] = generation, ["lastTransitionTime"] = since };
    }
}
