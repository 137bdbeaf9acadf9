using RagOperator.Api.Values;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// Gateways that accept a route without saying which generation of it: spec says how long after a change they are believed.
internal sealed partial class RolloutPass
{
    private RouteSeen? _routeSeen;

    /// <summary>The world with the route verified where its parents' undated word counts. The time is counted by this process alone, from when it first
    /// saw the route as it is: clocks of other machines and a restart can only make it wait longer.</summary>
    private Observed Settled(Observed seen)
    {
        if (seen.Route is not { Undated: true } route)
        {
            return seen;
        }

        _routeSeen = _in.Memory.Route is { } known && Is(known.Uid, route.Uid) && known.Generation == route.Generation && known.Since <= _now
            ? known
            : new RouteSeen(route.Uid, route.Generation, _now);
        var spec = _in.Reading.Spec ?? seen.Policies.FirstOrDefault(p => string.Equals(p.Name, _s.PolicyRevision, StringComparison.Ordinal))?.Spec;
        if (spec?.Settle is not { } settle)
        {
            return seen;
        }

        var believed = _routeSeen.Since + settle;
        if (believed <= _now)
        {
            return seen with { Route = route with { Verified = true, Problem = null } };
        }

        LookAt(believed);
        return seen with { Route = route with { Problem = $"{route.Problem}; spec.traffic.settle believes it {RagDuration.Format(settle)} after a change" } };
    }
}
