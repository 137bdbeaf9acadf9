using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// ControllerRevisions that somebody deleted: what they told cannot be built again, but whatever only lowers needs no record.
internal sealed partial class RolloutPass
{
    /// <summary>Whether the record of stable or the canary is gone: it cannot be built again, and nothing of it may be taken for left over.</summary>
    private bool IsRecordLost => IsUnknown(_s.StableRevision) || IsUnknown(_s.CanaryRevision);

    private string? LostRelease => IsUnknown(_s.StableRevision) ? _s.StableRevision : IsUnknown(_s.CanaryRevision) ? _s.CanaryRevision : null;

    /// <summary>The Service that gets stable's requests by what the cluster alone tells: Service <c>&lt;name&gt;</c> says whom it selects.</summary>
    private string? StableServiceByPointer =>
        World.Services.TryGetValue(Name, out var pointer) && pointer.Owner == Ownership.Ours && Is(pointer.Release, _s.StableRevision)
            ? ChildNames.Revision(Name, pointer.SelectorComponent, pointer.SelectorRevision)
            : null;

    private bool IsUnknown(string? hash) => hash is not null && _book.Find(hash) is null;

    /// <summary>Spec names another release than the canary while stable's record is lost: the canary goes, as it would otherwise. One whose own
    /// record is not there stays as it is: the record may only be out of sight, and nobody could tell which pods are the canary's.</summary>
    /// <param name="named">The release that spec names.</param>
    private void LeaveWithoutRecords(string named)
    {
        if (Canary is not { } canary || Is(named, canary.Record.Hash) || !IsUnknown(_s.StableRevision))
        {
            return;
        }

        // A pause outlives the release that it was asked for, unless spec is back at stable.
        var paused = Is(named, _s.StableRevision) ? null : _s.Paused;
        Leave(canary, Outcomes.Superseded, RetireReasons.Superseded, "spec names another release");
        _s.Paused = paused;
        Tell("Superseded", $"Taking {Called(canary.Record)} back: spec names another release, and the ControllerRevision of stable release {_s.StableRevision} is gone", warning: true);
    }

    /// <summary>All that may still happen: requests that make things safer, a rollback that is decided, flags that go off. Nothing is judged: what is
    /// decided by metrics needs to know whom to ask about.</summary>
    private void MoveWithoutRecords()
    {
        ReadRequest();
        FollowRollback();
        PutOutFlags();
        LowerTraffic();
    }

    /// <summary>Turns off what spec disables, everywhere, and in a release that was taken back what stable does not serve.</summary>
    private void PutOutFlags()
    {
        var served = (_s.Flags ?? []).Where(static f => f.Stable).Select(static f => f.Name).ToHashSet(StringComparer.Ordinal);
        var takenBack = (_s.Retiring ?? []).Where(static r => !Is(r.Reason, RetireReasons.Replaced)).Select(r => _book.Find(r.Revision)?.Record).OfType<ReleaseRecord>()
            .SelectMany(r => r.Workloads().Select(c => ChildNames.Flags(Name, c.Name, c.Revision!))).ToHashSet(StringComparer.Ordinal);
        foreach (var map in World.FlagMaps.Values.Where(static m => m is { Owner: Ownership.Ours, Deleting: false, Flags: not null, Revision.Length: > 0 }))
        {
            bool GoesOff(string flag) => _in.Reading.DisabledFlags.Contains(flag) || (takenBack.Contains(map.Name) && !served.Contains(flag));
            if (map.Flags!.Any(f => f.Value && GoesOff(f.Key)))
            {
                var flags = map.Flags!.ToDictionary(static f => f.Key, f => f.Value && !GoesOff(f.Key), StringComparer.Ordinal);
                _after.Add(new ApplyFlags(map.Component, map.Revision, new SortedDictionary<string, bool>(flags, StringComparer.Ordinal), map, Direction.Lowers));
            }
        }
    }

    /// <summary>Gives stable all requests once no canary is left, though nobody can tell what stable consists of.</summary>
    private void LowerTraffic()
    {
        if (_s.CanaryRevision is not null || OwnRoute is not { } route || StableServiceByPointer is not { } stable
            || !route.Named.Any(b => b.Weight > 0 && !Is(b.Service, stable)))
        {
            return;
        }

        if (World.ReadyAddresses.GetValueOrDefault(stable) == 0)
        {
            _bothBad = true;
            LookAt(_now + s_bothBadAgain);
        }

        if (World.Services.GetValueOrDefault(stable) is not { Port: not null })
        {
            _bothBad = true;
            return;
        }

        List<Backend> wanted = [new(stable, 100), .. route.Named.Where(b => !Is(b.Service, stable) && World.Services.GetValueOrDefault(b.Service) is { Port: not null }).Select(static b => b with { Weight = 0 })];
        var ports = wanted.ToDictionary(static b => b.Service, b => World.Services[b.Service].Port!.Value, StringComparer.Ordinal);
        var way = WayOf(wanted, route, stable);
        _after.Add(new ApplyRoute(wanted, ports, route, Unrecorded(), way, _bothBad || way == Direction.Lowers ? AnyAddress(stable) : null));
    }

    private Situation SituateLost()
    {
        var doing = _bothBad ? ". The weight of what is to be taken back waits until stable has a ready address" : "";
        return new Situation(
            Phases.Suspended, "RecordLost",
            $"The ControllerRevision of release {LostRelease} is gone: it cannot be built again. Nothing rises, and no metric is judged, until spec describes that release again{doing}");
    }
}
