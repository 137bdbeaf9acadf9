using System.Text.Json;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Rights;

/// <summary>What is played: install, approval, promotion, a breach that is rolled back, what hands do, a kill switch, a take-over.</summary>
internal sealed partial class RightsWorld
{
    private async Task ScenarioAsync()
    {
        await ReadyAsync();
        if (_mode == Mode.Cluster) await WebhookKeptAsync();
        await SendAsync($"/api/v1/namespaces/{_name}/services/elsewhere", """{"apiVersion":"v1","kind":"Service","metadata":{"name":"elsewhere"},"spec":{"type":"ExternalName","externalName":"qdrant.example.com"}}""");
        await ApplyAsync("1.0");
        await UntilAsync(s => s.Phase == "Healthy" && s.Release == 1, "first install");
        var old = await RevisionAsync();
        await ApplyAsync("1.1");
        await UntilAsync(s => s.Step?.Name == "canary" && s.Weight == 50, "canary at 50%");
        await ApprovedAsync();
        await UntilAsync(s => s.Phase == "Healthy" && s.Release == 2 && s.Retiring is null, "approved and promoted");
        foreach (var (group, resource) in ((string, string)[])[("apps/v1", "deployments"), ("v1", "services"), ("v1", "configmaps")])
            await UntilAsync(async () => !(await ListAsync(group, resource)).Any(o => Name(o).Contains(old, StringComparison.Ordinal)), $"{resource} of the old release are gone");
        await RolledBackAsync();
        await RefusedTwiceAsync();
        await MendedAsync();
        await SwitchedOffAsync();
        await TakenOverAsync();
        await ToldAsync();
    }

    private async Task RolledBackAsync()
    {
        await ApplyAsync("1.2");
        await UntilAsync(s => s.Step?.Name == "canary" && s.Weight == 50, "the next canary at 50%");
        _errors = 1;
        await UntilAsync(s => s.Phase == "Degraded" && s.Weight == 0, "rolled back for its errors");
        _errors = 0;
        await UntilAsync(async () => (await ListAsync("apps/v1", "controllerrevisions")).Any(r => r.GetRawText().Contains("ragoperator.dev/failed", StringComparison.Ordinal)), "the failed release is marked");
        await UntilAsync(async () => (await EventsAsync(_name)).Any(e => e.Text("reason") == "RolledBack"), "rollback is told by an event");
        await ApplyAsync("1.1");
        await UntilAsync(s => s.Phase == "Healthy" && s.Release == 2, "back at the stable release");
        await UntilAsync(async () => (await ListAsync("apps/v1", "deployments")).Count == 2, "what failed is gone");
        // A policy that no longer counts is not kept.
        await UntilAsync(async () => (await ListAsync("apps/v1", "controllerrevisions")).Count <= 4, "old records are gone");
    }

    private async Task RefusedTwiceAsync()
    {
        for (var i = 0; i < 2; i++)
        {
            await RequestAsync("approve/99/canary");
            await UntilAsync(async () => !(await ObjectAsync()).GetProperty("metadata").GetProperty("annotations").TryGetProperty("ragoperator.dev/request", out _), "a request is answered and taken away");
        }

        await UntilAsync(async () => (await EventsAsync(_name)).Any(e => e.TryGetProperty("series", out var series) && series.ValueKind == JsonValueKind.Object), "the second is counted onto the first's event");
    }

    /// <summary>Labels that a hand takes away, of a child of each kind, and a route that it deletes.</summary>
    private async Task MendedAsync()
    {
        foreach (var (group, resource) in ((string, string)[])[("apps/v1", "deployments"), ("apps/v1", "controllerrevisions"), ("v1", "services"), ("v1", "configmaps"), ("gateway.networking.k8s.io/v1", "httproutes")])
        {
            var name = (await ListAsync(group, resource)).Select(Name).First(n => n.StartsWith("assistant", StringComparison.Ordinal));
            var path = $"{Root(group)}/namespaces/{_name}/{resource}/{name}";
            await _space.Api.PatchAsync(path, """{"metadata":{"labels":{"ragoperator.dev/name":null}}}""");
            await UntilAsync(async () => (await _space.Api.GetAsync(path))!.Value.GetProperty("metadata").GetProperty("labels").TryGetProperty("ragoperator.dev/name", out _), $"a label of {resource} is given back");
        }

        var route = $"/apis/gateway.networking.k8s.io/v1/namespaces/{_name}/httproutes/assistant";
        await _space.Api.SendAsync(HttpMethod.Delete, route);
        await UntilAsync(async () => await _space.Api.GetAsync(route) is not null, "a deleted route is made again");
    }

    private async Task SwitchedOffAsync()
    {
        await ApplyAsync("1.1", flag: false);
        await UntilAsync(
            async () => (await ListAsync("v1", "configmaps")).Where(c => Name(c).EndsWith("-flags", StringComparison.Ordinal)).All(c => c.GetRawText().Contains("FEATURE_REPLAY=false", StringComparison.Ordinal)), "the flag is off");
    }

    /// <summary>The one that leads ends cleanly: it gives the Lease back, and the other sees that.</summary>
    private async Task TakenOverAsync()
    {
        var leader = _operators[0];
        await UntilAsync(async () =>
        {
            foreach (var each in _operators)
            {
                if (!(await AskAsync(each.Port, "metrics")).Contains("ragoperator_leader 1", StringComparison.Ordinal)) continue;
                leader = each;
                return true;
            }

            return false;
        }, "one of them leads");
        _operators.Remove(leader);
        await leader.Process.TerminateAsync(TimeSpan.FromSeconds(20));
        await ApplyAsync("1.3", flag: false);
        await UntilAsync(s => s.Step?.Name == "canary" && s.Weight == 50, "the other goes on");
        // Somebody deletes the Lease: it is made again.
        var lease = $"/apis/coordination.k8s.io/v1/namespaces/{ChartRights.Home}/leases/{_name}";
        await _space.Api.SendAsync(HttpMethod.Delete, lease);
        await UntilAsync(async () => await _space.Api.GetAsync(lease) is not null, "the Lease is made again");
    }

    private async Task ToldAsync()
    {
        await UntilAsync(async () => (await EventsAsync(_name)).Any(e => e.Text("reason") == "Promoted"), "promotion is told by an event");
        await UntilAsync(async () => (await EventsAsync(ChartRights.Home)).Any(e => e.Text("reason") == "LeaderElection" && e.Text("regarding", "name") == _name), "leadership is told by an event");
    }

    /// <summary>The revision of the api that runs now.</summary>
    private async Task<string> RevisionAsync() =>
        (await ObjectAsync()).GetProperty("status").GetProperty("components").EnumerateArray().Single(c => c.Text("name") == "api").Text("revision");

    private Task ReadyAsync() => UntilAsync(async () =>
    {
        foreach (var (_, port) in _operators) await AskAsync(port, "readyz");
        return true;
    }, "both operators are ready");

    private static async Task<string> AskAsync(int port, string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/{path}"));
    }
}
