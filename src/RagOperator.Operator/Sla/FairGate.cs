namespace RagOperator.Operator.Sla;

/// <summary>Lets so many through at once, and the groups of those who wait by turns: whoever asks much waits for himself.</summary>
/// <remarks>No group holds more than three quarters of the places, so that one whose questions are all slow leaves some for the others.</remarks>
/// <param name="places">How many at once, 1 or more.</param>
internal sealed class FairGate(int places)
{
    private readonly Lock _lock = new();
    private readonly int _most = Math.Max(1, places - (places / 4));
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);
    // The groups of which somebody waits, in the order of their turns.
    private readonly LinkedList<Group> _turns = new();
    private int _free = places;

    /// <summary>Waits for a place; disposing the answer gives it back.</summary>
    /// <param name="group">Whose turn it has to be.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IDisposable> EnterAsync(string group, CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        Group mine;
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            mine = _groups.TryGetValue(group, out var known) ? known : _groups[group] = new Group(group);
            waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            mine.Waiting.AddLast(waiter);
            if (mine.Waiting.Count == 1) _turns.AddLast(mine);
            LetIn();
        }

        await using (cancellationToken.UnsafeRegister(_ => GiveUp(mine, waiter, cancellationToken), null))
        {
            await waiter.Task;
        }

        return new Place(this, mine);
    }

    private void GiveUp(Group group, TaskCompletionSource waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!group.Waiting.Remove(waiter)) return; // it was let in already
            if (group.Waiting.Count == 0) _turns.Remove(group);
            Forget(group);
        }

        waiter.TrySetCanceled(cancellationToken);
    }

    private void Leave(Group group)
    {
        lock (_lock)
        {
            _free++;
            group.Inside--;
            Forget(group);
            LetIn();
        }
    }

    private void Forget(Group group)
    {
        if (group is { Inside: 0, Waiting.Count: 0 }) _groups.Remove(group.Name);
    }

    // Called under the lock.
    private void LetIn()
    {
        var turn = _turns.First;
        while (_free > 0 && turn is not null)
        {
            var next = turn.Next;
            var group = turn.Value;
            if (group.Inside < _most)
            {
                var waiter = group.Waiting.First!.Value;
                group.Waiting.RemoveFirst();
                group.Inside++;
                _free--;
                _turns.Remove(turn);
                if (group.Waiting.Count > 0) _turns.AddLast(turn);
                waiter.SetResult();
                // Whoever was behind it is first now; those at their limit are passed by.
                next ??= _turns.First;
            }

            turn = next;
            if (turn is not null && _turns.All(g => g.Inside >= _most)) return;
        }
    }

    private sealed class Group(string name)
    {
        public string Name => name;

        public int Inside { get; set; }

        public LinkedList<TaskCompletionSource> Waiting { get; } = new();
    }

    private sealed class Place(FairGate gate, Group group) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) gate.Leave(group);
        }
    }
}
