namespace RagOperator.Kubernetes;

/// <summary>Growing pauses after failures, as client-go's reflector: 800 ms doubling to 30 s, plus up to as much again of jitter.</summary>
internal sealed class Backoff(TimeProvider time, Jitter jitter)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ResetAfter = TimeSpan.FromMinutes(2);

    private TimeSpan _next = First;
    private long? _lastAt;

    /// <summary>The next pause. Two minutes without one start it over.</summary>
    public TimeSpan Next()
    {
        if (_lastAt is { } at && time.GetElapsedTime(at) - _next >= ResetAfter) _next = First;
        var pause = _next * (1 + jitter.Next());
        _next = TimeSpan.FromTicks(Math.Min(_next.Ticks * 2, Longest.Ticks));
        _lastAt = time.GetTimestamp();
        return pause;
    }
}
