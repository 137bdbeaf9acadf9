namespace RagOperator.Kubernetes;

/// <summary>
/// Keys that need work. A key waits at most once, is handed to one worker at a time, and one that is added while it is being worked on is
/// handed out once more afterwards. Keys are lost only when added after <see cref="ShutDown"/>.
/// </summary>
/// <remarks>
/// As client-go's: <c>queue</c> in order, <c>dirty</c> (needs work) and <c>processing</c> (is being worked on); whatever is in the queue is dirty
/// and not in processing. Each key that <see cref="GetAsync"/> returned must be given back by <see cref="Done"/>.
/// </remarks>
/// <typeparam name="TKey">The key.</typeparam>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    /// <summary>The delay after a first failure, as client-go: 5 ms.</summary>
    public static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(5);

    /// <summary>The longest delay after failures: 1 min.</summary>
    public static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(1);

    // Insurance against a timer that fires early or late, as client-go.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ITimer _timer;
    private readonly Queue<(TKey Key, TimeSpan Since)> _queue = new();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _processing = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly Dictionary<TKey, TimeSpan> _waiting = [];
    private readonly PriorityQueue<TKey, TimeSpan> _byTime = new();
    private readonly LinkedList<TaskCompletionSource<Item>> _takers = new();
    private TaskCompletionSource? _drained;
    private bool _shutDown;

    /// <summary>What a worker gets: a key, or the word that there will be no more.</summary>
    /// <param name="HasKey">False when the queue is shut down and empty.</param>
    /// <param name="Key">The key.</param>
    public readonly record struct Item(bool HasKey, TKey Key);

    /// <summary>An empty queue.</summary>
    /// <param name="timeProvider">Time; the system's by default.</param>
    public WorkQueue(TimeProvider? timeProvider = null)
    {
        _time = timeProvider ?? TimeProvider.System;
        _origin = _time.GetTimestamp();
        _timer = _time.CreateTimer(static state => ((WorkQueue<TKey>)state!).MoveReady(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that wait for a worker now; delayed ones and those in work are not counted.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _queue.Count;
        }
    }

    /// <summary>How long the oldest of them has waited; zero when none waits.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            lock (_lock) return _queue.TryPeek(out var oldest) ? Now - oldest.Since : TimeSpan.Zero;
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    /// <summary>The key needs work now.</summary>
    /// <param name="key">The key.</param>
    public void Add(TKey key)
    {
        lock (_lock) AddLocked(key);
    }

    /// <summary>The key needs work after a delay. Of several delays for a key the earliest counts; a work in between does not cancel it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="delay">Zero or less means now.</param>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        lock (_lock)
        {
            if (delay <= TimeSpan.Zero)
            {
                AddLocked(key);
                return;
            }

            if (_shutDown) return;
            var now = Now;
            // Sums beyond what a TimeSpan holds mean never, which is far enough away.
            var at = delay > TimeSpan.MaxValue - now ? TimeSpan.MaxValue : now + delay;
            if (_waiting.TryGetValue(key, out var earlier) && earlier <= at) return;
            _waiting[key] = at;
            _byTime.Enqueue(key, at);
            SetTimer(now);
        }
    }

    /// <summary>The key failed: it needs work again after a delay that doubles with each failure since the last <see cref="Forget"/>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="atLeast">The least delay, as far as <see cref="LongestBackoff"/>: a server, or what stands before it, may ask for an hour, and no key
    /// is left alone for that long because of one answer.</param>
    public void AddRateLimited(TKey key, TimeSpan atLeast = default)
    {
        lock (_lock)
        {
            var failures = _failures.GetValueOrDefault(key);
            if (!_shutDown) _failures[key] = failures + 1;
            var backoff = failures >= 30 ? LongestBackoff : FirstBackoff * (1L << failures);
            if (backoff < atLeast) backoff = atLeast;
            AddAfter(key, backoff < LongestBackoff ? backoff : LongestBackoff);
        }
    }

    /// <summary>The key is well again: the next failure starts with the shortest delay.</summary>
    /// <param name="key">The key.</param>
    public void Forget(TKey key)
    {
        lock (_lock) _failures.Remove(key);
    }

    /// <summary>How many failures in a row the key had.</summary>
    /// <param name="key">The key.</param>
    public int NumRequeues(TKey key)
    {
        lock (_lock) return _failures.GetValueOrDefault(key);
    }

    /// <summary>Waits for a key. Once shut down, hands out what still waits, then says that there is no more.</summary>
    /// <param name="cancellationToken">Ends the wait; a key that was handed over at the same moment is still returned.</param>
    public async ValueTask<Item> GetAsync(CancellationToken cancellationToken = default)
    {
        LinkedListNode<TaskCompletionSource<Item>> node;
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_queue.TryDequeue(out var first)) return Start(first.Key);
            if (_shutDown) return default;
            node = _takers.AddLast(new TaskCompletionSource<Item>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        await using var registration = cancellationToken.Register(() =>
        {
            lock (_lock)
            {
                // Not in the list any more means that a key is on its way: it must not be lost.
                if (node.List is null) return;
                _takers.Remove(node);
            }

            node.Value.TrySetCanceled(cancellationToken);
        });
        return await node.Value.Task;
    }

    /// <summary>The work on a key has ended, well or not.</summary>
    /// <param name="key">A key that <see cref="GetAsync"/> returned.</param>
    public void Done(TKey key)
    {
        lock (_lock)
        {
            if (!_processing.Remove(key)) return;
            if (_dirty.Contains(key)) Push(key);
            CheckDrained();
        }
    }

    /// <summary>No more keys are taken in; delayed ones are dropped, those that wait are still handed out.</summary>
    public void ShutDown()
    {
        lock (_lock)
        {
            _shutDown = true;
            _waiting.Clear();
            _byTime.Clear();
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            foreach (var taker in _takers) taker.TrySetResult(default);
            _takers.Clear();
            CheckDrained();
        }
    }

    /// <summary>As <see cref="ShutDown"/>, and waits until all keys were handed out and given back.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task ShutDownWithDrainAsync(CancellationToken cancellationToken = default)
    {
        Task drained;
        lock (_lock)
        {
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            drained = _drained.Task;
        }

        ShutDown();
        return drained.WaitAsync(cancellationToken);
    }

    /// <summary>Shuts down.</summary>
    public void Dispose()
    {
        ShutDown();
        _timer.Dispose();
    }

    private void AddLocked(TKey key)
    {
        if (_shutDown || !_dirty.Add(key)) return;
        if (!_processing.Contains(key)) Push(key);
    }

    private void Push(TKey key)
    {
        if (_takers.First is { } taker)
        {
            _takers.RemoveFirst();
            taker.Value.SetResult(Start(key));
            return;
        }

        _queue.Enqueue((key, Now));
    }

    private Item Start(TKey key)
    {
        _processing.Add(key);
        _dirty.Remove(key);
        return new(true, key);
    }

    private void MoveReady()
    {
        lock (_lock)
        {
            if (_shutDown) return;
            var now = Now;
            while (_byTime.TryPeek(out var key, out var at) && at <= now)
            {
                _byTime.Dequeue();
                // An entry that an earlier one has overtaken does not match any more.
                if (!_waiting.TryGetValue(key, out var wanted) || wanted != at) continue;
                _waiting.Remove(key);
                AddLocked(key);
            }

            SetTimer(now);
        }
    }

    private void SetTimer(TimeSpan now)
    {
        if (!_byTime.TryPeek(out _, out var at)) return;
        var due = at - now;
        _timer.Change(due > Heartbeat ? Heartbeat : due < TimeSpan.Zero ? TimeSpan.Zero : due, Timeout.InfiniteTimeSpan);
    }

    private void CheckDrained()
    {
        if (_shutDown && _processing.Count == 0 && _queue.Count == 0) _drained?.TrySetResult();
    }
}
