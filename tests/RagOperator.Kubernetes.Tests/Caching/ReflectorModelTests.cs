using System.Collections.Concurrent;
using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.Caching;

/// <summary>Whatever a server's history is and however its connections fail, the cache ends up equal to it, and so does who only listened.</summary>
public sealed class ReflectorModelTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    [Fact]
    public void Cache_and_folded_changes_equal_the_server_after_any_history_with_any_faults()
    {
        // A step sets an object (0, 1), deletes it (2, 3), forgets history (4) or lets the cache catch up (5, 6); a fault is drawn for each request.
        var change = Gen.Choose(0, 6).SelectMany(static _ => Gen.Choose(0, 2), static (op, name) => (Op: op, Name: name));
        var play = change.ListOf().SelectMany(static _ => Gen.Choose(0, int.MaxValue), static (steps, seed) => (steps, seed));
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(30).WithEndSize(40),
            Prop.ForAll(play.ToArbitrary(), static p => PlayAsync([.. p.steps], p.seed).GetAwaiter().GetResult()));
    }

    private static async Task<bool> PlayAsync((int Op, int Name)[] steps, int seed)
    {
        var history = new History(seed);
        await using var server = await FakeApiServer.StartAsync(null, history.AnswerAsync);
        var time = new FakeTimeProvider();
        using var client = new KubernetesClient(server.Configuration, time, jitterSeed: seed);
        var cache = new ObjectCache<V1ConfigMap>(client, new CacheOptions<V1ConfigMap> { PageSize = 2 }, time, jitterSeed: seed);
        var folded = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var newest = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var broken = 0;
        using var subscription = cache.Subscribe(change =>
        {
            var name = change.Object.Name();
            var known = folded.GetValueOrDefault(name);
            // Each change begins where the last one ended.
            if (change.Old?.ResourceVersion() != known) Interlocked.Increment(ref broken);
            if (change.New is { } now)
            {
                folded[name] = now.ResourceVersion();
                // Never back in time, not even from a deletion to what was before it.
                var version = int.Parse(now.ResourceVersion(), CultureInfo.InvariantCulture);
                if (version < newest.GetValueOrDefault(name) || (known is null && version == newest.GetValueOrDefault(name))) Interlocked.Increment(ref broken);
                newest[name] = version;
            }
            else folded.TryRemove(name, out var _);
        });
        using var stop = new CancellationTokenSource();
        var run = cache.RunAsync(stop.Token);

        foreach (var (op, name) in steps)
        {
            history.Step(op, Names[name]);
            for (var polls = 0; op >= 5 && polls < 40 && !IsEqual(); polls++)
            {
                // While faults last it may not get there; then the next step comes anyway.
                time.Advance(TimeSpan.FromMilliseconds(500));
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
        }

        history.Heal();
        await Wait.UntilAsync(
            () =>
            {
                if (IsEqual()) return true;
                time.Advance(TimeSpan.FromSeconds(1));
                return false;
            },
            "the cache equals the server");
        await stop.CancelAsync();
        await run;
        return broken == 0 && Equal(folded, history.State());

        bool IsEqual() => cache.HasSynced
            && Equal(cache.Items.ToDictionary(static i => i.Name(), static i => i.ResourceVersion(), StringComparer.Ordinal), history.State());
    }

    private static bool Equal(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) =>
        a.Count == b.Count && a.All(p => b.TryGetValue(p.Key, out var value) && value == p.Value);

    /// <summary>A server's objects, every event that led to them, and a fault for each request.</summary>
    private sealed class History(int seed)
    {
        private readonly Lock _lock = new();
        private readonly Random _random = new(seed);
        private readonly Dictionary<string, string> _state = new(StringComparer.Ordinal);
        private readonly List<(int Version, string Line)> _events = [];
        private TaskCompletionSource _changed = new();
        private int _version = 100;
        private int _forgotten = 100;
        private bool _healed;

        public IReadOnlyDictionary<string, string> State()
        {
            lock (_lock) return new Dictionary<string, string>(_state, StringComparer.Ordinal);
        }

        public void Step(int op, string name)
        {
            lock (_lock)
            {
                if (op == 4)
                {
                    _forgotten = _version;
                }
                else if (op < 2 || (op < 4 && _state.ContainsKey(name)))
                {
                    var version = (++_version).ToString(CultureInfo.InvariantCulture);
                    var type = op >= 2 ? "DELETED" : _state.ContainsKey(name) ? "MODIFIED" : "ADDED";
                    if (op >= 2) _state.Remove(name);
                    else _state[name] = version;
                    _events.Add((_version, FakeApiServer.Event(type, FakeApiServer.Item(name, version))));
                }

                Wake();
            }
        }

        public void Heal()
        {
            lock (_lock)
            {
                _healed = true;
                Wake();
            }
        }

        public Task AnswerAsync(HttpContext context)
        {
            int fault;
            lock (_lock) fault = _healed ? 0 : _random.Next(14);
            switch (fault)
            {
                case 10: return FakeApiServer.Status(500, "InternalError")(context);
                case 11: return FakeApiServer.Reset(context);
                case 12: return FakeApiServer.Status(429, "TooManyRequests")(context);
                case 13: return FakeApiServer.Status(410, "Expired")(context);
                default: return context.Request.Query.ContainsKey("watch") ? WatchAsync(context, fault) : ListAsync(context);
            }
        }

        private Task ListAsync(HttpContext context)
        {
            lock (_lock)
            {
                // Pages hold the state of the first one: the token remembers it.
                var token = context.Request.Query["continue"].ToString();
                var limit = int.TryParse(context.Request.Query["limit"], CultureInfo.InvariantCulture, out var l) ? l : int.MaxValue;
                var (version, all) = token.Length > 0
                    ? (token.Split('|')[0], token.Split('|')[1].Split(',', StringSplitOptions.RemoveEmptyEntries))
                    : ($"{_version}", _state.OrderBy(static s => s.Key, StringComparer.Ordinal).Select(static s => $"{s.Key}={s.Value}").ToArray());
                var rest = all.Skip(limit).ToArray();
                var next = rest.Length > 0 ? $"{version}|{string.Join(',', rest)}" : "";
                return FakeApiServer.List(version, next, [.. all.Take(limit).Select(static i => FakeApiServer.Item(i.Split('=')[0], i.Split('=')[1]))])(context);
            }
        }

        private async Task WatchAsync(HttpContext context, int fault)
        {
            var from = int.Parse(context.Request.Query["resourceVersion"]!, CultureInfo.InvariantCulture);
            var left = fault is 0 or > 5 ? int.MaxValue : fault; // this many events, then some end
            while (true)
            {
                string[] lines;
                Task changed;
                lock (_lock)
                {
                    if (from < _forgotten && from < _version)
                    {
                        lines = [FakeApiServer.Error(410, "Expired")];
                        left = 0;
                    }
                    else
                    {
                        // Sometimes events are sent twice.
                        lines = [.. _events.Where(e => e.Version > from - (fault == 7 ? 2 : 0)).Select(static e => e.Line).Take(left)];
                        if (lines.Length < left) from = _version;
                        left -= lines.Length;
                    }

                    changed = _changed.Task;
                }

                await FakeApiServer.Watch(lines)(context);
                if (left == 0)
                {
                    if (fault == 5) await FakeApiServer.Watch("{\"type\":\"ADD")(context);
                    if (fault == 4) context.Abort();
                    return;
                }

                await changed.WaitAsync(context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
                if (context.RequestAborted.IsCancellationRequested) return;
                lock (_lock)
                    if (_healed && fault != 0) return;
            }
        }

        private void Wake()
        {
            var changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            changed.TrySetResult();
        }
    }
}
