using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// What was there before: children of an earlier object, children without owner, a status that was lost.
internal sealed partial class RolloutPass
{
    private IEnumerable<(ChildKind Kind, ChildView View)> Children() =>
        World.Releases.Select(static v => (ChildKind.ControllerRevision, (ChildView)v))
            .Concat(World.Policies.Select(static v => (ChildKind.ControllerRevision, (ChildView)v)))
            .Concat(World.Services.Values.Select(static v => (ChildKind.Service, (ChildView)v)))
            .Concat(World.Deployments.Values.Select(static v => (ChildKind.Deployment, (ChildView)v)))
            .Concat(World.FlagMaps.Values.Select(static v => (ChildKind.ConfigMap, (ChildView)v)))
            .Concat(World.Route is { } route ? [(ChildKind.HttpRoute, (ChildView)route)] : []);

    /// <summary>Whether the world is this object's, so that the pass may go on.</summary>
    private bool Restore()
    {
        if (Children().Any(static c => c.View.Owner == Ownership.EarlierUid))
        {
            _waitFirst = "Waiting for the garbage collector to take the children of an earlier object of this name";
            return false;
        }

        var orphans = Children().Where(static c => c.View is { Owner: Ownership.Orphan, Deleting: false }).ToList();
        if (orphans.Count > 0)
        {
            // ControllerRevisions and Services first: they tell which release is stable.
            var first = orphans.Where(static c => c.Kind is ChildKind.ControllerRevision or ChildKind.Service).ToList();
            _after.AddRange((first.Count > 0 ? first : orphans).Select(static c => new Adopt(c.Kind, c.View)));
            _waitFirst = "Adopting children that were left behind without an owner";
            return false;
        }

        return _s is not { StableRevision: null, CanaryRevision: null, FailedRevision: null, ObservedGeneration: < 0 } || FindStable();
    }

    /// <summary>Finds stable again where status was lost. False where it must be there and cannot be found: then nothing may be touched.</summary>
    private bool FindStable()
    {
        if (!World.Services.TryGetValue(Name, out var service) || service.Owner != Ownership.Ours)
        {
            return true;
        }

        var pointed = _book.All
            .Where(r => string.Equals(r.Record.Hash, service.Release, StringComparison.Ordinal)
                || string.Equals(r.Record.Component(r.Record.Entry)?.Revision, service.SelectorRevision, StringComparison.Ordinal))
            .OrderByDescending(r => string.Equals(r.Record.Hash, service.Release, StringComparison.Ordinal))
            .ThenByDescending(static r => r.Record.Number)
            .FirstOrDefault();
        if (pointed is null)
        {
            // A spec that still describes it makes the very same record again; any other would be taken for a first install.
            if (_in.Reading.Spec is { } spec && Is(ReleaseMint.Mint(spec, ContentHashes.Of(spec), _book, LastNumber()).Hash, service.Release))
            {
                return true;
            }

            _waitFirst = $"Service {Name} selects release {service.Release ?? service.SelectorRevision}, whose ControllerRevision is gone, and status is lost: "
                + "nothing is changed until spec describes that release again or the Service is deleted";
            return false;
        }

        _s.StableRevision = pointed.Record.Hash;
        _s.Release = pointed.Record.Number;
        _s.History = [new HistoryEntry { Release = pointed.Record.Number, Revision = pointed.Record.Hash, Outcome = Outcomes.Installed, Reason = "Restored", FinishedAt = _now }];
        _restored = true;
        Tell("Restored", $"Found {Called(pointed.Record)} as stable by Service {Name}; its status was lost");
        return true;
    }

    private bool _restored;
}
