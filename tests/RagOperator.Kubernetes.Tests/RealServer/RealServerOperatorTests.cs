using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.RealServer;

public sealed class RealServerOperatorTests(RealServerFixture server) : IClassFixture<RealServerFixture>
{
    private const string HttpRouteCrd = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"httproutes.gateway.networking.k8s.io",
         "annotations":{"api-approved.kubernetes.io":"unapproved, for a test"}},
         "spec":{"group":"gateway.networking.k8s.io","scope":"Namespaced","names":{"kind":"HTTPRoute","listKind":"HTTPRouteList","plural":"httproutes","singular":"httproute"},
         "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}
        """;

    [SkippableFact]
    public async Task Operator_makes_a_child_repairs_it_and_tells_the_story_in_order()
    {
        using var client = server.Connect();
        using var host = Build();
        await host.StartAsync();
        var body = RealServerClientTests.ConfigMap("parent", "1");
        body["metadata"]!["labels"] = new JsonObject { ["op"] = "yes" };
        (await client.CreateAsync<V1ConfigMap>(body, "default")).EnsureSuccess();

        var first = await ChildAsync(client, static _ => true);
        Assert.Equal("parent", first.GetController()!.Name);
        (await client.DeleteAsync<V1Service>(first.Key(), first.Uid())).ToString();
        var second = await ChildAsync(client, child => child.Uid() != first.Uid());
        Assert.NotEqual(first.Uid(), second.Uid());

        await Wait.UntilAsync(
            async () => (await client.ListAsync<Eventsv1Event>(new ListOptions { Namespace = "default" })).EnsureSuccess()
                .Items.Count(static e => e.Regarding?.Name == "parent") >= 4,
            "the events are written");
        var described = (await server.KubectlAsync("describe", "configmap", "parent")).Split("Events:")[1];
        var rows = described.Split('\n').Where(static r => r.Contains("rag.test/operator", StringComparison.Ordinal)).ToArray();
        Assert.Equal(["Begun", "ChildMade", "Begun2", "ChildMade2"], rows.Take(4).Select(static r => r.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
        Assert.DoesNotContain("unknown", described, StringComparison.Ordinal);

        var events = (await client.ListAsync<Eventsv1Event>(new ListOptions { Namespace = "default" })).EnsureSuccess().Items;
        Assert.All(events.Where(static e => e.Regarding?.Name == "parent"), static e => Assert.Matches("^[0-9a-f]{32}$", e.GetAnnotation("ragoperator.io/trace-id")));
        await host.StopAsync();
    }

    [SkippableFact]
    public async Task Cache_finds_a_kind_whose_definition_is_installed_later()
    {
        var time = new FakeTimeProvider();
        using var client = server.Connect();
        using var patient = new KubernetesClient(server.Configuration, time);
        var cache = new ObjectCache<V1HTTPRoute>(patient, null, time);
        using var stop = new CancellationTokenSource();
        var run = cache.RunAsync(stop.Token);
        await Wait.UntilAsync(() => cache.State == CacheState.KindMissing, "the kind is missing");

        var made = await client.SendAsync(
            HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body: System.Text.Encoding.UTF8.GetBytes(HttpRouteCrd));
        Assert.True(made.IsSuccess, made.ToString());
        await Wait.UntilAsync(
            () =>
            {
                if (!cache.HasSynced) time.Advance(TimeSpan.FromSeconds(1));
                return cache.HasSynced && cache.State == CacheState.Watching;
            },
            "the cache syncs");
        (await client.CreateAsync<V1HTTPRoute>(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "r" } }, "default")).EnsureSuccess();
        await Wait.UntilAsync(() => cache.Get(new("default", "r")) is not null, "the route is seen");
        await stop.CancelAsync();
        await run;
    }

    [SkippableFact]
    public async Task Cache_survives_a_restart_of_the_server_and_misses_nothing()
    {
        using var client = server.Connect();
        var cache = new ObjectCache<V1ConfigMap>(client, new CacheOptions<V1ConfigMap> { Namespace = "default" });
        using var stop = new CancellationTokenSource();
        var run = cache.RunAsync(stop.Token);
        (await client.CreateAsync<V1ConfigMap>(RealServerClientTests.ConfigMap("before", "1"), "default")).EnsureSuccess();
        await Wait.UntilAsync(() => cache.Get(new("default", "before")) is not null, "the first is seen");

        await server.RestartAsync();
        (await client.DeleteAsync<V1ConfigMap>(new("default", "before"))).ToString();
        (await client.CreateAsync<V1ConfigMap>(RealServerClientTests.ConfigMap("after", "1"), "default")).EnsureSuccess();
        await Wait.UntilAsync(
            () => cache.Get(new("default", "after")) is not null && cache.Get(new("default", "before")) is null, "both changes are seen", TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await run;
    }

    private static async Task<V1Service> ChildAsync(KubernetesClient client, Func<V1Service, bool> wanted)
    {
        V1Service? child = null;
        await Wait.UntilAsync(
            async () => (child = (await client.GetAsync<V1Service>(new("default", "parent"))).ValueOrNull()) is not null && wanted(child), "the child is there");
        return child!;
    }

    private IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services
            .AddKubernetesOperator(o =>
            {
                o.ClientConfiguration = () => server.Configuration;
                o.Name = "rag.test/operator";
            })
            .AddCache<V1ConfigMap>(static cache => cache.LabelSelector = "op=yes")
            .AddController<Controller, V1ConfigMap>()
            .Owns<V1Service>();
        return builder.Build();
    }

    private sealed class Controller(IKubernetesClient client, IObjectCache<V1Service> services, IEventRecorder events) : IEntityController<V1ConfigMap>
    {
        private int _made;

        public async Task<ReconciliationResult<V1ConfigMap>> ReconcileAsync(V1ConfigMap entity, CancellationToken cancellationToken)
        {
            if (services.ByIndex(CacheIndex.OwnerUid, entity.Uid()).Count > 0) return ReconciliationResult<V1ConfigMap>.Success();
            var suffix = _made == 0 ? "" : $"{_made + 1}";
            var body = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = entity.Name(),
                    ["ownerReferences"] = new JsonArray(new JsonObject
                    {
                        ["apiVersion"] = "v1",
                        ["kind"] = "ConfigMap",
                        ["name"] = entity.Name(),
                        ["uid"] = entity.Uid(),
                        ["controller"] = true,
                    }),
                },
                ["spec"] = new JsonObject { ["ports"] = new JsonArray(new JsonObject { ["port"] = 80 }) },
            };
            var made = await client.CreateAsync<V1Service>(body, entity.Namespace(), cancellationToken: cancellationToken);
            if (made.Reason == ApiReason.AlreadyExists) return ReconciliationResult<V1ConfigMap>.Success(); // the cache will tell
            if (!made.IsSuccess) return ReconciliationResult<V1ConfigMap>.Failure(made.Message, made.ToException());
            events.Publish(entity, EventType.Normal, $"Begun{suffix}", "Make", "making the child");
            events.Publish(entity, EventType.Normal, $"ChildMade{suffix}", "Make", "made the child");
            _made++;
            return ReconciliationResult<V1ConfigMap>.Success();
        }

        public Task<ReconciliationResult<V1ConfigMap>> DeletedAsync(V1ConfigMap entity, CancellationToken cancellationToken) =>
            Task.FromResult(ReconciliationResult<V1ConfigMap>.Success());
    }
}
