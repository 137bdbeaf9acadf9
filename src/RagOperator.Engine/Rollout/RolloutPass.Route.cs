using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// The route: one backend at 100 without a canary; two, weights written out, from the first weight until 0 is verified.
internal sealed partial class RolloutPass
{
    /// <summary>The canary's live weight before this pass looked for a hand on the route.</summary>
    private int _liveBefore;

    /// <summary>How long until stable's addresses are looked at again where lowering waits for one: no watch may tell.</summary>
    private static readonly TimeSpan s_bothBadAgain = TimeSpan.FromSeconds(2);

    /// <summary>Lowering is wanted and stable has no ready address that the caches know of.</summary>
    private bool _bothBad;

    private RouteView? OwnRoute => World.Route is { Owner: Ownership.Ours, Deleting: false } route ? route : null;

    /// <summary>Percent of the requests that the route gives to a release now, in the rule that gives it most. Where a hand made rules
    /// differ, no rule may be forgotten: a release has left the route only when it has left every rule.</summary>
    private int OnRoute(ReleaseRecord release) => OwnRoute?.MostOf(EntryService(release)) ?? 0;

    /// <summary>The same in the rule that gives it least: a hand that lowers is obeyed in whichever rule it did.</summary>
    private int LeastOnRoute(ReleaseRecord release) =>
        OwnRoute?.LeastOf(EntryService(release), [EntryService(release), .. Stable is { } stable ? [EntryService(stable.Record)] : Array.Empty<string>()]) ?? 0;

    /// <summary>Whether the gateway is verified to give the canary exactly this weight.</summary>
    private bool RouteCarries(int weight) =>
        OwnRoute is { Verified: true, Drifted: false } route && Canary is { } canary && OnRoute(canary.Record) == weight
        && route.Backends.Sum(static b => b.Weight) == 100;

    /// <summary>Whether nothing but stable and canary is on the route.</summary>
    private bool RouteIsClear()
    {
        if (OwnRoute is not { } route || Stable is not { } stable || Canary is not { } canary)
        {
            return false;
        }

        return route.Named.All(b => Is(b.Service, EntryService(stable.Record)) || Is(b.Service, EntryService(canary.Record)));
    }

    /// <summary>A hand that lowers the canary's weight is obeyed and pauses the rollout.</summary>
    private void NoticeHand()
    {
        _liveBefore = LiveWeight();
        if (!IsRollout || OwnRoute is null || _s.Attempt?.FirstWeightAt is null)
        {
            return;
        }

        var step = _s.Step!;
        var seen = LeastOnRoute(Canary!.Record);
        if (step.State is not StepStates.Scaling && seen == step.Weight)
        {
            step.Carried = true;
        }

        if (OwnRoute.ForeignWriter is not { } hand)
        {
            return;
        }

        var lowered = seen < LiveWeight()
            && (step.State is not StepStates.Shifting || step.Carried == true || step.LoweredTo is not null || seen < (_s.Weight ?? 0));
        if (!lowered)
        {
            return;
        }

        if (step.LoweredTo is null)
        {
            Tell("WeightLowered", $"{hand} lowered the canary's weight to {seen}%: obeyed, and paused until resume", warning: true);
        }

        step.LoweredTo = seen;
        _s.Paused ??= new PausedStatus { By = hand, Since = _now };
        _creditedTo = null;
    }

    /// <summary>What people read is what the gateway has: a weight that a hand or a loss took is told as soon as the gateway confirms it.</summary>
    private void NoticeWeight()
    {
        if (IsRollout && OwnRoute is { Verified: true } && _s.Step is { LoweredTo: not null } or { Lost: not null } && OnRoute(Canary!.Record) is var now && now < _s.Weight)
        {
            _s.Weight = now;
        }
    }

    private void PlanRoute()
    {
        if (Stable is not { } stable || !World.RouteKindKnown || (_spec is null && Canary is not null))
        {
            return;
        }

        var name = ChildNames.Route(Name);
        if (World.Route is { Owner: not Ownership.Ours } foreign)
        {
            _nameTaken ??= $"HTTPRoute {name} is held by somebody else ({foreign.Owner})";
            return;
        }

        // Every backend named in the route must exist (S4).
        if (World.Route is { Deleting: true } || !World.Services.ContainsKey(EntryService(stable.Record)) || (World.Route is null && !IsFree(ChildKind.HttpRoute, name, null)))
        {
            return;
        }

        if (Backends(stable.Record) is not { } wanted)
        {
            return;
        }

        var route = OwnRoute;
        if (route is not null && !route.Drifted && wanted.SequenceEqual(route.Backends) && route.RolledBack is null)
        {
            return;
        }

        if (!_bothBad && Canary is { } canary && OwnRoute?.ForeignWriter is { } hand && OnRoute(canary.Record) > Math.Max(LiveWeight(), _liveBefore))
        {
            Tell("WeightRestored", $"{hand} raised the canary's weight to {OnRoute(canary.Record)}%: undone, it is {LiveWeight()}%", warning: true);
        }

        var way = IsStableRecorded ? WayOf(wanted, route, EntryService(stable.Record)) : Direction.Raises;
        _after.Add(new ApplyRoute(wanted, Ports(stable.Record), route, Unrecorded(), way,
            way == Direction.Raises && IsRollout ? Needs(Canary!.Record) : _bothBad || way == Direction.Lowers ? AnyAddress(EntryService(stable.Record)) : null));
    }

    private static RaiseNeeds AnyAddress(string service) => new(service, new Dictionary<string, int>(StringComparer.Ordinal));

    private RaiseNeeds Needs(ReleaseRecord canary) => new(
        EntryService(canary),
        canary.Workloads().ToDictionary(c => ChildNames.Revision(Name, c.Name, c.Revision!), c => WantedReplicas(c.Name, c.Revision!), StringComparer.Ordinal));

    /// <summary>The backends that the route should have now; null while it must stay as it is.</summary>
    private List<Backend>? Backends(ReleaseRecord stable)
    {
        var stableService = EntryService(stable);
        var now = OwnRoute?.Named ?? [];
        var canaryService = Canary is { } c ? EntryService(c.Record) : null;
        var target = CanaryTarget();
        var leaving = now.Where(b => !Is(b.Service, stableService) && !Is(b.Service, canaryService)).ToList();
        var lowers = leaving.Exists(static b => b.Weight > 0) || (Canary is { } canary && target < OnRoute(canary.Record));
        // In a recovery nothing goes to stable: the canary, which is there, gets all.
        if (lowers && ReadyAddresses(stable) == 0 && !(IsRecovery && target == 100))
        {
            // By the cache, which may be old or not see it: looked at live before the write, again and again.
            _bothBad = true;
            LookAt(_now + s_bothBadAgain);
        }

        // Its Service was deleted: it is made again, or the canary is taken back for having no address. Until then no route is written that names it (S4).
        if (target > 0 && !Is(canaryService, stableService) && !World.Services.ContainsKey(canaryService!))
        {
            return null;
        }

        var backends = new List<Backend> { new(stableService, 100 - target) };
        var settled = OwnRoute is { Verified: true };
        if (canaryService is not null && !Is(canaryService, stableService)
            && (target > 0 || (World.Services.ContainsKey(canaryService) && now.Any(b => Is(b.Service, canaryService) && !(settled && b.Weight == 0)))))
        {
            backends.Add(new Backend(canaryService, target));
        }

        backends.AddRange(leaving.Where(b => !(settled && b.Weight == 0) && World.Services.ContainsKey(b.Service)).Select(static b => b with { Weight = 0 }));
        return backends;
    }

    /// <summary>The canary's weight that may be written now. Raising is looked at once more right before the write: the canary must be
    /// available with a ready address, the gateway must follow, and nothing may be paused or refused.</summary>
    private int CanaryTarget()
    {
        if (!IsRollout)
        {
            return 0;
        }

        var live = LiveWeight();
        if (live < OnRoute(Canary!.Record))
        {
            // Lowering is written also when status cannot be: never to more than what status allows already (S1).
            return Math.Min(live, Is(_in.Persisted?.CanaryRevision, _s.CanaryRevision) ? _in.Persisted?.Step?.Weight ?? 0 : 0);
        }

        var seen = LeastOnRoute(Canary.Record);
        // Where stable serves nobody, what the gateway makes of the route and who else is on it no longer matters: one write ends both.
        var follows = IsRecovery || (OwnRoute is { Verified: true } && RouteIsClear());
        var may = live == seen || (MayRaise && follows && IsAvailable(Canary.Record) && ReadyAddresses(Canary.Record) > 0
            && World.Services.ContainsKey(EntryService(Canary.Record)));
        return may ? live : seen;
    }

    /// <summary>The rollback that status does not tell yet, for the case that it cannot be written.</summary>
    private string? Unrecorded() =>
        _s.Rollback is { } rollback && !Is(_in.Persisted?.Rollback?.Release, rollback.Release) ? $"{rollback.Release} {rollback.Cause}"
        : _s.Rollback is { VerifiedAt: null } again && _in.Persisted?.Rollback?.DecidedAt != again.DecidedAt ? $"{again.Release} {again.Cause}"
        : null;

    /// <summary>Whether status tells already which release is stable. Until then nothing about the route is lowering: what would be taken
    /// from the release that is stable by status goes to one that is still a canary there.</summary>
    private bool IsStableRecorded => _in.Persisted is not { ObservedGeneration: >= 0 } persisted || Is(persisted.StableRevision, _s.StableRevision);

    private static Direction WayOf(List<Backend> wanted, RouteView? route, string stableService)
    {
        if (route is null)
        {
            return wanted.Exists(b => !Is(b.Service, stableService) && b.Weight > 0) ? Direction.Raises : Direction.Neutral;
        }

        var others = wanted.Where(b => !Is(b.Service, stableService)).ToList();
        return others.Exists(b => b.Weight > route.LeastOf(b.Service)) ? Direction.Raises
            : others.Exists(b => b.Weight < route.MostOf(b.Service)) ? Direction.Lowers
            : Direction.Neutral;
    }

    private Dictionary<string, int> Ports(ReleaseRecord stable)
    {
        var ports = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var release in _book.All.Select(static r => r.Record).Where(static r => r.Component(r.Entry) is { HasService: true }))
        {
            ports[EntryService(release)] = PortOf(release);
        }

        foreach (var backend in (OwnRoute?.Named ?? []).Where(b => !ports.ContainsKey(b.Service)))
        {
            ports[backend.Service] = PortOf(stable);
        }

        return ports;
    }

    private static int PortOf(ReleaseRecord release) => release.Component(release.Entry)!.Content.GetProperty("ports")[0].GetProperty("port").GetInt32();
}
