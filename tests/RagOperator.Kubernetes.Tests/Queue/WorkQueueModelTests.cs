using FsCheck;
using FsCheck.Fluent;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.Queue;

/// <summary>Whatever is asked of the queue in whatever order, it does what a simple model says: which keys it hands out, in which order, and when.</summary>
public sealed class WorkQueueModelTests
{
    // What is asked, some more often than others.
    private static readonly Gen<Ask> s_asks = Gen.Frequency(
        (4, Gen.Constant(Ask.Add)),
        (3, Gen.Constant(Ask.AddAfter)),
        (2, Gen.Constant(Ask.Fail)),
        (1, Gen.Constant(Ask.Forget)),
        (4, Gen.Constant(Ask.Get)),
        (1, Gen.Constant(Ask.GiveUp)),
        (3, Gen.Constant(Ask.Done)),
        (1, Gen.Constant(Ask.Wait)));

    // One history in three shuts its queue down somewhere: what is added afterwards is ignored.
    private static readonly Gen<Step> s_steps =
        from ask in Gen.Frequency((79, s_asks), (1, Gen.Constant(Ask.ShutDown)))
        from key in Gen.Choose(0, 3)
        from delay in Gen.Choose(-2, 19)
        from choice in Gen.Choose(0, 59)
        from wait in Gen.Frequency((60, Gen.Choose(0, 3999)), (30, Gen.Choose(0, 11_999)), (10, Gen.Constant(70_000)))
        select new Step(ask, key, delay * 500, choice, wait);

    [Fact]
    public Task Any_sequence_of_calls_does_what_the_model_says() => Seeded.HoldsAsync(600, Seeded.Histories(s_steps, 5, 59), static async steps =>
    {
        using var world = new World();
        foreach (var step in steps) await world.StepAsync(step);
        await world.EndAsync();
    });

    private enum Ask
    {
        Add,
        AddAfter,
        Fail,
        Forget,
        Get,
        GiveUp,
        Done,
        ShutDown,
        Wait,
    }

    /// <summary>What is asked, of which key; delay and wait in milliseconds.</summary>
    private sealed record Step(Ask Ask, int Key, int Delay, int Choice, int Wait);

    private sealed class World : IDisposable
    {
        private readonly FakeTimeProvider _time = new();
        private readonly WorkQueue<int> _queue;
        // Keys in line; those that fell due at one instant have no order among them.
        private readonly List<HashSet<int>> _line = [];
        private readonly HashSet<int> _dirty = [];
        private readonly HashSet<int> _working = [];
        private readonly Dictionary<int, DateTimeOffset> _later = [];
        private readonly Dictionary<int, int> _failures = [];
        private readonly List<(Task<WorkQueue<int>.Item> Get, CancellationTokenSource Cancel)> _waiters = [];
        private readonly List<string> _told = [];
        private bool _shutDown;

        public World() => _queue = new WorkQueue<int>(_time);

        private int InLine => _line.Sum(static group => group.Count);

        public async Task StepAsync(Step step)
        {
            var key = step.Key;
            var delay = TimeSpan.FromMilliseconds(step.Delay);
            switch (step.Ask)
            {
                case Ask.Add:
                    Tell($"add {key}");
                    _queue.Add(key);
                    Add([key]);
                    break;
                case Ask.AddAfter:
                    Tell($"add {key} after {delay}");
                    _queue.AddAfter(key, delay);
                    AddAfter(key, delay);
                    break;
                case Ask.Fail:
                    var least = step.Choice % 3 == 0 ? delay : TimeSpan.Zero;
                    Tell($"{key} failed, at least {least}");
                    _queue.AddRateLimited(key, least);
                    var failures = _failures.GetValueOrDefault(key);
                    if (!_shutDown) _failures[key] = failures + 1;
                    var backoff = Math.Max(5 * Math.Pow(2, failures), least.TotalMilliseconds);
                    AddAfter(key, TimeSpan.FromMilliseconds(Math.Min(60_000, backoff)));
                    break;
                case Ask.Forget:
                    Tell($"forget {key}");
                    _queue.Forget(key);
                    _failures.Remove(key);
                    break;
                case Ask.Get:
                    Tell("get");
                    var cancel = new CancellationTokenSource();
                    _waiters.Add((_queue.GetAsync(cancel.Token).AsTask(), cancel));
                    break;
                case Ask.GiveUp when _waiters.Count > 0:
                    Tell("a wait is given up");
                    await CancelAsync(step.Choice % _waiters.Count);
                    break;
                case Ask.Done or Ask.GiveUp:
                    Tell($"done {key}");
                    _queue.Done(key);
                    if (_working.Remove(key) && _dirty.Contains(key)) _line.Add([key]);
                    break;
                case Ask.ShutDown:
                    Tell("shut down");
                    _queue.ShutDown();
                    _shutDown = true;
                    _later.Clear();
                    break;
                default:
                    Tell($"{step.Wait / 1000.0} s pass");
                    Pass(TimeSpan.FromMilliseconds(step.Wait));
                    break;
            }

            await AgreeAsync();
        }

        /// <summary>Everything that was added and not handed out comes, all of it, and then nothing.</summary>
        public async Task EndAsync()
        {
            while (_waiters.Count > 0) await CancelAsync(0);
            Tell("the end");
            Pass(TimeSpan.FromDays(1));
            foreach (var key in _working.ToList())
            {
                _queue.Done(key);
                _working.Remove(key);
                if (_dirty.Contains(key)) _line.Add([key]);
            }

            while (InLine > 0)
            {
                _waiters.Add((_queue.GetAsync().AsTask(), new CancellationTokenSource()));
                await AgreeAsync();
                foreach (var key in _working.ToList()) _queue.Done(key);
                _working.Clear();
            }

            Check(_queue.Count == 0, "keys are left over");
        }

        public void Dispose() => _queue.Dispose();

        private void Pass(TimeSpan by)
        {
            // What is handed out meanwhile stays in work until the next step, in the queue as in the model.
            _time.Advance(by);
            var due = _later.Where(l => l.Value <= _time.GetUtcNow()).GroupBy(static l => l.Value).OrderBy(static g => g.Key).ToList();
            foreach (var instant in due)
            {
                foreach (var (key, _) in instant) _later.Remove(key);
                Add([.. instant.Select(static l => l.Key)]);
            }
        }

        private void Add(HashSet<int> keys)
        {
            if (_shutDown) return;
            keys.RemoveWhere(key => !_dirty.Add(key) || _working.Contains(key));
            if (keys.Count > 0) _line.Add(keys);
        }

        private void AddAfter(int key, TimeSpan delay)
        {
            var at = _time.GetUtcNow() + delay;
            if (delay <= TimeSpan.Zero) Add([key]);
            else if (!_shutDown && (!_later.TryGetValue(key, out var earlier) || at < earlier)) _later[key] = at;
        }

        private async Task CancelAsync(int index)
        {
            var (get, cancel) = _waiters[index];
            _waiters.RemoveAt(index);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get.WaitAsync(TimeSpan.FromSeconds(10)));
            cancel.Dispose();
        }

        private async Task AgreeAsync()
        {
            while (_waiters.Count > 0 && (_line.Count > 0 || _shutDown))
            {
                var (get, cancel) = _waiters[0];
                _waiters.RemoveAt(0);
                var item = await get.WaitAsync(TimeSpan.FromSeconds(10));
                cancel.Dispose();
                if (_line.Count == 0)
                {
                    Check(!item.HasKey, $"{item.Key} came out of nothing");
                    continue;
                }

                Check(item.HasKey && _line[0].Remove(item.Key), $"{item} is not the first of {Line()}");
                if (_line[0].Count == 0) _line.RemoveAt(0);
                Check(_working.Add(item.Key), $"{item.Key} is in two hands");
                _dirty.Remove(item.Key);
            }

            Check(_queue.Count == InLine, $"{_queue.Count} in line, not {Line()}");
            for (var key = 0; key < 4; key++)
                Check(_queue.NumRequeues(key) == _failures.GetValueOrDefault(key), $"{key} failed {_queue.NumRequeues(key)} times");
            Check(_waiters.TrueForAll(static w => !w.Get.IsCompleted), "somebody got a key that nobody added");
        }

        private string Line() => string.Join(" ", _line.Select(static group => string.Join("|", group)));

        private void Tell(string what) => _told.Add(what);

        private void Check(bool holds, string what)
        {
            if (!holds) Assert.Fail($"{what}\nafter: {string.Join(", ", _told)}");
        }
    }
}
