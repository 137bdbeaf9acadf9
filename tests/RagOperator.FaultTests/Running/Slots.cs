namespace RagOperator.FaultTests.Running;

/// <summary>
/// How many worlds run at once: as many as the machine bears. With too many on a slow one operators lose their Leases and deadlines pass, which are no
/// findings. Told by how long a first install takes, which is the same work in every world.
/// </summary>
/// <param name="most">Never more.</param>
/// <param name="log">Where each install is told: seconds, room, worlds.</param>
public sealed class Slots(int most, string log)
{
    // On an idle machine an install takes about 8 s, beside nine others about 15.
    private static readonly TimeSpan s_fast = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(35);

    // So many at the beginning, and always.
    private const int First = 6;
    private const int Least = 2;
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private readonly Lock _lock = new();
    private int _open = Math.Min(First, most);
    private int _taken;

    /// <summary>Runs something when there is room for it.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        await EnterAsync();
        try
        {
            return await run();
        }
        finally
        {
            Change(taken: -1);
        }
    }

    /// <summary>An install took so long: makes room for one more world, or for one less.</summary>
    public void Installed(TimeSpan took)
    {
        Change(open: took < s_fast ? 1 : took > s_slow ? -1 : 0);
        lock (_lock)
            File.AppendAllText(log, $"{took.TotalSeconds:0.0}\t{_open}\t{_taken}\n");
    }

    private Task EnterAsync()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
            _waiting.Enqueue(turn);
        Change();
        return turn.Task;
    }

    private void Change(int open = 0, int taken = 0)
    {
        lock (_lock)
        {
            _open = Math.Clamp(_open + open, Math.Min(Least, most), most);
            _taken += taken;
            while (_taken < _open && _waiting.TryDequeue(out var turn))
            {
                _taken++;
                turn.SetResult();
            }
        }
    }
}
