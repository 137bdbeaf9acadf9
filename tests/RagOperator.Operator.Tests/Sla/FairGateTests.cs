using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Tests.Sla;

/// <summary>One namespace's many questions keep nobody else from asking.</summary>
public sealed class FairGateTests
{
    [Fact]
    public async Task Namespace_with_hundreds_of_slow_questions_delays_no_other()
    {
        var gate = new FairGate(20);
        var slow = Enumerable.Range(0, 200).Select(_ => gate.EnterAsync("noisy", CancellationToken.None)).ToList();
        Assert.Equal(15, slow.Count(static s => s.IsCompleted));

        using (await gate.EnterAsync("quiet", CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5)))
        {
            Assert.Equal(15, slow.Count(static s => s.IsCompleted));
        }
    }

    [Fact]
    public async Task Places_that_get_free_go_to_each_by_turns()
    {
        var gate = new FairGate(1);
        var held = await gate.EnterAsync("a", CancellationToken.None);
        var order = new List<string>();
        var waiting = new List<Task>();
        foreach (var group in (string[])["a", "a", "a", "b", "c", "c"])
            waiting.Add(PassAsync(group));
        held.Dispose();
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(["a", "b", "c", "a", "c", "a"], order);

        async Task PassAsync(string group)
        {
            using var place = await gate.EnterAsync(group, CancellationToken.None);
            order.Add(group);
        }
    }

    [Fact]
    public async Task Wait_that_is_given_up_takes_no_place()
    {
        var gate = new FairGate(1);
        var held = await gate.EnterAsync("a", CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var given = gate.EnterAsync("b", cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        held.Dispose();
        using var next = await gate.EnterAsync("c", CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gate.EnterAsync("b", cancel.Token));
    }

    [Fact]
    public async Task All_of_many_get_through_and_never_more_than_there_are_places()
    {
        var gate = new FairGate(4);
        var (inside, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(async i =>
        {
            using var place = await gate.EnterAsync($"{i % 7}", CancellationToken.None);
            var now = Interlocked.Increment(ref inside);
            lock (gate) most = Math.Max(most, now);
            await Task.Yield();
            Interlocked.Decrement(ref inside);
        })).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.InRange(most, 1, 4);
    }
}
