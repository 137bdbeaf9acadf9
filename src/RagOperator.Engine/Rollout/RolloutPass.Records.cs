using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// ControllerRevisions: marks, and those that nothing names any more.
internal sealed partial class RolloutPass
{
    private void PlanRecords()
    {
        foreach (var release in _book.All.Where(static r => r.Uid.Length > 0 && r is { Deleting: false, Owner: Ownership.Ours }))
        {
            // While spec is not followed nobody knows whether a hold has ended.
            var followed = _refused is null && !_pending;
            var failed = Is(release.Record.Hash, _s.FailedRevision) ? _s.Rollback?.Cause ?? release.Failed : followed ? null : release.Failed;
            var struck = _book.Struck(release.Record.Hash);
            if (!string.Equals(failed, release.Failed, StringComparison.Ordinal) || !struck.SequenceEqual(release.Struck, StringComparer.Ordinal))
            {
                _after.Add(new MarkRelease(release, failed, [.. struck]));
            }
        }

        if (_refused is not null || _pending || _before.Count > 0 || Stable is null)
        {
            // Nothing of what is known may be forgotten before the next release is named, nor while a restore may still bring the Service back
            // that tells which one is stable.
            return;
        }

        var kept = new HashSet<string?>((_s.History ?? []).Select(static h => h.Revision)
            .Concat((_s.Retiring ?? []).Select(static r => r.Revision)).Append(_s.StableRevision).Append(_s.CanaryRevision).Append(_s.FailedRevision));
        _after.AddRange(_book.All.Where(r => r.Uid.Length > 0 && r is { Deleting: false, Owner: Ownership.Ours } && !kept.Contains(r.Record.Hash)).Select(static r => new DeleteChild(ChildKind.ControllerRevision, r)));
        _after.AddRange(World.Policies.Where(p => p is { Owner: Ownership.Ours, Deleting: false } && !Is(p.Name, _s.PolicyRevision))
            .Select(static p => new DeleteChild(ChildKind.ControllerRevision, p)));
    }
}
