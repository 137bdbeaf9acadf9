namespace RagOperator.Kubernetes.LeaderElection;

/// <summary>What an elector is to do next.</summary>
internal enum LeaseAction
{
    /// <summary>Nothing until then, or until there is news.</summary>
    Wait,

    /// <summary>Read the Lease.</summary>
    Read,

    /// <summary>Create it.</summary>
    Create,

    /// <summary>Take or renew it, provided that it is still as known.</summary>
    Update,

    /// <summary>Nothing more: the term is over.</summary>
    Stop,
}

/// <summary>The next thing to do.</summary>
/// <param name="Action">What.</param>
/// <param name="Until">For a wait, until when.</param>
internal sealed record LeaseStep(LeaseAction Action, TimeSpan Until = default);

/// <summary>
/// The rules of the election: from what was read, answered and watched to what to do next. No I/O, no clock, no threads; all times are of one
/// monotonic clock of this process, and the times that stand in the Lease are never compared with it.
/// </summary>
/// <remarks>
/// Guarantees: a term ends <see cref="LeaderElectionConfig.RenewDeadline"/> after its last successful renewal was sent. Another's Lease is taken
/// only when it is free, or when its spec has not changed for as long as it says itself since it was first seen; always on the condition that
/// it has not changed since. Since a renewal is on the server after it was sent, and seen after that, no two terms overlap as long as no clock runs
/// faster than another by more than LeaseDuration / RenewDeadline.
/// Assumptions: fed by one thread. One request at a time; what the watch shows meanwhile is handed over after its answer.
/// Caveats: a Lease that somebody deletes is no reason to think that its holder is gone, for whoever saw it held: it waits as for a silent
/// holder, while the holder creates it again. A process that starts just then cannot know, and takes it; the holder finds out with its next look.
/// </remarks>
internal sealed class LeaseMachine(LeaderElectionConfig config, Jitter jitter)
{
    private static readonly TimeSpan LongestRefusalPause = TimeSpan.FromSeconds(30);

    // More often in a row is no race but a server that contradicts itself.
    private const int ConflictsAtOnce = 3;

    private bool _read;
    private LeaseRecord? _seen;
    private TimeSpan _othersUntil;
    private TimeSpan _notBefore;
    private TimeSpan _readAgainAt;
    private TimeSpan _sentAt;
    private bool _watched;
    private int _conflicts;
    private int _refusals;

    /// <summary>Whether a term is on; not asked of the clock: see <see cref="TermEndsAt"/>.</summary>
    public bool Leads { get; private set; }

    /// <summary>When the term ends unless it is renewed.</summary>
    public TimeSpan TermEndsAt { get; private set; }

    /// <summary>Why the term ended, for people.</summary>
    public string? Lost { get; private set; }

    /// <summary>The Lease as last known; null when it is not there or was not read yet.</summary>
    public LeaseRecord? Lease => _seen;

    /// <summary>Whether the Lease may be ours: it is known to be, or a try to take it had no answer.</summary>
    public bool MayBeHeld { get; private set; }

    /// <summary>What to do now.</summary>
    public LeaseStep Next(TimeSpan now)
    {
        if (Leads && now >= TermEndsAt) Lose($"it could not be renewed within {config.RenewDeadline.TotalSeconds:0.###} s");
        if (Lost is not null) return new(LeaseAction.Stop);
        if (now < _notBefore) return new(LeaseAction.Wait, Leads && TermEndsAt < _notBefore ? TermEndsAt : _notBefore);
        if (!_read) return new(LeaseAction.Read);
        if (Leads || IsOurs(_seen)) return new(_seen is null ? LeaseAction.Create : LeaseAction.Update);
        if (_seen is { IsFree: true }) return new(LeaseAction.Update);
        if (now >= _othersUntil) return new(_seen is null ? LeaseAction.Create : LeaseAction.Update);
        if (_watched) return new(LeaseAction.Wait, _othersUntil);
        if (now >= _readAgainAt) return new(LeaseAction.Read);
        return new(LeaseAction.Wait, _othersUntil < _readAgainAt ? _othersUntil : _readAgainAt);
    }

    /// <summary>A request is about to be sent.</summary>
    public void Sending(LeaseAction action, TimeSpan now)
    {
        _sentAt = now;
        if (action is LeaseAction.Create or LeaseAction.Update) MayBeHeld = true;
    }

    /// <summary>A read was answered.</summary>
    /// <param name="lease">The Lease; null when it is not there.</param>
    /// <param name="now">The time of the answer.</param>
    public void Found(LeaseRecord? lease, TimeSpan now)
    {
        _refusals = 0;
        Observe(lease, now);
        MayBeHeld = IsOurs(lease);
        if (Leads && lease is not null && !MayBeHeld) Lose(lease.IsFree ? "somebody released it" : $"{lease.Holder} has taken it");
    }

    /// <summary>A create or update succeeded.</summary>
    /// <param name="lease">The Lease as it is now.</param>
    /// <param name="now">The time of the answer.</param>
    public void Held(LeaseRecord lease, TimeSpan now)
    {
        (_refusals, _conflicts) = (0, 0);
        Observe(lease, now);
        // The term that was on when this was sent may be over by now; then nothing brings it back.
        if (Leads && now >= TermEndsAt)
        {
            TooLate(hadTerm: true);
            return;
        }

        var end = _sentAt + config.RenewDeadline;
        // Too late for a term of its own: another update, with its own time, begins one.
        if (!Leads && now >= end) return;
        Leads = true;
        TermEndsAt = end;
        _notBefore = _sentAt + config.RetryPeriod;
    }

    /// <summary>By the time that the answer was looked at, the term that it gave was over.</summary>
    /// <param name="hadTerm">There was a term before it: that is over for good. Else the next update begins one.</param>
    public void TooLate(bool hadTerm)
    {
        if (hadTerm)
        {
            Lose("its end came before the answer to a renewal");
            return;
        }

        Leads = false;
        _notBefore = TimeSpan.Zero;
    }

    /// <summary>A create or update came too late: the Lease is not as known any more.</summary>
    public void Conflicted(TimeSpan now)
    {
        // Whether it is ours by an earlier try, whose answer was lost, the read will tell.
        _read = false;
        if (++_conflicts > ConflictsAtOnce) _notBefore = now + Pause();
    }

    /// <summary>An update found no Lease.</summary>
    public void Vanished(TimeSpan now)
    {
        MayBeHeld = false;
        Observe(null, now);
        if (++_conflicts > ConflictsAtOnce) _notBefore = now + Pause();
    }

    /// <summary>A request failed in any other way; whether a write happened is not known.</summary>
    /// <param name="refused">The server did answer, with a refusal that will not pass by itself: missing rights, a missing namespace.</param>
    /// <param name="now">The time of the failure.</param>
    public void Failed(bool refused, TimeSpan now)
    {
        // What was known stays known. If the write did happen, the next one meets a conflict, and a read finds ourselves in the Lease.
        if (refused) MayBeHeld = Leads;
        if (Leads)
        {
            // Several tries within the deadline, however it fails; not all electors of a cluster at one time.
            _notBefore = now + (config.RetryPeriod * (0.25 + (jitter.Next() * 0.25)));
            return;
        }

        var pause = Pause() * Math.Pow(2, refused ? Math.Min(_refusals++, 10) : 0);
        _notBefore = now + (pause < LongestRefusalPause ? pause : LongestRefusalPause);
    }

    /// <summary>The watch showed a state; maybe an older one than is known.</summary>
    /// <param name="lease">The Lease; null when it was deleted.</param>
    /// <param name="now">The time.</param>
    public void Watched(LeaseRecord? lease, TimeSpan now)
    {
        // A watch may lag behind a read, and begin anew with an older state: that would set the clock of a silent holder back.
        if (lease is not null && _seen is not null && lease.IsOlderThan(_seen)) return;
        if (Leads || IsOurs(_seen))
        {
            // Only a hint, as it may be from before our own last write; the next renewal, at once, finds out.
            if (!IsOurs(lease)) _notBefore = TimeSpan.Zero;
            // A renewal whose answer was lost has happened: the next one builds on it, where a conflict and a read would cost what is left of the term.
            else if (_seen?.IsOlderThan(lease!) == true && string.Equals(_seen.Uid, lease!.Uid, StringComparison.Ordinal)) _seen = lease;
            return;
        }

        if (!_read) return;
        if (lease is null || lease.IsFree) _notBefore = TimeSpan.Zero;
        Observe(lease, now);
    }

    /// <summary>Whether the watch works. While it does not, the Lease is read now and then.</summary>
    public void Watching(bool works) => _watched = works;

    private void Observe(LeaseRecord? lease, TimeSpan now)
    {
        _read = true;
        _readAgainAt = now + Pause();
        // Gone: whoever held it has its time all the same.
        if (lease is not null && !(_seen is { } known && Same(known, lease)))
            _othersUntil = IsOurs(lease) || lease.IsFree ? TimeSpan.Zero : now + (lease.Duration ?? config.LeaseDuration);

        _seen = lease;
    }

    // A label or an annotation that somebody sets is no renewal.
    private static bool Same(LeaseRecord one, LeaseRecord other) =>
        string.Equals(one.Spec, other.Spec, StringComparison.Ordinal) && string.Equals(one.Uid, other.Uid, StringComparison.Ordinal);

    private bool IsOurs(LeaseRecord? lease) => lease is not null && string.Equals(lease.Holder, config.Identity, StringComparison.Ordinal);

    private TimeSpan Pause() => config.RetryPeriod * (1 + (jitter.Next() * LeaderElectionConfig.JitterFactor));

    private void Lose(string why)
    {
        Leads = false;
        Lost = why;
    }
}
