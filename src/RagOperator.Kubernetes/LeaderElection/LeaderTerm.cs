namespace RagOperator.Kubernetes.LeaderElection;

/// <summary>
/// The one term of leadership that a process may have. Whether it is on is asked of the clock each time: a process that was stopped (SIGSTOP, a
/// starved machine) and goes on beyond its term must not believe in it until some timer fires.
/// </summary>
/// <remarks>
/// Guarantees: once it was found to be over it never comes back. The clock is monotonic (CLOCK_MONOTONIC, which goes on while a process is
/// stopped); a step of the wall clock neither ends nor prolongs a term.
/// </remarks>
/// <param name="time">The time.</param>
internal sealed class LeaderTerm(TimeProvider time) : ILeadership, IDisposable
{
    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _timer;
    private TimeSpan _endsAt;
    private bool _on;
    private bool _over;

    /// <summary>Time on the term's clock; it begins with this object.</summary>
    public TimeSpan Now => time.GetElapsedTime(_origin);

    /// <inheritdoc/>
    public bool IsLeader
    {
        get
        {
            lock (_lock) return StillOn();
        }
    }

    /// <summary>Whether there was a term, and it is over.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock) return !StillOn() && _over;
        }
    }

    /// <summary>For how long the term has been over by the clock; zero while it is not.</summary>
    public TimeSpan OverFor
    {
        get
        {
            lock (_lock) return StillOn() || !_over || Now < _endsAt ? TimeSpan.Zero : Now - _endsAt;
        }
    }

    /// <inheritdoc/>
    public CancellationToken TermToken
    {
        get
        {
            lock (_lock) return StillOn() ? _ended.Token : new CancellationToken(canceled: true);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Whoever waited since before the term is told of it even if it is over by then; after it there is nothing to wait for.</remarks>
    public Task WaitForLeadershipAsync(CancellationToken cancellationToken) =>
        IsOver ? Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken) : _begun.Task.WaitAsync(cancellationToken);

    /// <summary>Begins the term, or prolongs it.</summary>
    /// <param name="endsAt">When it ends unless prolonged again, on the term's clock.</param>
    /// <returns>Whether it is on now: not when its end came first.</returns>
    public bool Extend(TimeSpan endsAt)
    {
        lock (_lock)
        {
            if (_over || (_on && !StillOn()) || Now >= endsAt) return false;
            _endsAt = endsAt;
            _on = true;
            var left = endsAt - Now;
            if (_timer is null) _timer = CreateTimer(left);
            else _timer.Change(left, Timeout.InfiniteTimeSpan);
        }

        _begun.TrySetResult();
        return true;
    }

    /// <summary>Ends the term now, if there is one.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (_on) Over();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _ended.Dispose();
    }

    private bool StillOn()
    {
        if (!_on) return false;
        if (Now < _endsAt) return true;
        Over();
        return false;
    }

    private void Over()
    {
        _on = false;
        _over = true;
        _timer?.Dispose();
        // The token is cancelled when this returns; what hangs on it runs elsewhere, as the caller may be just anybody who asked.
        _ = _ended.CancelAsync();
    }

    private ITimer CreateTimer(TimeSpan left)
    {
        // A timer must not carry the context of whoever made it for as long as it lives.
        using (ExecutionContext.SuppressFlow())
            return time.CreateTimer(static term => _ = ((LeaderTerm)term!).IsLeader, this, left, Timeout.InfiniteTimeSpan);
    }
}
