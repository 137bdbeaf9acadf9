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
            var refused = orphans.Select(static c => new Adopt(c.Kind, c.View)).Where(IsRefused).ToList();
            // One that is refused keeps neither the others from being adopted nor what lowers from going on, where status tells what is stable. Nothing rises
            // beside it, and it is asked for again with each pass.
            if (_s.StableRevision is null || refused.Count == 0)
            {
                _after.AddRange((first.Count > 0 ? first : orphans).Select(static c => new Adopt(c.Kind, c.View)));
                _waitFirst = "Adopting children that were left behind without an owner";
                LookAt(_now + (refused.Count > 0 ? s_adoptAgain : s_lookAgain));
                return false;
            }

            _after.AddRange(orphans.Select(static c => new Adopt(c.Kind, c.View)));
            LookAt(_now + s_adoptAgain);
            _unadopted = $"{refused[0].Kind} {refused[0].Target.Name} has no owner and is not taken back{Why(refused[0])}";
        }

        return _s.StableRevision is not null || FindStable();
    }

    /// <summary>What was left behind without an owner and cannot be adopted; null where nothing is known to be.</summary>
    private string? _unadopted;

    /// <summary>How long until a refused adoption is asked for again, where nothing else brings a pass.</summary>
    private static readonly TimeSpan s_adoptAgain = TimeSpan.FromSeconds(30);

    private bool IsRefused(Adopt adoption) => WriteTargets.Of(Name, adoption) is { } target && World.Unwritten.ContainsKey(target);

    /// <summary>Finds stable again where status does not name it. False where it must be there and cannot be found: then nothing may be touched.</summary>
    /// <remarks>Only a release that became stable has Service <c>&lt;name&gt;</c> and a route. So what is found here beside a first install came back
    /// after it had begun: an object that was restored before its children.</remarks>
    private bool FindStable()
    {
        var (pointer, hash, revision) = StablePointer();
        if (pointer is null)
        {
            return true;
        }

        var pointed = _book.All
            .Where(r => Is(r.Record.Hash, hash) || Is(r.Record.Component(r.Record.Entry)?.Revision, revision))
            .OrderByDescending(r => Is(r.Record.Hash, hash))
            .ThenByDescending(static r => r.Record.Number)
            .FirstOrDefault();
        if (pointed is not null)
        {
            TakeForStable(pointed, pointer);
            return true;
        }

        // A spec that still describes it makes the very same record again; any other would be taken for a first install.
        if (_in.Reading.Spec is { } spec && ReleaseMint.Mint(spec, ContentHashes.Of(spec), _book, LastNumber()) is var again
            && (Is(again.Hash, hash) || (hash is null && Is(again.Component(again.Entry)?.Revision, revision))))
        {
            return true;
        }

        _waitFirst = $"{pointer} selects release {hash ?? revision}, whose ControllerRevision is gone, and status is lost: "
            + $"nothing is changed until that ControllerRevision is restored, spec describes that release again, or the {pointer.Split(' ')[0]} is deleted";
        return false;
    }

    /// <summary>What in the cluster tells which release is stable: Service <c>&lt;name&gt;</c>, or else the backend that the route names first: that is
    /// how the operator writes it.</summary>
    /// <returns>Its kind and name, null where there is none; the release's hash where it tells that; the entry's revision.</returns>
    private (string? Pointer, string? Hash, string? Revision) StablePointer()
    {
        if (World.Services.TryGetValue(Name, out var service) && service.Owner == Ownership.Ours)
        {
            return ($"Service {Name}", service.Release, service.SelectorRevision);
        }

        // The first and no other: the next may be a canary, whose record happens to be here before stable's.
        var first = OwnRoute?.Backends.Select(static b => b.Service).FirstOrDefault();
        return first is null ? default : ($"HTTPRoute {ChildNames.Route(Name)}", null, first[(first.LastIndexOf('-') + 1)..]);
    }

    private void TakeForStable(ReleaseView found, string pointer)
    {
        // A pause outlives the attempt that it was asked for.
        var paused = _s.Paused;
        EndAttempt();
        _s.Paused = paused;
        _s.StableRevision = found.Record.Hash;
        _s.Release = found.Record.Number;
        _s.History = [new HistoryEntry { Release = found.Record.Number, Revision = found.Record.Hash, Outcome = Outcomes.Installed, Reason = "Restored", FinishedAt = _now }, .. _s.History ?? []];
        // A release that still gets requests was a canary, and nothing but the route tells of it: it goes as one that spec left, unless spec names it.
        foreach (var other in _book.All.Where(r => !Is(EntryService(r.Record), EntryService(found.Record)) && OwnRoute?.MostOf(EntryService(r.Record)) > 0))
        {
            AddRetiring(other, RetireReasons.Withdrawn, null);
        }

        _restored = true;
        Tell("Restored", $"Found {Called(found.Record)} as stable by {pointer}; its status was lost");
    }

    private bool _restored;
}
