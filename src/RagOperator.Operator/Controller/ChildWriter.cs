using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;
using RagOperator.Operator.FeatureFlags;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Carries single writes out, each with the uid and resource version that it was decided from.</summary>
/// <remarks>Changes are merge patches: they leave fields alone that this build does not know, and can take away what a POST created, which a
/// server-side apply cannot (a POST's fields belong to an update of the same manager for ever).</remarks>
internal sealed class ChildWriter(Cluster cluster, ITrafficRouter<V1HTTPRoute> router, PodEnvironment environment, LiveLook look, TimeProvider time)
{
    private const int MaxLowerings = 5;

    public Task<WriteResult> CarryOutAsync(Pass pass, Write write, CancellationToken cancellationToken) => write switch
    {
        CreateRelease w => CreateAsync(pass, ChildKind.ControllerRevision, RevisionRecords.OfRelease(pass.Owner, w.Record), cancellationToken),
        CreatePolicy w => CreateAsync(
            pass,
            ChildKind.ControllerRevision,
            RevisionRecords.OfPolicy(pass.Owner, w.Name, pass.Entity.Spec, pass.Entity.Metadata.Generation ?? 0),
            cancellationToken),
        MarkRelease w => PatchAsync(pass, ChildKind.ControllerRevision, w.Target.Name, RevisionRecords.Marks(w), cancellationToken),
        Adopt w => PatchAsync(pass, w.Kind, w.Target.Name, Adoption(pass.Owner, w.Target), cancellationToken),
        DeleteChild w => DeleteAsync(pass, w, cancellationToken),
        CreateRevisionService w => CreateAsync(
            pass, ChildKind.Service, Carrying(pass, ChildKind.Service, w.Component, WorkloadManifests.RevisionService(pass.Owner, w.Release, w.Component)), cancellationToken),
        CreateDeployment w => CreateAsync(
            pass,
            ChildKind.Deployment,
            Carrying(pass, ChildKind.Deployment, w.Component, WorkloadManifests.Deployment(pass.Owner, w.Release, w.Component, w.Replicas, environment)),
            cancellationToken),
        DescribeChild w => DescribeAsync(pass, w, cancellationToken),
        ScaleDeployment w => PatchAsync(pass, ChildKind.Deployment, w.Target.Name, Scaling(w), cancellationToken),
        ApplyStableService w => ApplyStableServiceAsync(pass, w, cancellationToken),
        ApplyFlags w => ApplyFlagsAsync(pass, w, cancellationToken),
        ApplyRoute w => ApplyRouteAsync(pass, w, cancellationToken),
        RemoveRequest w => RemoveRequestAsync(pass, w, cancellationToken),
        _ => throw new NotSupportedException($"No way is known to carry out {write.GetType().Name}."),
    };

    private async Task<WriteResult> CreateAsync(Pass pass, ChildKind kind, JsonObject body, CancellationToken cancellationToken)
    {
        if (await look.IsGoingAsync(pass, cancellationToken)) return new(WriteOutcome.Conflict);
        var port = cluster.Child(kind);
        var key = pass.Owner.Child(body["metadata"]!["name"]!.GetValue<string>());
        var answer = await port.CreateAsync(body, key.Namespace, dryRun: false, pass.Patience, cancellationToken);
        if (answer.Reason != ApiReason.AlreadyExists)
        {
            pass.Memory.Ledger.Note(port, key, answer);
            return WriteResult.Of(answer);
        }

        var live = await port.GetAsync(key, cancellationToken);
        // What is somebody else's no cache of ours will ever show.
        if (live.Object is null || pass.Owner.OwnershipOf(live.Object) != Ownership.Foreign) pass.Memory.Ledger.Note(port, key, live);
        return live.Object is { } found ? await MeetAsync(pass, kind, body, found, answer.Result, cancellationToken) : WriteResult.Of(live);
    }

    /// <summary>A name that we wanted to create is there already.</summary>
    private async Task<WriteResult> MeetAsync(
        Pass pass, ChildKind kind, JsonObject body, IKubernetesObject<V1ObjectMeta> found, ApiResult met, CancellationToken cancellationToken)
    {
        var labelled = string.Equals(found.GetLabel(ApiConstants.NameLabel), pass.Owner.Name, StringComparison.Ordinal);
        switch (pass.Owner.OwnershipOf(found))
        {
            case Ownership.Ours when found.Metadata.DeletionTimestamp is not null:
            case Ownership.EarlierUid:
                return new(WriteOutcome.Waiting);
            case Ownership.Ours when !labelled:
                // Somebody took the label away, and with it the child out of the cache: it would be created for ever.
                var patch = new JsonObject
                {
                    ["metadata"] = new JsonObject
                    {
                        ["uid"] = found.Uid(),
                        ["resourceVersion"] = found.ResourceVersion(),
                        ["labels"] = body["metadata"]!["labels"]!.DeepClone(),
                    },
                };
                return await PatchAsync(pass, kind, found.Name(), patch, cancellationToken);
            case Ownership.Ours:
                return WriteResult.Done;
            case Ownership.Orphan:
                return new(WriteOutcome.Waiting);
            case var _ when kind == ChildKind.ControllerRevision:
                // The pass cannot go on without it, and says so like one that the API server refuses.
                return new(WriteOutcome.Taken, Held(met, cluster.Child(kind), found));
            default:
                pass.Memory.Taken[(kind, found.Name())] = Held(cluster.Child(kind), found);
                return new(WriteOutcome.Taken);
        }
    }

    /// <summary>Looks again at names that somebody else held.</summary>
    public async Task RecheckTakenAsync(ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        foreach (var (kind, name) in memory.Taken.Keys.ToList())
        {
            var live = await cluster.Child(kind).GetAsync(owner.Child(name), cancellationToken);
            if (live.Object is { } found && owner.OwnershipOf(found) == Ownership.Foreign) memory.Taken[(kind, name)] = Held(cluster.Child(kind), found);
            else if (live.IsSuccess || live.Reason == ApiReason.NotFound) memory.Taken.Remove((kind, name));
        }
    }

    /// <summary>For people: what is held, and by whom.</summary>
    public static string Held(KindPort port, IKubernetesObject<V1ObjectMeta> taken) =>
        $"{port.Kind} {taken.Key()} is held by {NameHolder.Of(taken)}";

    private static ApiResult<V1ControllerRevision> Held(ApiResult met, KindPort port, IKubernetesObject<V1ObjectMeta> taken) =>
        new() { Call = met.Call, StatusCode = met.StatusCode, Reason = met.Reason, Message = Held(port, taken) };

    private async Task<WriteResult> PatchAsync(Pass pass, ChildKind kind, string name, JsonObject patch, CancellationToken cancellationToken)
    {
        var port = cluster.Child(kind);
        var key = pass.Owner.Child(name);
        var answer = await port.PatchAsync(patch, key, null, pass.Patience, cancellationToken);
        pass.Memory.Ledger.Note(port, key, answer);
        return WriteResult.Of(answer);
    }

    private async Task<WriteResult> DeleteAsync(Pass pass, DeleteChild write, CancellationToken cancellationToken)
    {
        var port = cluster.Child(write.Kind);
        var key = pass.Owner.Child(write.Target.Name);
        var answer = await port.DeleteAsync(key, write.Target.Uid, write.Target.ResourceVersion, cancellationToken);
        if (answer.IsSuccess || answer.Reason == ApiReason.NotFound)
        {
            pass.Memory.Labels.Remove((write.Kind, write.Target.Name));
            pass.Memory.Ledger.SawDeletion(port, key, write.Target.Uid);
            return WriteResult.Done;
        }

        pass.Memory.Ledger.Note(port, key, answer);
        return WriteResult.Of(answer);
    }

    private static JsonObject Carrying(Pass pass, ChildKind kind, string? component, JsonObject body)
    {
        CarriedMetadata.Of(pass.Spec, kind, component)?.AddTo(body);
        return body;
    }

    private async Task<WriteResult> DescribeAsync(Pass pass, DescribeChild write, CancellationToken cancellationToken)
    {
        var port = cluster.Child(write.Kind);
        var key = pass.Owner.Child(write.Target.Name);
        if (pass.Memory.Ledger.Get(port, key) is not { } current || CarriedMetadata.Of(pass.Spec, write.Kind, current) is not { } carried || carried.Patch(current) is not { } patch)
            return WriteResult.Done;
        var answer = await port.PatchAsync(patch, key, null, pass.Patience, cancellationToken);
        pass.Memory.Ledger.Note(port, key, answer);
        // Whoever changes it in the same write will do it again: it is not written for ever.
        if (answer is { IsSuccess: true, Object: { } given } && carried.Patch(given) is not null) pass.Memory.Undescribable[(write.Kind, write.Target.Name)] = $"{carried}";
        return WriteResult.Of(answer);
    }

    private Task<WriteResult> ApplyStableServiceAsync(Pass pass, ApplyStableService write, CancellationToken cancellationToken)
    {
        var body = WorkloadManifests.StableService(pass.Owner, write.Release, write.Component);
        if (write.Current is not { } current) return CreateAsync(pass, ChildKind.Service, Carrying(pass, ChildKind.Service, write.Component, body), cancellationToken);
        return pass.Seen.Services.TryGetValue(current.Name, out var service)
            ? PatchAsync(pass, ChildKind.Service, current.Name, WorkloadViews.ServicePatch(service, body), cancellationToken)
            : Task.FromResult(new WriteResult(WriteOutcome.Conflict));
    }

    private async Task<WriteResult> ApplyFlagsAsync(Pass pass, ApplyFlags write, CancellationToken cancellationToken)
    {
        var body = FlagsConfigMap.Body(pass.Owner, write.Component, write.Revision, write.Flags);
        if (write.Current is not { } view) return await CreateAsync(pass, ChildKind.ConfigMap, Carrying(pass, ChildKind.ConfigMap, write.Component, body), cancellationToken);
        if (!pass.Seen.ConfigMaps.TryGetValue(view.Name, out var current)) return new(WriteOutcome.Conflict);
        for (var attempt = 1; ; attempt++)
        {
            var result = await PatchAsync(pass, ChildKind.ConfigMap, view.Name, FlagsConfigMap.Patch(current, body), cancellationToken);
            if (result.Outcome != WriteOutcome.Conflict || write.Way != Direction.Lowers || attempt == MaxLowerings) return result;
            if (await ReadAgainAsync<V1ConfigMap>(pass, ChildKind.ConfigMap, view.Name, cancellationToken) is not { } live) return result;
            if (!Lowering.Holds(write.Flags, FlagsConfigMap.View(pass.Owner, live).Flags)) return result;
            current = live;
        }
    }

    private async Task<WriteResult> ApplyRouteAsync(Pass pass, ApplyRoute write, CancellationToken cancellationToken)
    {
        var desired = new DesiredTraffic(pass.Route, write.Backends, write.Port, write.UnrecordedRollback);
        if (write.Current is not { } view) return await CreateAsync(pass, ChildKind.HttpRoute, Carrying(pass, ChildKind.HttpRoute, null, router.Create(pass.Owner, desired)), cancellationToken);
        if (pass.Seen.Route is not { } current) return new(WriteOutcome.Conflict);
        if (write.Needs is { } needs && (write.Way == Direction.Raises
            ? await look.LackAsync(pass, needs, "no more weight", cancellationToken)
            : await look.NothingToFallBackOnAsync(pass, needs, cancellationToken)) is { } lack) return lack;
        for (var attempt = 1; ; attempt++)
        {
            var result = await PatchAsync(pass, ChildKind.HttpRoute, view.Name, router.Change(pass.Owner, current, desired), cancellationToken);
            if (write.Way != Direction.Lowers || attempt == MaxLowerings) return result;
            if (desired.Route is not null && result.Answer?.Reason is ApiReason.Invalid or ApiReason.BadRequest)
            {
                // A rollback must not fail because of a hostname that the API server refuses: weights only.
                desired = desired with { Route = null };
                continue;
            }

            if (result.Outcome != WriteOutcome.Conflict) return result;
            if (await ReadAgainAsync<V1HTTPRoute>(pass, ChildKind.HttpRoute, view.Name, cancellationToken) is not { } live) return result;
            if (!Lowering.Holds(write.Backends, view, router.Observe(pass.Owner, live, null, write.Port))) return result;
            current = live;
        }
    }

    /// <summary>The object as it is now, if it is still ours to change.</summary>
    private async Task<T?> ReadAgainAsync<T>(Pass pass, ChildKind kind, string name, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var port = cluster.Child(kind);
        var key = pass.Owner.Child(name);
        var live = await port.GetAsync(key, cancellationToken);
        pass.Memory.Ledger.Note(port, key, live);
        return live.Object is T found && found.Metadata.DeletionTimestamp is null && pass.Owner.OwnershipOf(found) == Ownership.Ours ? found : null;
    }

    private async Task<WriteResult> RemoveRequestAsync(Pass pass, RemoveRequest write, CancellationToken cancellationToken)
    {
        // Another request may stand there by now; it is not this write's to remove.
        if (!string.Equals(pass.Entity.GetAnnotation(ApiConstants.RequestAnnotation), write.Request, StringComparison.Ordinal))
            return new(WriteOutcome.Conflict);
        var annotations = new JsonObject { [ApiConstants.RequestAnnotation] = null };
        // A stamp belongs to its request; the webhook would take it away, too, where there is one.
        if (pass.Entity.GetAnnotation(ApiConstants.RequestedByAnnotation) is not null) annotations[ApiConstants.RequestedByAnnotation] = null;
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = pass.Owner.Uid, ["resourceVersion"] = pass.Entity.ResourceVersion(), ["annotations"] = annotations },
        };
        var answer = await cluster.ObjectPort.PatchAsync(patch, pass.Owner.Key, null, null, cancellationToken);
        pass.Memory.Ledger.Note(cluster.ObjectPort, pass.Owner.Key, answer);
        if (answer.Object is Api.V1Alpha1.RagDeployment written) (pass.Entity, pass.EntitySeenAt) = (written, time.GetTimestamp());
        return WriteResult.Of(answer);
    }

    private static JsonObject Scaling(ScaleDeployment write) => new()
    {
        ["metadata"] = Preconditions(write.Target),
        ["spec"] = new JsonObject { ["replicas"] = write.Replicas },
    };

    private static JsonObject Adoption(ChildOwner owner, ChildView target)
    {
        var metadata = Preconditions(target);
        metadata["ownerReferences"] = new JsonArray(owner.Reference());
        return new JsonObject { ["metadata"] = metadata };
    }

    private static JsonObject Preconditions(ChildView target) => new() { ["uid"] = target.Uid, ["resourceVersion"] = target.ResourceVersion };
}
