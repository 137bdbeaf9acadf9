using System.Text.Json;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Installation;

/// <summary>What is played: install, approval, promotion, rollback, what hands do, a kill switch, a take-over.</summary>
internal sealed partial class RightsWorld
{
    private async Task ScenarioAsync()
    {
        await ReadyAsync();
        await SendAsync("services", """{"apiVersion":"v1","kind":"Service","metadata":{"name":"elsewhere"},"spec":{"type":"ExternalName","externalName":"qdrant.example.com"}}""");
        await ApplyAsync("1.0");
        await UntilAsync(s => s.Phase == "Healthy" && s.Release == 1, "first install");
        await ApplyAsync("1.1");
        await UntilAsync(s => s.Step?.Name == "canary" && s.Weight == 50, "canary at 50%");
        await RequestAsync("approve/2/canary");
        await UntilAsync(s => s.Phase == "Healthy" && s.Release == 2 && s.Retiring is null, "approved and promoted");
        await UntilAsync(async () => (await ListAsync("apps/v1", "deployments")).Count == 2 && (await ListAsync("v1", "configmaps")).Count(Flags) == 1, "the old release is gone");
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
        await RequestAsync("abort/current");
        await UntilAsync(s => s.Phase == "Degraded" && s.Weight == 0, "aborted and rolled back");
        await UntilAsync(async () => (await ListAsync("apps/v1", "controllerrevisions")).Any(r => r.GetRawText().Contains("ragoperator.dev/failed", StringComparison.Ordinal)), "the failed release is marked");
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

        await UntilAsync(async () => (await EventsAsync(_place)).Any(e => e.TryGetProperty("series", out var series) && series.ValueKind == JsonValueKind.Object), "the second is counted onto the first's event");
    }

    /// <summary>Labels that a hand takes away, of a child of each kind, and a route that it deletes.</summary>
    private async Task MendedAsync()
    {
        foreach (var (group, resource) in ((string, string)[])[("apps/v1", "deployments"), ("apps/v1", "controllerrevisions"), ("v1", "services"), ("v1", "configmaps"), ("gateway.networking.k8s.io/v1", "httproutes")])
        {
            var name = (await ListAsync(group, resource)).Select(o => o.GetProperty("metadata").Text("name")).First(n => n.StartsWith("assistant", StringComparison.Ordinal));
            var path = $"{Root(group)}/namespaces/{_place}/{resource}/{name}";
            await _space.Api.SendAsync(HttpMethod.Patch, path, """{"metadata":{"labels":{"ragoperator.dev/name":null}}}""", "application/merge-patch+json");
            await UntilAsync(async () => (await _space.Api.GetAsync(path))!.Value.GetProperty("metadata").GetProperty("labels").TryGetProperty("ragoperator.dev/name", out _), $"a label of {resource} is given back");
        }

        var route = $"/apis/gateway.networking.k8s.io/v1/namespaces/{_place}/httproutes/assistant";
        await _space.Api.SendAsync(HttpMethod.Delete, route);
        await UntilAsync(async () => await _space.Api.GetAsync(route) is not null, "a deleted route is made again");
    }

    private async Task SwitchedOffAsync()
    {
        await ApplyAsync("1.1", flag: false);
        await UntilAsync(async () => (await ListAsync("v1", "configmaps")).Where(Flags).All(c => c.GetRawText().Contains("FEATURE_REPLAY=false", StringComparison.Ordinal)), "the flag is off");
    }

    /// <summary>The one that leads ends cleanly: it gives the Lease back, and the other sees that.</summary>
    private async Task TakenOverAsync()
    {
        var leader = _operators[0];
        await UntilAsync(async () =>
        {
            foreach (var each in _operators)
            {
                if (!(await MetricsAsync(each.Port)).Contains("ragoperator_leader 1", StringComparison.Ordinal)) continue;
                leader = each;
                return true;
            }

            return false;
        }, "one of them leads");
        await NoteRefusedAsync(leader.Port);
        await leader.Process.TerminateAsync(TimeSpan.FromSeconds(20));
        _operators.Remove(leader);
        await ApplyAsync("1.3", flag: false);
        await UntilAsync(s => s.Step?.Name == "canary" && s.Weight == 50, "the other goes on");
        // Somebody deletes the Lease: it is made again.
        await _space.Api.SendAsync(HttpMethod.Delete, $"/apis/coordination.k8s.io/v1/namespaces/{Own}/leases/rag-operator");
        await UntilAsync(async () => await _space.Api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{Own}/leases/rag-operator") is not null, "the Lease is made again");
    }

    private async Task ToldAsync()
    {
        await UntilAsync(async () => (await EventsAsync(_place)).Any(e => e.Text("reason") == "Promoted"), "promotion is told by an event");
        await UntilAsync(async () => (await EventsAsync(Own)).Any(e => e.Text("reason") == "LeaderElection"), "leadership is told by an event");
    }
}
