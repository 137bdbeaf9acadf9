using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Engine.Rollout;

namespace RagOperator.Engine.Tests.World;

/// <summary>The invariants S1 to S7 over every write, as it is made.</summary>
internal sealed class Safety(Sim sim)
{
    private readonly HashSet<string> _takenBack = new(StringComparer.Ordinal);

    private Cluster World => sim.Cluster;

    /// <summary>A status was persisted: decisions count from here on.</summary>
    public void AfterStatus()
    {
        var status = World.Status!;
        if (status.FailedRevision is { } failed) _takenBack.Add(failed);
        if (status.CanaryRevision is { } canary) _takenBack.Remove(canary);
        if (status.StableRevision is { } stable) _takenBack.Remove(stable);
        if (status.CanaryRevision is not null && status.CanaryRevision == status.FailedRevision) Broken("S2", "a release is canary and failed at once");
    }

    public void Before(Write write, bool unrecorded)
    {
        if (unrecorded && write.Way != Direction.Lowers) Broken("journal", "it does not lower, and its decision is not in status", write);
        switch (write)
        {
            case ApplyRoute route:
                Check(route);
                break;
            case ApplyFlags flags:
                Check(flags);
                break;
            case ScaleDeployment scale:
                Check(scale);
                break;
            case DeleteChild delete:
                Check(delete);
                break;
        }
    }

    private void Check(ApplyRoute write)
    {
        var status = World.Status;
        if (write.Backends.Sum(static b => b.Weight) != 100) Broken("S4", "weights do not sum to 100", write);
        if (write.Backends.FirstOrDefault(b => !World.Services.ContainsKey(b.Service)) is { } missing) Broken("S4", $"{missing.Service} does not exist", write);
        if (World.Route is { } route && route.OwnerUid != World.Uid) Broken("S7", "the route is not ours", write);
        var stable = EntryOf(status?.StableRevision);
        if (stable is null)
        {
            // Status was lost, and cannot be written: only lowering is left to do.
            if (write.Way != Direction.Lowers) Broken("S1", "a route without a stable release in status", write);
            return;
        }

        var canary = EntryOf(status?.CanaryRevision);
        foreach (var backend in write.Backends.Where(b => b.Service != stable))
        {
            var before = World.WeightOf(backend.Service);
            var raises = backend.Weight > before;
            if (backend.Service == canary && backend.Weight > status!.Step!.Weight) Broken("S1", $"{backend.Weight}% in a step of {status.Step.Weight}%", write);
            if (backend.Service != canary && raises) Broken("S1", $"{backend.Service} rises and is no canary", write);
            if (raises && _takenBack.Any(r => EntryOf(r) == backend.Service)) Broken("S2", "a release that was taken back rises", write);
            if (raises && World.Addresses(World.Services[backend.Service]) == 0) Broken("S3", "weight for a canary without a ready address", write);
            if (raises && write.Way != Direction.Raises) Broken("journal", "it raises and is not marked so", write);
            if (raises && World.Deployments.TryGetValue(backend.Service, out var d) && World.Available(d) < Math.Max(1, d.Replicas)) Broken("S3", "weight for a canary that is not available", write);
        }

        var falls = (World.Route?.Backends ?? []).Any(b => b.Service != stable && b.Weight > write.Backends.Where(w => w.Service == b.Service).Sum(static w => w.Weight));
        // A recovery takes everything from whoever has it, and gives none of it to stable.
        var recovers = status!.Recovery is { DecidedAt: not null, Weight: 100 } recovery && recovery.Release == status.CanaryRevision
            && write.Backends.Any(b => b.Service == canary && b.Weight == 100);
        if (falls && !recovers && World.Addresses(World.Services[stable]) == 0) Broken("S3", "weight goes to a stable without a ready address", write);
    }

    private void Check(ApplyFlags write)
    {
        var status = World.Status;
        var struck = World.Reading.DisabledFlags;
        var stable = Release(status?.StableRevision);
        var canary = Release(status?.CanaryRevision);
        var name = ChildNames.Flags(World.Name, write.Component, write.Revision);
        foreach (var flag in write.Flags.Where(static f => f.Value).Select(static f => f.Key))
        {
            if (struck.Contains(flag)) Broken("S6", $"{flag} is disabled in spec", write);
            var was = World.FlagMaps.TryGetValue(name, out var map) && map.Flags.GetValueOrDefault(flag);
            if (!was && write.Way == Direction.Lowers) Broken("journal", "it turns a flag on and is marked as lowering", write);
            if (was || stable?.Component(write.Component)?.Revision == write.Revision) continue;
            if (canary?.Component(write.Component)?.Revision != write.Revision) Broken("S6", $"{flag} goes on for a release that is neither stable nor canary", write);
            if (stable is not null && stable.Flags.Contains(flag) && !Struck(stable.Hash).Contains(flag)) continue;
            if (stable is null) continue;
            if (PolicyOf(status!)?.Policy.Steps is not { } steps)
            {
                Broken("S6", $"{flag} goes on, and no policy is there that names the step for it", write);
                continue;
            }

            var named = steps.TakeWhile(s => !s.Flags.Contains(flag)).Count();
            if (named == steps.Count) continue;
            var step = status!.Step!;
            if (named > step.Index || (named == step.Index && step.State is not (StepStates.Holding or StepStates.Waiting)))
                Broken("S6", $"{flag} is on in step {step.Name}/{step.State}, and step {steps[named].Name} names it", write);
        }
    }

    private void Check(ScaleDeployment write)
    {
        var status = World.Status;
        if (Release(status?.StableRevision)?.Component(write.Target.Component)?.Revision != write.Target.Revision) return;
        var wished = PolicyOf(status!)?.Component(write.Target.Component)?.Replicas;
        if (wished is not null && write.Replicas < wished) Broken("S3", $"stable is scaled to {write.Replicas} of {wished}", write);
    }

    private void Check(DeleteChild write)
    {
        if (write.Target.Owner != Ownership.Ours) Broken("S7", "what is deleted is not ours", write);
        var status = World.Status;
        foreach (var release in new[] { Release(status?.StableRevision), Release(status?.CanaryRevision) }.OfType<ReleaseRecord>())
        {
            var named = write.Kind == ChildKind.ControllerRevision
                ? ChildNames.Release(World.Name, release.Hash) == write.Target.Name
                : release.Workloads().Any(c => write.Target.Name == ChildNames.Revision(World.Name, c.Name, c.Revision!)
                    || (write.Target.Name == ChildNames.Flags(World.Name, c.Name, c.Revision!) && release.Receives(c.Name)));
            if (named) Broken("S5", "what stable or canary needs is deleted", write);
        }

        if (write.Kind == ChildKind.Service && World.Route?.Backends.Exists(b => b.Service == write.Target.Name) == true) Broken("S4", "a backend of the route is deleted", write);
    }

    private ReleaseRecord? Release(string? hash) => World.Records.Values.FirstOrDefault(r => hash is not null && r.Release?.Hash == hash)?.Release;

    private IReadOnlyList<string> Struck(string hash) =>
        World.Status?.Struck?.Find(s => s.Release == hash)?.Flags ?? World.Records.Values.First(r => r.Release?.Hash == hash).Struck;

    private string? EntryOf(string? hash) => Release(hash) is { } r ? ChildNames.Revision(World.Name, r.Entry, r.Component(r.Entry)!.Revision!) : null;

    private ResolvedSpec? PolicyOf(RagDeploymentStatus status) =>
        status.PolicyRevision is { } name && World.Records.TryGetValue(name, out var record) ? World.Read(record.Policy).Spec : null;

    private void Broken(string rule, string what, Write? write = null) =>
        Assert.Fail($"{rule}: {what}{(write is null ? "" : $" in {Sim.Describe(write)}")}\n{sim}");
}
