using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using static RagOperator.Kubernetes.Tests.Support.FakeApiServer;

namespace RagOperator.Kubernetes.Tests.Hosting;

public sealed class ControllerHostTests
{
    private static readonly NamespacedName A = new("default", "a");

    [Fact]
    public async Task Object_of_the_list_is_reconciled_with_a_trace_id_in_context_and_log()
    {
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (entity, _) =>
            Result.Success());
        var pass = await world.PassAsync();

        Assert.Equal("a", pass.Entity.Name());
        Assert.Matches("^[0-9a-f]{32}$", pass.Context!.TraceId);
        Assert.Equal((A, 0), (pass.Context.Key, pass.Context.Attempt));
        Assert.Contains(world.Log.Scopes, scope => scope.Contains(KeyValuePair.Create<string, object?>("traceId", pass.Context.TraceId)));
    }

    [Fact]
    public async Task Exception_is_retried_logged_once_for_each_attempt_and_counted()
    {
        var passes = 0;
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (_, _) =>
            ++passes <= 3 ? throw new InvalidOperationException("broken") : Result.Success());
        await Wait.UntilAsync(() => world.Counted("kubernetes.controller.reconciles", "success") == 1, "it succeeds at last");

        var told = world.Log.Entries.Where(static e => e.Level == LogLevel.Error && e.Text.Contains("broken", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, told.Count);
        Assert.All(told, static e => Assert.Contains("   at RagOperator", e.Text, StringComparison.Ordinal));
        Assert.Equal((3, 3), (world.Counted("kubernetes.controller.errors"), world.Counted("kubernetes.controller.reconciles", "error")));
        Assert.Equal([0, 1, 2, 3], world.Passes.Select(static p => p.Context!.Attempt));
    }

    [Fact]
    public async Task Server_that_does_not_answer_is_told_in_one_line_that_names_the_request()
    {
        var passes = 0;
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (_, _) =>
            ++passes > 1 ? Result.Success() : Result.Failure("no answer within 2 s", Unanswered()));
        await Wait.UntilAsync(() => world.Counted("kubernetes.controller.reconciles", "success") == 1, "it succeeds at last");

        var told = Assert.Single(world.Log.Entries, static e => e.Level == LogLevel.Error).Text;
        Assert.Contains("default/a failed (attempt 1): patch ragdeployments/status default/a: no answer within 2 s", told, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conflict_is_retried_at_once_and_is_no_error()
    {
        var passes = 0;
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (_, _) =>
            ++passes <= 2 ? throw Conflict() : Result.Success());
        await Wait.UntilAsync(() => world.Counted("kubernetes.controller.reconciles", "success") == 1, "it succeeds at last");

        Assert.Equal((0, 2), (world.Counted("kubernetes.controller.errors"), world.Counted("kubernetes.controller.reconciles", "conflict")));
        Assert.DoesNotContain(world.Log.Entries, static e => e.Level >= LogLevel.Warning);
        Assert.Contains(world.Log.Entries, static e => e.Level == LogLevel.Information && e.Text.Contains("changed meanwhile", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Success_with_RequeueAfter_runs_again_without_any_change()
    {
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (_, _) =>
            Result.Success(TimeSpan.FromMilliseconds(20)));
        await Wait.UntilAsync(() => world.Passes.Count >= 3, "it ran three times");
    }

    [Fact]
    public async Task Trigger_wakes_the_controller()
    {
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (_, _) => Result.Success());
        await world.PassAsync();
        var trigger = world.Services.GetRequiredService<IReconcileTrigger<V1ConfigMap>>();
        trigger.Enqueue(A);
        await Wait.UntilAsync(() => world.Passes.Count == 2, "it ran again");
        trigger.EnqueueAfter(A, TimeSpan.FromMilliseconds(10));
        await Wait.UntilAsync(() => world.Passes.Count == 3, "it ran once more");
    }

    [Fact]
    public async Task Deletion_hands_over_the_object_as_last_known_once()
    {
        await using var world = await World.StartAsync(
            s => [List("10", "", Item("a", "3", "last")), s.Mute(Event("DELETED", Item("a", "11", "last")))], (_, _) => Result.Success());
        await Wait.UntilAsync(() => !world.Deleted.IsEmpty, "it is told of the deletion");
        Assert.Equal("last", Assert.Single(world.Deleted).Data!["value"]);

        world.Services.GetRequiredService<IReconcileTrigger<V1ConfigMap>>().Enqueue(A);
        await Wait.UntilAsync(() => world.Services.GetRequiredService<ControllerQueue<V1ConfigMap>>().Keys.Count == 0, "the queue is empty");
        Assert.Single(world.Deleted);
    }

    [Fact]
    public async Task Nothing_runs_outside_a_term_and_its_end_cancels_what_runs()
    {
        using var leadership = new SwitchedLeadership();
        var cancelled = new TaskCompletionSource();
        await using var world = await World.StartAsync(
            s => [List("10", "", Item("a", "3")), s.Mute()],
            async (_, token) =>
            {
                if (cancelled.Task.IsCompleted) return Result.Success();
                using var registration = token.Register(cancelled.SetResult);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return Result.Success();
            },
            services => services.AddSingleton<ILeadership>(leadership));
        await world.Services.GetRequiredService<IObjectCache<V1ConfigMap>>().WaitForSyncAsync(CancellationToken.None);
        Assert.Empty(world.Passes);
        // A standby of months would collect the keys of all objects that ever were, and tell of an old queue.
        Assert.Equal(0, world.Services.GetRequiredService<ControllerQueue<V1ConfigMap>>().Keys.Count);

        leadership.Win();
        await world.PassAsync();
        leadership.Lose();
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Single(world.Passes);

        leadership.Win();
        await Wait.UntilAsync(() => world.Counted("kubernetes.controller.reconciles", "success") == 1, "the next term takes it up again");
        Assert.Equal(0, world.Counted("kubernetes.controller.errors"));
    }

    [Fact]
    public async Task Stop_lets_a_running_reconcile_end()
    {
        var release = new TaskCompletionSource();
        var ended = false;
        var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], async (_, token) =>
        {
            await release.Task.WaitAsync(token);
            ended = true;
            return Result.Success();
        });
        await world.PassAsync();
        var stop = world.DisposeAsync().AsTask();
        Assert.False(stop.IsCompleted);
        release.SetResult();
        await stop;
        Assert.True(ended);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Missing_kind_holds_up_the_controller_unless_it_is_optional(bool optional)
    {
        await using var world = await World.StartAsync(
            s => [Route(s)], (_, _) => Result.Success(), configure: controller => controller.Owns<V1HTTPRoute>(optional));
        var routes = world.Services.GetRequiredService<IObjectCache<V1HTTPRoute>>();
        await Wait.UntilAsync(() => routes.State == CacheState.KindMissing, "the kind is missing");
        await world.Services.GetRequiredService<IObjectCache<V1ConfigMap>>().WaitForSyncAsync(CancellationToken.None);
        if (optional) await world.PassAsync();
        else Assert.Empty(world.Passes);

        static Func<HttpContext, Task> Route(FakeApiServer s) => async context =>
        {
            if (context.Request.Path.Value!.Contains("httproutes", StringComparison.Ordinal)) context.Response.StatusCode = 404;
            else if (context.Request.Query.ContainsKey("watch")) await s.Mute()(context);
            else await List("10", "", Item("a", "3"))(context);
        };
    }

    [Fact]
    public async Task Owned_object_wakes_its_owner_and_a_change_of_owner_both()
    {
        var allSeen = new TaskCompletionSource();
        await using var world = await World.StartAsync(
            s => [Route(s, allSeen.Task)], (_, _) => Result.Success(), configure: static controller => controller.Owns<V1Service>());
        // Only once the controller has seen all objects a first time is a second pass a consequence of the change.
        await Wait.UntilAsync(() => world.Passes.Count >= 3 && world.Counted("kubernetes.controller.reconciles", "success") == 3, "all were seen once");
        allSeen.SetResult();
        await Wait.UntilAsync(() => world.Passes.Count(static p => p.Entity.Name() == "b") >= 2, "the new owner is woken");
        await Wait.UntilAsync(() => world.Passes.Count(static p => p.Entity.Name() == "a") >= 2, "the old owner is woken");
        Assert.Single(world.Passes, static p => p.Entity.Name() == "stranger");

        static Func<HttpContext, Task> Route(FakeApiServer s, Task allSeen)
        {
            var first = true;
            return async context =>
            {
                var services = context.Request.Path.Value!.Contains("services", StringComparison.Ordinal);
                if (!services && context.Request.Query.ContainsKey("watch")) await s.Mute()(context);
                else if (!services) await List("10", "", Item("a", "3"), Item("b", "4"), Item("stranger", "5"))(context);
                else if (!context.Request.Query.ContainsKey("watch"))
                    await Json($$$"""{"metadata":{"resourceVersion":"10"},"items":[{{{Child("1", "a")}}},{{{Child("1", "stranger", "other.io/v1", "-2")}}}]}""")(context);
                else if (first)
                {
                    first = false;
                    await allSeen;
                    await s.Mute(Event("MODIFIED", Child("11", "b")))(context);
                }
                else await s.Mute()(context);
            };
        }

        static string Child(string version, string owner, string api = "v1", string suffix = "") =>
            $$$"""{"metadata":{"name":"child{{{suffix}}}","namespace":"default","resourceVersion":"{{{version}}}","ownerReferences":[{"apiVersion":"{{{api}}}","kind":"ConfigMap","name":"{{{owner}}}","uid":"u","controller":true}]}}""";
    }

    [Fact]
    public async Task Loop_that_dies_ends_the_process_with_an_exit_code()
    {
        await using var world = await World.StartAsync(
            s => [List("10", ""), s.Mute()], (_, _) => Result.Success(), static services => services.AddSingleton<IHostedCache, DeadCache>());
        var lifetime = world.Services.GetRequiredService<IHostApplicationLifetime>();
        await Wait.UntilAsync(() => lifetime.ApplicationStopping.IsCancellationRequested, "the host stops");
        Assert.Equal(FatalError.ExitCode, Environment.ExitCode);
        Assert.Equal("dead", world.Services.GetRequiredService<FatalError>().Cause!.Message);
        Environment.ExitCode = 0;
    }

    [Fact]
    public async Task Health_names_each_part()
    {
        await using var world = await World.StartAsync(s => [List("10", "", Item("a", "3")), s.Mute()], (_, _) => Result.Success());
        await world.PassAsync();
        var health = world.Services.GetServices<IHealthSource>().ToDictionary(static h => h.Name, static h => h.Check().Status, StringComparer.Ordinal);
        Assert.Equal(["api-server", "cache-configmaps", "queue-configmaps"], health.Keys.Order());
        Assert.All(health.Values, static status => Assert.Equal(HealthVerdict.Healthy, status));
    }

    [Fact]
    public void Second_controller_of_a_kind_is_refused()
    {
        var builder = new ServiceCollection().AddKubernetesOperator();
        builder.AddController<Controller, V1ConfigMap>();
        Assert.Throws<InvalidOperationException>(() => builder.AddController<Controller, V1ConfigMap>());
    }

    private static KubernetesException Conflict() => new ApiResult<V1ConfigMap>
    {
        Call = new("patch", "configmaps", A),
        StatusCode = 409,
        Reason = ApiReason.Conflict,
        Message = "the object has been modified",
    }.ToException();

    private static KubernetesException Unanswered()
    {
        try
        {
            throw new OperationCanceledException();
        }
        catch (OperationCanceledException e)
        {
            return new ApiResult<V1ConfigMap>
            {
                Call = new("patch", "ragdeployments/status", A),
                Reason = ApiReason.Transport,
                Message = "no answer within 2 s",
                Error = e,
            }.ToException();
        }
    }

    private static class Result
    {
        public static ReconciliationResult<V1ConfigMap> Success(TimeSpan? after = null) => ReconciliationResult<V1ConfigMap>.Success(after);

        public static ReconciliationResult<V1ConfigMap> Failure(string message, Exception error) => ReconciliationResult<V1ConfigMap>.Failure(message, error);
    }

    private sealed record Pass(V1ConfigMap Entity, ReconcileContext? Context);

    private sealed class Controller(World world) : IEntityController<V1ConfigMap>
    {
        public Task<ReconciliationResult<V1ConfigMap>> ReconcileAsync(V1ConfigMap entity, CancellationToken cancellationToken)
        {
            world.Passes.Enqueue(new(entity, ReconcileContext.Current));
            return world.Reconcile(entity, cancellationToken);
        }

        public Task<ReconciliationResult<V1ConfigMap>> DeletedAsync(V1ConfigMap entity, CancellationToken cancellationToken)
        {
            world.Deleted.Enqueue(entity);
            return Task.FromResult(Result.Success());
        }
    }

    private sealed class DeadCache : IHostedCache
    {
        public string Kind => "Dead";

        public bool HasSynced => true;

        public Task RunAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("dead");

        public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class SwitchedLeadership : ILeadership, IDisposable
    {
        private volatile TaskCompletionSource _won = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CancellationTokenSource _term = new();

        public bool IsLeader => _won.Task.IsCompleted;

        public CancellationToken TermToken => _term.Token;

        public Task WaitForLeadershipAsync(CancellationToken cancellationToken) => _won.Task.WaitAsync(cancellationToken);

        public void Win()
        {
            _term = new CancellationTokenSource();
            _won.SetResult();
        }

        public void Lose()
        {
            _won = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _term.Cancel();
        }

        public void Dispose() => _term.Dispose();
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly MeterListener _meters = new();
        private readonly ConcurrentDictionary<(string Instrument, string Result), int> _counted = new();
        private FakeApiServer _server = null!;
        private IHost _host = null!;
        private bool _disposed;

        public required Func<V1ConfigMap, CancellationToken, Task<ReconciliationResult<V1ConfigMap>>> Reconcile { get; init; }

        public ConcurrentQueue<Pass> Passes { get; } = new();

        public ConcurrentQueue<V1ConfigMap> Deleted { get; } = new();

        public LogCollector Log { get; } = new();

        public IServiceProvider Services => _host.Services;

        public static Task<World> StartAsync(
            Func<FakeApiServer, Func<HttpContext, Task>[]> steps,
            Func<V1ConfigMap, CancellationToken, ReconciliationResult<V1ConfigMap>> reconcile,
            Action<IServiceCollection>? services = null,
            Action<IControllerBuilder<V1ConfigMap>>? configure = null) =>
            StartAsync(steps, (entity, token) => Task.FromResult(reconcile(entity, token)), services, configure);

        public static async Task<World> StartAsync(
            Func<FakeApiServer, Func<HttpContext, Task>[]> steps,
            Func<V1ConfigMap, CancellationToken, Task<ReconciliationResult<V1ConfigMap>>> reconcile,
            Action<IServiceCollection>? services = null,
            Action<IControllerBuilder<V1ConfigMap>>? configure = null)
        {
            var world = new World { Reconcile = reconcile, _server = await FakeApiServer.StartAsync() };
            world._server.Script(steps(world._server));
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Logging.AddProvider(world.Log);
            builder.Services.AddSingleton(world);
            services?.Invoke(builder.Services);
            var op = builder.Services.AddKubernetesOperator(o => o.ClientConfiguration = () => world._server.Configuration);
            var controller = op.AddController<Controller, V1ConfigMap>();
            configure?.Invoke(controller);
            world._host = builder.Build();
            world.Listen();
            await world._host.StartAsync();
            return world;
        }

        public async Task<Pass> PassAsync()
        {
            await Wait.UntilAsync(() => !Passes.IsEmpty, "the controller runs");
            return Passes.First();
        }

        public int Counted(string instrument, string result = "") => _counted.GetValueOrDefault((instrument, result));

        public async ValueTask DisposeAsync()
        {
            if (_disposed) return;
            _disposed = true;
            await _host.StopAsync();
            _host.Dispose();
            await _server.DisposeAsync();
            _meters.Dispose();
        }

        private void Listen()
        {
            var mine = Services.GetRequiredService<KubernetesMetrics>();
            _meters.InstrumentPublished = (instrument, listener) =>
            {
                // Other tests of the process have meters of the same name.
                if (ReferenceEquals(instrument.Meter, mine.Reconciles.Meter)) listener.EnableMeasurementEvents(instrument);
            };
            _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                var result = "";
                foreach (var tag in tags)
                    if (tag.Key == "result") result = (string)tag.Value!;
                _counted.AddOrUpdate((instrument.Name, result), (int)value, (_, old) => old + (int)value);
            });
            _meters.Start();
        }
    }
}
