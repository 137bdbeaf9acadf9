using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Controller;

/// <summary>Gives children the labels back that somebody took from them.</summary>
/// <remarks>Caches select by label, so that a child without it looks deleted: a route that still gives weight to a failed release would pass for
/// none, a Deployment to be taken down would run for ever. So a child that vanishes is not believed to be gone before the server says so, and
/// nothing is decided until its labels are back in the cache.</remarks>
internal sealed class LabelKeeper(Cluster cluster, TimeProvider time)
{
    // Two who write as fast as they can against each other are a load for the API server.
    private static readonly TimeSpan GivingPause = TimeSpan.FromSeconds(1);
    private const string Prefix = ApiConstants.Group + "/";

    /// <summary>Looks at all children.</summary>
    /// <returns>Whether anything was given back, and what kept it from telling whether there is a route: in both cases the pass must not go on.
    /// Any other failure must not hold up a rollback; it is tried again soon. A route that the cache does not show is decided on as it was read:
    /// <see cref="ObjectMemory.RouteOutOfSight"/>.</returns>
    public async Task<(bool Mended, ApiResult? Failure)> KeepAsync(ChildOwner owner, RagDeployment entity, ObjectMemory memory, CancellationToken cancellationToken)
    {
        if (!memory.LabelsAsked)
        {
            Expect(owner, entity.Status, memory);
            memory.LabelsAsked = true;
        }

        memory.OwesLabels = false;
        (memory.RouteOutOfSight, memory.RouteLeftAlone) = (null, false);
        // Somebody who takes them away again and again must not keep anything from being decided for longer than one pass.
        var before = memory.Mended;
        var mended = memory.Mended = [];
        var seen = new HashSet<(ChildKind, string)>();
        foreach (var kind in Enum.GetValues<ChildKind>())
        {
            foreach (var child in memory.Ledger.Of(cluster.Child(kind)).Where(c => owner.OwnershipOf(c) == Ownership.Ours).ToList())
            {
                var place = (kind, child.Name());
                var labels = Wanted(owner, child, memory, memory.Labels.GetValueOrDefault(place));
                memory.Labels[place] = new(child.Uid(), labels);
                // Out of the cache's sight, however it was seen.
                if (kind == ChildKind.HttpRoute && !string.Equals(child.GetLabel(ApiConstants.NameLabel), owner.Name, StringComparison.Ordinal)) continue;
                seen.Add(place);
                if (child.Metadata.DeletionTimestamp is not null || Carries(child, labels)) continue;
                var (kept, _) = await GiveBackAsync(owner, kind, child, labels, memory, cancellationToken);
                if (kept && before.Add(place)) mended.Add(place);
                else memory.OwesLabels = true;
            }
        }

        foreach (var (place, known) in memory.Labels.Where(l => !seen.Contains(l.Key) && !cluster.Child(l.Key.Kind).KindMissing).ToList())
        {
            var live = await cluster.Child(place.Kind).GetAsync(owner.Child(place.Name), cancellationToken);
            if (live.Object is { Metadata.DeletionTimestamp: null } found && owner.OwnershipOf(found) == Ownership.Ours)
            {
                var now = found;
                if (!Carries(found, known.Labels) && place.Kind == ChildKind.HttpRoute && (memory.RouteGivenBack || IsTooSoon(memory)))
                {
                    // Whoever takes them as soon as they are there would make every write after that a conflict: this pass decides first.
                    (memory.RouteLeftAlone, memory.OwesLabels) = (true, true);
                }
                else if (!Carries(found, known.Labels))
                {
                    if (place.Kind == ChildKind.HttpRoute) (memory.RouteGivenBack, memory.RouteGivenBackAt) = (true, time.GetTimestamp());
                    (var kept, now) = await GiveBackAsync(owner, place.Kind, found, known.Labels, memory, cancellationToken);
                    if (kept && place.Kind != ChildKind.HttpRoute && before.Add(place)) mended.Add(place);
                    else memory.OwesLabels |= !kept;
                }
                else if (place.Kind != ChildKind.HttpRoute)
                {
                    memory.Labels.Remove(place); // complete, and only the cache is late
                }

                memory.RouteOutOfSight ??= now as V1HTTPRoute;
            }
            else if (live.Object is not null || live.Reason == ApiReason.NotFound)
            {
                memory.Labels.Remove(place); // gone, or somebody else's
                // Out of sight and not ours: it sends requests all the same.
                if (live.Object is { } other && place.Kind == ChildKind.HttpRoute && owner.OwnershipOf(other) == Ownership.Foreign)
                    memory.Taken[place] = ChildWriter.Held(cluster.Child(place.Kind), other);
            }
            else if (place.Kind == ChildKind.HttpRoute)
            {
                return (mended.Count > 0, live.Result);
            }
            else
            {
                memory.OwesLabels = true;
            }
        }

        return (mended.Count > 0 || !IsRouteCurrent(owner, memory), null);
    }

    private bool IsTooSoon(ObjectMemory memory) => memory.RouteGivenBackAt is { } last && time.GetElapsedTime(last) < GivingPause;

    /// <summary>Whether the route, from wherever it is taken in this pass, is no older than the own last write to it.</summary>
    private bool IsRouteCurrent(ChildOwner owner, ObjectMemory memory)
    {
        var (port, key) = (cluster.Child(ChildKind.HttpRoute), owner.Child(ChildNames.Route(owner.Name)));
        if (memory.RouteOutOfSight is { } route)
        {
            memory.Ledger.IsOutOfSight(port, key, route.ResourceVersion() ?? "");
            return true;
        }

        memory.Ledger.IsInSight(port, key);
        return memory.Ledger.Lagging(p => ReferenceEquals(p, port)) is null;
    }

    /// <summary>What status names may have lost its labels while nobody watched, and the route with it where status is lost, too: all else is made again,
    /// and met, when it is missing.</summary>
    private void Expect(ChildOwner owner, RagDeploymentStatus? status, ObjectMemory memory)
    {
        if (status?.StableRevision is not null || memory.Ledger.Of(cluster.Child(ChildKind.ControllerRevision)).Any())
            memory.Labels[(ChildKind.HttpRoute, ChildNames.Route(owner.Name))] = new("", Texts(owner.NameLabels()));
        if (status?.PolicyRevision is { } policy)
            memory.Labels[(ChildKind.ControllerRevision, policy)] = Record(ApiConstants.PolicyRecord);
        IEnumerable<string?> releases = [status?.StableRevision, status?.CanaryRevision, status?.FailedRevision, .. (status?.Retiring ?? []).Select(static r => r.Revision)];
        foreach (var hash in releases.OfType<string>())
            memory.Labels[(ChildKind.ControllerRevision, ChildNames.Release(owner.Name, hash))] = Record(ApiConstants.ReleaseRecord);

        KnownLabels Record(string kind) => new("", Texts([.. owner.NameLabels(), new(ApiConstants.RecordLabel, kind)]));
    }

    private static Dictionary<string, string> Wanted(ChildOwner owner, IKubernetesObject<V1ObjectMeta> child, ObjectMemory memory, KnownLabels? known)
    {
        var labels = known is null || (known.Uid.Length > 0 && !string.Equals(known.Uid, child.Uid(), StringComparison.Ordinal))
            ? Texts((child.Metadata.Labels ?? []).Where(static l => l.Key.StartsWith(Prefix, StringComparison.Ordinal)))
            : known.Labels;
        if (child is V1ControllerRevision or V1HTTPRoute) return labels;
        foreach (var (component, revision) in memory.Releases.Values.OfType<ReleaseRecord>().SelectMany(static r => r.Workloads()).Select(static c => (c.Name, c.Revision!)))
        {
            if (!string.Equals(child.Name(), ChildNames.Revision(owner.Name, component, revision), StringComparison.Ordinal)
                && !string.Equals(child.Name(), ChildNames.Flags(owner.Name, component, revision), StringComparison.Ordinal)) continue;
            foreach (var (name, value) in owner.Labels(component, revision)) labels[name] = value;
        }

        return labels;
    }

    private static bool Carries(IKubernetesObject<V1ObjectMeta> child, Dictionary<string, string> labels) =>
        labels.All(l => string.Equals(child.GetLabel(l.Key), l.Value, StringComparison.Ordinal));

    private static Dictionary<string, string> Texts(IEnumerable<KeyValuePair<string, string>> labels) => new(labels, StringComparer.Ordinal);

    /// <summary>Gives one child its labels back.</summary>
    /// <returns>Whether it has them now, or changed meanwhile, so that the next pass looks again; and the child as it is as far as is known.</returns>
    private async Task<(bool Kept, IKubernetesObject<V1ObjectMeta> Now)> GiveBackAsync(
        ChildOwner owner, ChildKind kind, IKubernetesObject<V1ObjectMeta> child, Dictionary<string, string> labels, ObjectMemory memory, CancellationToken cancellationToken)
    {
        var port = cluster.Child(kind);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = child.Uid(), ["resourceVersion"] = child.ResourceVersion(), ["labels"] = ChildOwner.Texts(labels) },
        };
        var answer = await port.PatchAsync(patch, owner.Child(child.Name()), null, null, cancellationToken);
        memory.Ledger.Note(port, owner.Child(child.Name()), answer);
        // Whoever takes them away in the same write will do it again: that must not keep anything from being decided.
        if (answer is { IsSuccess: true, Object: { } given }) return (Carries(given, labels), given);
        return (answer.IsSuccess || answer.Reason is ApiReason.Conflict or ApiReason.NotFound, child);
    }
}

/// <summary>The labels of a child that is or was there.</summary>
/// <param name="Uid">Its uid; empty where it has not been seen yet.</param>
/// <param name="Labels">Those of the operator's own.</param>
internal sealed record KnownLabels(string Uid, Dictionary<string, string> Labels);
