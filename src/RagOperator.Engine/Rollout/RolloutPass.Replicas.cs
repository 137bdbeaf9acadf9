using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// How many pods each component revision gets: the most that any live release wants.
internal sealed partial class RolloutPass
{
    private enum Role
    {
        Stable,
        Canary,
        Retiring,
        Failed,
    }

    /// <summary>The releases whose pods are wanted, stable first.</summary>
    private IEnumerable<(ReleaseRecord Release, Role Role, RetiringStatus? Entry)> Live()
    {
        if (Stable is { } stable)
        {
            yield return (stable.Record, Role.Stable, null);
        }

        if (Canary is { } canary)
        {
            yield return (canary.Record, Role.Canary, null);
        }

        foreach (var entry in _s.Retiring ?? [])
        {
            if (_book.Find(entry.Revision) is { } release && !Is(entry.Revision, _s.StableRevision))
            {
                // Until the gateway is verified to give it nothing, a failed release keeps its pods: they still serve.
                var failed = Is(entry.Reason, RetireReasons.Failed) && CarriesNothingOf(entry.Revision);
                yield return (release.Record, failed ? Role.Failed : Role.Retiring, entry);
            }
        }
    }

    private int WantedReplicas(string component, string revision) =>
        Live().Where(l => Is(l.Release.Component(component)?.Revision, revision))
            .Select(l => Wanted(l.Release, l.Role, component, revision)).DefaultIfEmpty(0).Max();

    private int Wanted(ReleaseRecord release, Role role, string component, string revision)
    {
        var current = World.Deployments.TryGetValue(ChildNames.Revision(Name, component, revision), out var d) ? d.Replicas : (int?)null;
        // One that spec makes external is named there, but nothing is said of how many pods it has.
        var wish = _spec?.Component(component) is { IsWorkload: true } named ? named : null;
        return role switch
        {
            // A component that spec no longer runs keeps the count that its Deployment has.
            Role.Stable => wish?.Replicas ?? current ?? 1,
            Role.Canary when wish is null => current ?? 1,
            Role.Canary => CanaryReplicas(wish!, Stable is null ? 100 : Math.Max(_s.Step!.Weight, _s.Weight ?? 0)),
            Role.Retiring => current ?? 0,
            _ => Math.Min(1, current ?? 0),
        };
    }

    private static int CanaryReplicas(Api.Resolved.ResolvedComponent wish, int weight) =>
        weight >= 100 || wish.Replicas == 0 ? wish.Replicas : Math.Max(1, wish.CanaryReplicas ?? (int)Math.Ceiling(wish.Replicas * weight / 100m));

    /// <summary>Whether the canary has requests to answer. Then a component that lost all its pods gets them back also while nothing may rise: what
    /// serves goes on serving, and is late when it does not.</summary>
    private bool IsServing => IsRollout && _s.Attempt?.FirstWeightAt is not null && (_s.Weight > 0 || _s.Step!.Lost is not null);

    private int ServingReplicas(string component) =>
        _spec?.Component(component) is { IsWorkload: true } wish ? CanaryReplicas(wish, Math.Max(_s.Weight ?? 0, _s.Step?.Lost?.Weight ?? 0)) : 1;
}
