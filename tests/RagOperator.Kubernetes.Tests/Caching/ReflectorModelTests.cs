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

    private static readonly Gen<Step> s_steps =
        from op in Gen.Frequency(
            (2, Gen.Constant(Op.Set)),
            (2, Gen.Constant(Op.Delete)),
            (1, Gen.Constant(Op.Forget)),
            (2, Gen.Constant(Op.CatchUp)))
        from name in Gen.Elements(Names)
        select new Step(op, name);

    // The faults of a history's requests come from its seed: how many requests there are depends on what fails.
    private static readonly Arbitrary<(int Seed, Step[] Steps)> s_cases = Arb.From(
        from seed in Gen.Choose(1, 1_000_000) from steps in Seeded.Histories(s_steps, 1, 39).Generator select (seed, steps),
        static c => Seeded.Shorter(c.steps).Select(steps => (c.seed, steps)));

    [Fact]
    public Task Cache_and_folded_changes_equal_the_server_after_any_history_with_any_faults() =>
        Seeded.HoldsAsync(60, s_cases, static c => PlayAsync(c.Steps, c.Seed));

    private enum Op
    {
        Set,
        Delete,
        /// <summary>The server forgets what it can.</summary>
        Forget,
        /// <summary>The cache gets time to catch up.</summary>
        CatchUp,
    }

    private sealed record Step(Op Op, string Name);

    private static async Task PlayAsync(Step[] steps, int seed)
    {
        var history = new History(seed);
        await using var server = await FakeApiServer.StartAsync(null, history.AnswerAsync);
        var time = new FakeTimeProvider();
        using var client = new KubernetesClient(server.Configuration, time, jitterSeed: seed);
        var cache = new ObjectCache<V1ConfigMap>(client, new CacheOptions<V1ConfigMap> { PageSize = 2 }, time, jitterSeed: seed);
        var folded = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var newest = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var broken = new ConcurrentQueue<string>();
        using var subscription = cache.Subscribe(change =>
        {
            var name = change.Object.Name();
            var known = folded.GetValueOrDefault(name);
            // Each change begins where the last one ended.
            if (change.Old?.ResourceVersion() != known) broken.Enqueue($"{name} was {known}, told from {change.Old?.ResourceVersion()}");
            if (change.New is { } now)
            {
                folded[name] = now.ResourceVersion();
                // Never back in time, not even from a deletion to what was before it.
                var version = int.Parse(now.ResourceVersion(), CultureInfo.InvariantCulture);
                if (version < newest.GetValueOrDefault(name) || (known is null && version == newest.GetValueOrDefault(name))) broken.Enqueue($"{name} went back to {version}");
                if (now.Data?["value"] != History.Value(now.ResourceVersion()) || now.Metadata.Uid != history.Uid(version)) broken.Enqueue($"{name}@{version} holds something else");
                newest[name] = version;
            }
            else folded.TryRemove(name, out var _);
        });
        using var stop = new CancellationTokenSource();
        var run = cache.RunAsync(stop.Token);

        try
        {
            foreach (var (op, name) in steps)
            {
                history.Step(op, name);
                for (var polls = 0; op == Op.CatchUp && polls < 40 && !IsEqual(); polls++)
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
                    // The longest that a mute watch may take is ten and a half minutes.
                    time.Advance(TimeSpan.FromSeconds(5));
                    return false;
                },
                "the cache equals the server");
        }
        finally
        {
            await stop.CancelAsync();
            await run;
        }

        Assert.Empty(broken);
        Assert.True(Equal(folded, history.State()), "what the changes tell is not what the server holds");

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
        private readonly Dictionary<string, string> _uids = new(StringComparer.Ordinal);
        private readonly Dictionary<int, string> _uidAt = [];
        private TaskCompletionSource _changed = new();
        private int _version = 100;
        private int _forgotten = 100;
        private bool _healed;

        /// <summary>What an object holds at a version: characters of one to four bytes.</summary>
        public static string Value(string version) => $"v{version} ü€😀";

        public string Uid(int version)
        {
            lock (_lock) return _uidAt[version];
        }

        public IReadOnlyDictionary<string, string> State()
        {
            lock (_lock) return new Dictionary<string, string>(_state, StringComparer.Ordinal);
        }

        public void Step(Op op, string name)
        {
            lock (_lock)
            {
                if (op == Op.Forget)
                {
                    _forgotten = _version;
                }
                else if (op == Op.Set || (op == Op.Delete && _state.ContainsKey(name)))
                {
                    var version = (++_version).ToString(CultureInfo.InvariantCulture);
                    var type = op == Op.Delete ? "DELETED" : _state.ContainsKey(name) ? "MODIFIED" : "ADDED";
                    if (type == "ADDED") _uids[name] = $"u{version}";
                    _uidAt[_version] = _uids[name];
                    if (op == Op.Delete) _state.Remove(name);
                    else _state[name] = version;
                    _events.Add((_version, FakeApiServer.Event(type, Item(name, version))));
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
            lock (_lock) fault = _healed ? 0 : _random.Next(18);
            switch (fault)
            {
                case 10: return FakeApiServer.Status(500, "InternalError")(context);
                case 11: return FakeApiServer.Reset(context);
                case 12: return FakeApiServer.Status(429, "TooManyRequests")(context);
                case 13: return FakeApiServer.Status(410, "Expired")(context);
                case 14: return FakeApiServer.MuteAsync(context);
                default: return context.Request.Query.ContainsKey("watch") ? WatchAsync(context, fault) : ListAsync(context, fault);
            }
        }

        private Task ListAsync(HttpContext context, int fault)
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
                var body = FakeApiServer.ListBody(version, next, [.. all.Take(limit).Select(i => Item(i.Split('=')[0], i.Split('=')[1]))]);
                // Stalls in its middle, arrives byte by byte, or comes at once.
                return fault switch
                {
                    15 => FakeApiServer.StallAsync(context, body),
                    16 => FakeApiServer.ByteByByteAsync(context, body),
                    _ => FakeApiServer.Json(body)(context),
                };
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
                        lines = [.. _events.Where(e => e.Version > from - (fault is >= 7 and <= 9 ? 3 : 0)).Select(static e => e.Line).Take(left)];
                        if (lines.Length < left) from = _version;
                        left -= lines.Length;
                    }

                    changed = _changed.Task;
                }

                if (fault == 16) await FakeApiServer.ByteByByteAsync(context, string.Concat(lines));
                else await FakeApiServer.Watch(lines)(context);
                if (fault == 15) await FakeApiServer.MuteAsync(context);
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

        private string Item(string name, string version) =>
            FakeApiServer.Item(name, version, Value(version), _uidAt[int.Parse(version, CultureInfo.InvariantCulture)]);

        private void Wake()
        {
            var changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            changed.TrySetResult();
        }
    }
}
