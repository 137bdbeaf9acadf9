using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Peers;

/// <summary>What a gateway says of the routes of a namespace.</summary>
public enum GatewayMood
{
    /// <summary>Accepts and resolves each generation as it comes.</summary>
    Accepts,

    /// <summary>Says of each generation that it is not accepted.</summary>
    Refuses,

    /// <summary>Accepts, and names the generation before.</summary>
    NamesOlderGeneration,

    /// <summary>Says nothing.</summary>
    Silent,
}

/// <summary>The status side of a gateway, for all namespaces of a test run: says at once of each route what its namespace's mood is.</summary>
public sealed class ScriptedGateway(ApiAccess api) : IAsyncDisposable
{
    private const string Routes = "/apis/gateway.networking.k8s.io/v1/httproutes";
    private readonly ConcurrentDictionary<string, (GatewayMood Mood, bool IsForNext)> _moods = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Begins.</summary>
    public ScriptedGateway Start()
    {
        _running = Task.Run(RunAsync);
        _ = _running.ContinueWith(static t => Console.Error.WriteLine($"scripted gateway: {t.Exception}"), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return this;
    }

    /// <summary>Changes the mood towards a namespace, and says so of its routes at once.</summary>
    public async Task SetAsync(string ns, GatewayMood mood)
    {
        _moods[ns] = (mood, false);
        foreach (var route in await api.ListAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{ns}/httproutes"))
            await SayAsync(route);
    }

    /// <summary>Changes the mood towards a namespace from the next change of its routes on: what was said already stands.</summary>
    public void SetForNext(string ns, GatewayMood mood) => _moods[ns] = (mood, true);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var list = await api.GetAsync(Routes);
                // Without the kind there is nothing to watch until somebody installs it.
                if (list is { } found)
                {
                    foreach (var route in found.GetProperty("items").EnumerateArray())
                        await SayAsync(route);
                    await FollowAsync(found.GetProperty("metadata").GetProperty("resourceVersion").GetString()!);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException or InvalidOperationException or OperationCanceledException)
            {
                // The server was away, or a watch ended: from the beginning.
            }

            if (!_stop.IsCancellationRequested)
                await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, _stop.Token));
        }
    }

    private async Task FollowAsync(string version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Routes}?watch=1&timeoutSeconds=600&resourceVersion={version}");
        using var response = await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _stop.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(_stop.Token));
        while (await reader.ReadLineAsync(_stop.Token) is { } line)
        {
            var change = JsonElement.Parse(line);
            if (change.GetProperty("type").GetString() is "ADDED" or "MODIFIED")
                await SayAsync(change.GetProperty("object"));
        }
    }

    private async Task SayAsync(JsonElement route)
    {
        var metadata = route.GetProperty("metadata");
        var ns = metadata.GetProperty("namespace").GetString()!;
        var (mood, isForNext) = _moods.GetValueOrDefault(ns);
        var generation = metadata.GetProperty("generation").GetInt64();
        // It comes by here again without a change: when a watch ends, or by its own word about it.
        if (mood == GatewayMood.Silent || (isForNext && Answered(route) == generation))
            return;
        var status = Status(route.GetProperty("spec"), mood, mood == GatewayMood.NamesOlderGeneration ? generation - 1 : generation);
        if (route.TryGetProperty("status", out var now) && JsonNode.DeepEquals(JsonNode.Parse(now.GetRawText()), status))
            return;
        var (code, answer) = await api.SendAsync(
            HttpMethod.Patch,
            $"/apis/gateway.networking.k8s.io/v1/namespaces/{ns}/httproutes/{metadata.GetProperty("name").GetString()}/status?fieldManager=gateway",
            new JsonObject { ["status"] = status }.ToJsonString(), "application/merge-patch+json");
        // Gone meanwhile, or with a namespace that goes: nobody asks any more.
        if (code is not (< 300 or 404 or 409))
            await Console.Error.WriteLineAsync($"scripted gateway: {ns}: {code} {answer}");
    }

    /// <summary>The generation that the route's status speaks of; null before anything was said.</summary>
    private static long? Answered(JsonElement route) => route.TryGetProperty("status", out var status)
        ? (long?)JsonNode.Parse(status.GetRawText())?["parents"]?.AsArray().FirstOrDefault()?["conditions"]?.AsArray().FirstOrDefault()?["observedGeneration"]
        : null;

    private static JsonObject Status(JsonElement spec, GatewayMood mood, long generation)
    {
        var parents = new JsonArray();
        foreach (var parent in spec.GetProperty("parentRefs").EnumerateArray())
            parents.Add(new JsonObject
            {
                ["parentRef"] = JsonNode.Parse(parent.GetRawText()),
                ["controllerName"] = "ragoperator.dev/scripted-gateway",
                ["conditions"] = new JsonArray(
                    Condition("Accepted", mood != GatewayMood.Refuses, generation),
                    Condition("ResolvedRefs", true, generation)),
            });
        return new JsonObject { ["parents"] = parents };
    }

    private static JsonObject Condition(string type, bool holds, long generation) => new()
    {
        ["type"] = type,
        ["status"] = holds ? "True" : "False",
        ["reason"] = holds ? type : "NotAllowedByListeners",
        ["message"] = holds ? "as asked" : "the listener allows no such route",
        ["observedGeneration"] = generation,
        ["lastTransitionTime"] = "2026-01-01T00:00:00Z",
    };
}
