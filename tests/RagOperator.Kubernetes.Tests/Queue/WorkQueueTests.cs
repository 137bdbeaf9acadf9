using System.Collections.Concurrent;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.Queue;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Add_of_a_key_that_waits_changes_nothing()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        queue.Add("a");
        Assert.Equal(1, queue.Count);
        Assert.Equal("a", (await queue.GetAsync()).Key);
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public async Task Add_during_work_runs_the_key_once_more_and_never_twice_at_once()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        await queue.GetAsync();
        queue.Add("a");
        queue.Add("a");
        Assert.Equal(0, queue.Count);

        queue.Done("a");
        Assert.Equal(1, queue.Count);
        await queue.GetAsync();
        queue.Done("a");
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void AddAfter_keeps_the_earliest_of_several_times()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.AddAfter("a", TimeSpan.FromSeconds(30));
        queue.AddAfter("a", TimeSpan.FromSeconds(10));
        queue.AddAfter("a", TimeSpan.FromSeconds(20));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Equal(0, queue.Count);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public void Failure_with_an_hour_to_wait_comes_again_after_the_longest_backoff()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.AddRateLimited("a", TimeSpan.FromHours(1));
        _time.Advance(WorkQueue<string>.LongestBackoff - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, queue.Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public void AddAfter_for_ever_does_not_overflow()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.AddAfter("a", TimeSpan.MaxValue);
        queue.AddAfter("b", TimeSpan.FromDays(100));
        _time.Advance(TimeSpan.FromDays(100));
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public async Task AddRateLimited_doubles_from_5_ms_to_a_minute_until_forgotten()
    {
        using var queue = new WorkQueue<string>(_time);
        var delays = new List<double>();
        for (var i = 0; i < 40; i++)
        {
            queue.AddRateLimited("a");
            var began = _time.GetUtcNow();
            while (queue.Count == 0) _time.Advance(_time.NextTimer!.Value - _time.GetUtcNow());
            delays.Add((_time.GetUtcNow() - began).TotalMilliseconds);
            await queue.GetAsync();
            queue.Done("a");
        }

        Assert.Equal([5, 10, 20, 40], delays.Take(4));
        Assert.Equal(60_000, delays[^1]);
        Assert.Equal(40, queue.NumRequeues("a"));
        queue.Forget("a");
        queue.AddRateLimited("a");
        _time.Advance(TimeSpan.FromMilliseconds(5));
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public async Task AddRateLimited_waits_at_least_as_long_as_asked()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.AddRateLimited("a", TimeSpan.FromSeconds(3));
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal(0, queue.Count);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("a", (await queue.GetAsync()).Key);
    }

    [Fact]
    public async Task ShutDown_hands_out_what_waits_then_ends_and_drain_waits_for_work()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        queue.AddAfter("later", TimeSpan.FromSeconds(1));
        var drain = queue.ShutDownWithDrainAsync();
        queue.Add("late");

        Assert.Equal(new(true, "a"), await queue.GetAsync());
        Assert.False((await queue.GetAsync()).HasKey);
        Assert.False(drain.IsCompleted);
        queue.Done("a");
        await drain.WaitAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public async Task ShutDown_releases_those_who_wait()
    {
        using var queue = new WorkQueue<string>(_time);
        var waiting = queue.GetAsync().AsTask();
        queue.ShutDown();
        Assert.False((await waiting).HasKey);
    }

    [Fact]
    public async Task Cancelled_wait_takes_no_key()
    {
        using var queue = new WorkQueue<string>(_time);
        using var cancel = new CancellationTokenSource();
        var waiting = queue.GetAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        queue.Add("a");
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public void OldestAge_is_that_of_the_first_in_line()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        _time.Advance(TimeSpan.FromSeconds(5));
        queue.Add("b");
        Assert.Equal(TimeSpan.FromSeconds(5), queue.OldestAge);
    }

    [Fact]
    public async Task Many_adders_and_workers_lose_no_key_and_never_share_one()
    {
        using var queue = new WorkQueue<int>();
        const int keys = 20;
        var wanted = new int[keys];
        var seen = new int[keys];
        var inWork = new ConcurrentDictionary<int, bool>();
        var shared = 0;
        var workers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (await queue.GetAsync() is { HasKey: true } item)
            {
                if (!inWork.TryAdd(item.Key, true)) Interlocked.Increment(ref shared);
                Volatile.Write(ref seen[item.Key], Volatile.Read(ref wanted[item.Key]));
                await Task.Yield();
                inWork.TryRemove(item.Key, out var _);
                queue.Done(item.Key);
            }
        })).ToArray();
        var adders = Enumerable.Range(0, 4).Select(n => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
            {
                var key = (i * (n + 3)) % keys;
                Interlocked.Increment(ref wanted[key]);
                if (i % 3 == 0) queue.AddAfter(key, TimeSpan.FromTicks(i));
                else queue.Add(key);
                if (i % 3 == 0) queue.Add(key);
            }
        })).ToArray();

        await Task.WhenAll(adders);
        await queue.ShutDownWithDrainAsync();
        await Task.WhenAll(workers);
        Assert.Equal(0, shared);
        Assert.Equal(wanted, seen);
    }
}
