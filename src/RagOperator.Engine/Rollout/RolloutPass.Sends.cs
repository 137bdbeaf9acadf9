using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// To whom the route sends requests. What cannot be seen may send them to anybody, and whoever owns a route, it sends them.
internal sealed partial class RolloutPass
{
    /// <summary>Whether it is known that there is no route, or what it does: its kind is served, and its name is not somebody else's that is out of sight.</summary>
    private bool IsRouteKnown => World.RouteKindKnown && !World.Taken.ContainsKey($"{ChildKind.HttpRoute} {ChildNames.Route(Name)}");

    /// <summary>Whether the gateway is verified to give nothing to a release.</summary>
    private bool CarriesNothingOf(string hash)
    {
        var service = _book.Find(hash) is { } release ? EntryService(release.Record) : null;
        return SendsNothing(b => Is(b.Service, service) && b.Weight > 0);
    }

    /// <summary>Whether the verified route does not name the release's entry Service, unless stable uses the very same one.</summary>
    private bool RouteIsFreeOf(ReleaseRecord release)
    {
        var service = EntryService(release);
        return (Stable is { } stable && Is(EntryService(stable.Record), service)) || SendsNothing(b => Is(b.Service, service));
    }

    /// <summary>Whether a component revision that no release needs may go: its Service is not on the route, and all that gets requests is the entry of a
    /// release whose pods are kept. Behind any other entry there may be a release that nothing tells of any more, and this may be a part of it.</summary>
    private bool MayGo(string revision, IReadOnlySet<string> entries) =>
        SendsNothing(b => Is(b.Service, revision) || (b.Weight > 0 && !entries.Contains(b.Service)));

    /// <summary>Before a first release is stable nothing is sent to anybody. Afterwards the gateway has to have confirmed a route that names none of these, or there
    /// has to be no route.</summary>
    private bool SendsNothing(Func<Backend, bool> to) =>
        (Stable is null && World.Route is null) || (IsRouteKnown && (World.Route is not { } route || (route.Verified && !route.Named.Any(to))));
}
