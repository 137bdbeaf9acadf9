using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// Taking a release back: decided once, weight and flags in the same pass, verified, held.
internal sealed partial class RolloutPass
{
    private void RollBack(string cause, string message, DateTimeOffset? sampleAt, string? query = null, List<string>? values = null)
    {
        var canary = Canary!;
        _s.Rollback = new RollbackStatus
        {
            Release = canary.Record.Hash,
            Cause = cause,
            Message = message,
            Step = _s.Step?.Name,
            DecidedAt = _now,
            SampleAt = sampleAt,
        };
        _s.FailedRevision = canary.Record.Hash;
        Record(canary, Outcomes.RolledBack, cause, message, query, values);
        AddRetiring(canary, RetireReasons.Failed, null);
        Tell("RollbackStarted", $"Taking {Called(canary.Record)} back in step {_s.Step?.Name}: {message}", warning: true);
        // What failed is not gone back to without steps, however long ago that is forgotten.
        _s.History = _s.History!.ConvertAll(h => Is(h.Revision, canary.Record.Hash) ? h with { ReplacedAt = null } : h);
        EndAttempt();
    }

    /// <summary>A rollback that could not be written to status was written to the route: it is decided here, before anything else rises.</summary>
    private void ReadRollbackMark()
    {
        if (MarkOnRoute() is { } mark && Canary is { } canary && _s.StableRevision is not null && Is(mark.Release, canary.Record.Hash))
        {
            RollBack(mark.Cause, "decided earlier, when status could not be written", null);
        }
    }

    private (string Release, string Cause)? MarkOnRoute() =>
        World.Route is { Owner: Ownership.Ours, RolledBack: { } mark } && mark.Split(' ', 2) is { } parts
            ? (parts[0], parts.ElementAtOrDefault(1) ?? RollbackCauses.SlaBreach)
            : null;

    private void FollowRollback()
    {
        if (_s.Rollback is { VerifiedAt: null } rollback && Is(_s.FailedRevision, rollback.Release) && CarriesNothingOf(rollback.Release))
        {
            rollback.VerifiedAt = _now;
            _s.Weight = 0;
            Tell("RolledBack", $"{(_book.Find(rollback.Release) is { } r ? Called(r.Record) : rollback.Release)} gets no requests any more; stable serves all. Held until spec changes or somebody asks for retry", warning: true);
        }
    }

    private void Retire()
    {
        foreach (var entry in (_s.Retiring ?? []).ToList())
        {
            var release = _book.Find(entry.Revision);
            var free = release is null || RouteIsFreeOf(release.Record);
            var next = entry;
            // What was stable before is all that there is to fall back on as long as what replaced it does not serve; but its idle pods must not take
            // the room that this, or the release that is to cure it, waits for.
            var left = !Is(entry.Reason, RetireReasons.Replaced) || (Stable is { } stable && StableServicesSettled(stable.Record) && (Serves(stable.Record) || LacksRoom()));
            if (entry.Until is null && free && left && Stable is not null)
            {
                var delay = Is(entry.Reason, RetireReasons.Failed) ? _spec?.Policy.KeepFailedPods : _spec?.Policy.RetireDelay;
                next = entry with { Until = _now + (delay ?? TimeSpan.Zero) };
                _s.Retiring![_s.Retiring.IndexOf(entry)] = next;
            }

            // What did not stay goes with its flags off, also where it is now that stable stops serving one of them.
            var off = release is null || Is(entry.Reason, RetireReasons.Replaced) || HasFlagsOff(release.Record);
            if (next.Until <= _now && free && left && off)
            {
                _s.Retiring!.Remove(next);
                Tell("Retired", $"The pods of {(release is null ? entry.Revision : Called(release.Record))} go, but for those that another release uses");
            }
            else
            {
                LookAt(next.Until);
            }
        }
    }

    /// <summary>Whether no file of a release says of a flag that it is on that stable does not serve; files that stable or the canary has, too, are theirs.</summary>
    private bool HasFlagsOff(ReleaseRecord release) => release.Workloads()
        .Where(c => release.Receives(c.Name) && !Is(Stable?.Record.Component(c.Name)?.Revision, c.Revision) && !Is(Canary?.Record.Component(c.Name)?.Revision, c.Revision))
        .All(c => World.FlagMaps.GetValueOrDefault(ChildNames.Flags(Name, c.Name, c.Revision!)) is not { Owner: Ownership.Ours, Deleting: false } map
            || map.Flags?.Any(f => f.Value && !StableServes(f.Key)) != true);
}
