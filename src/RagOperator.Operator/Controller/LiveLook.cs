using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Looks at the API server itself right before what a cache that is behind would make wrong: more weight, a rollback, a creation.</summary>
internal sealed class LiveLook(Cluster cluster, TimeProvider time)
{
    private readonly AddressBook _addresses = new(cluster);

    // How long an answer that the object is there lets creations follow.
    private static readonly TimeSpan s_seen = TimeSpan.FromSeconds(1);

    /// <summary>Whether the object is deleted. A creation has no precondition that would tell, and caches may show that the garbage collector took a child
    /// before they show why: it would be made again, for an object that is going.</summary>
    public async Task<bool> IsGoingAsync(Pass pass, CancellationToken cancellationToken)
    {
        // What lowers waits for the creation already, and the status that is written in between would meet a conflict.
        if (pass.Patience is not null || pass.IsEntityUntold || (pass.EntitySeenAt is { } seen && time.GetElapsedTime(seen) < s_seen)) return false;
        var (isAnswered, answer) = await InTimeAsync(c => cluster.ObjectPort.GetAsync(pass.Owner.Key, c), cancellationToken);
        // Where nobody answers the caches are believed: a right that is missing must not keep a release from being repaired.
        if (!isAnswered || (answer.Object is null && answer.Reason != ApiReason.NotFound))
        {
            pass.IsEntityUntold = true;
            return false;
        }

        if (answer.Object is { } found && string.Equals(found.Uid(), pass.Owner.Uid, StringComparison.Ordinal) && found.Metadata.DeletionTimestamp is null)
        {
            pass.EntitySeenAt = time.GetTimestamp();
            return false;
        }

        pass.Memory.Ledger.Note(cluster.ObjectPort, pass.Owner.Key, answer);
        return true;
    }

    /// <summary>Whether stable, to which requests are to go back, has no address. A rollback does not wait for a server that does not answer: what the
    /// cache has of stable counts then.</summary>
    public async Task<WriteResult?> NothingToFallBackOnAsync(Pass pass, RaiseNeeds stable, CancellationToken cancellationToken)
    {
        var isThere = pass.Seen.Observed.ReadyAddresses.GetValueOrDefault(stable.Service) > 0;
        var lack = isThere ? await LackInTimeAsync(pass, stable, "", cancellationToken) : await LackAsync(pass, stable, "", cancellationToken);
        return lack is { Outcome: WriteOutcome.Waiting } ? new(WriteOutcome.Withheld) : isThere ? null : lack;
    }

    /// <summary>The same as <see cref="LackAsync"/>, where something urgent waits for it: no answer within two seconds is a failure without one.</summary>
    public async Task<WriteResult?> LackInTimeAsync(Pass pass, RaiseNeeds needs, string held, CancellationToken cancellationToken)
    {
        var (isAnswered, lack) = await InTimeAsync(c => LackAsync(pass, needs, held, c), cancellationToken);
        return isAnswered ? lack : new(WriteOutcome.Failed);
    }

    /// <summary>Whether something that a release needs for more requests is not there; null when all of it is. Nothing of what is read is waited for in the
    /// caches: one that never gets there must not hold up a rollback. Where it is news the next pass decides from it.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="needs">What has to be there.</param>
    /// <param name="held">What does not happen without it, for people.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<WriteResult?> LackAsync(Pass pass, RaiseNeeds needs, string held, CancellationToken cancellationToken)
    {
        var deployments = Task.WhenAll(needs.Pods.Select(async need => (need.Key, need.Value, Answer: await cluster.Child(ChildKind.Deployment).GetAsync(pass.Owner.Child(need.Key), cancellationToken))));
        var (addresses, untoldAddresses) = await _addresses.LookAsync(pass, needs.Service, cancellationToken);
        var looked = await deployments;
        foreach (var (name, _, answer) in looked) pass.Memory.Ledger.Look(cluster.Child(ChildKind.Deployment), pass.Owner.Child(name), answer);
        // What is lacking for certain comes before what nobody can tell.
        WriteResult? untold = null;
        foreach (var (name, wanted, answer) in looked)
        {
            if (answer.Reason == ApiReason.NotFound) return Lacks($"Deployment {name} is gone");
            if (answer.Object is not V1Deployment live)
            {
                untold ??= WriteResult.Of(answer);
                continue;
            }

            var seen = WorkloadViews.Deployment(pass.Owner, live, static () => []);
            if (seen is not { Owner: Ownership.Ours or Ownership.Orphan, Deleting: false }) return Lacks($"Deployment {name} is going or somebody else's");
            if (seen.Available < wanted || seen.Replicas < wanted) return Lacks($"Deployment {name} has {seen.Available} of {wanted} pods available");
        }

        if (addresses is null) return untold ?? new(WriteOutcome.Failed, untoldAddresses);
        if (addresses == 0) return Lacks($"Service {needs.Service} has no ready address");
        // Addresses of a Service that somebody else made by that name are none of this release's.
        if (!pass.Seen.Has(ChildKind.Service, needs.Service)
            && (await cluster.Child(ChildKind.Service).GetAsync(pass.Owner.Child(needs.Service), cancellationToken)).Object is { } service && pass.Owner.OwnershipOf(service) == Ownership.Foreign)
            return Lacks($"Service {needs.Service} is somebody else's");
        return untold;

        WriteResult Lacks(string what) => new(WriteOutcome.Waiting, Lack: $"{held}: read live, {what}; the watch has not told it yet");
    }

    /// <summary>An answer, if it comes within two seconds.</summary>
    private async Task<(bool IsAnswered, T? Answer)> InTimeAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Lowering.Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return (true, await ask(both.Token));
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return default;
        }
    }
}
