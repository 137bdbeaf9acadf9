using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// What was decided and is not taken when it is written: a flag goes on being served though status tells otherwise.
internal sealed partial class RolloutPass
{
    private const string FlagsNotWritten = "FlagsNotWritten";

    /// <summary>What of stable was decided and not taken; null where nothing is known to be. A first try says nothing, it is a moment away.</summary>
    private Situation? NotWritten(ReleaseRecord stable)
    {
        var serves = $"{Called(stable)} serves all requests; ";
        if (FlagsRefused() is { } flags)
        {
            return new Situation(Phases.Progressing, FlagsNotWritten, serves + flags);
        }

        var scale = _after.OfType<ScaleDeployment>().FirstOrDefault(w => Is(stable.Component(w.Target.Component)?.Revision, w.Target.Revision) && IsRefused(w, "PodsNotScaled"));
        if (scale is not null)
        {
            return new Situation(Phases.Progressing, "PodsNotScaled", $"{serves}component {scale.Target.Component} has {scale.Target.Replicas} pods where spec wants {scale.Replicas}{Why(scale)}");
        }

        if (_unadopted is { } orphan)
        {
            return new Situation(Phases.Progressing, "ChildNotWritten", $"{Called(stable)} is stable; {orphan}");
        }

        var child = _after.FirstOrDefault(w => w is CreateDeployment or CreateRevisionService or ApplyStableService && IsRefused(w, "ChildNotWritten"));
        return child is null ? null : new Situation(Phases.Progressing, "ChildNotWritten", $"{Called(stable)} is stable; {WriteTargets.Of(Name, child)} cannot be written{Why(child)}");
    }

    /// <summary>Which flags of stable or canary are served otherwise than decided, because their file is not taken; null where none is known to be.</summary>
    private string? FlagsRefused()
    {
        var write = _after.OfType<ApplyFlags>().FirstOrDefault(w => IsReceiver(w) && IsRefused(w, FlagsNotWritten));
        if (write is null)
        {
            return null;
        }

        var names = string.Join(", ", write.Flags.Where(f => write.Current?.Flags?.GetValueOrDefault(f.Key) != f.Value).Select(static f => $"{f.Key} {(f.Value ? "on" : "off")}"));
        return $"component {write.Component} has not been told its flags{(names.Length > 0 ? $" ({names})" : "")}{Why(write)}";
    }

    /// <summary>Whether the flag files of stable and canary say what the step that holds allows. Until they do, nobody is served what is to be judged.</summary>
    private bool FlagsDelivered(ReleaseRecord canary, int step)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return (Stable is { } stable ? Says(stable.Record, _book.Serving(stable.Record), seen) : null) != false
            && Says(canary, AllowedFlags(canary, step), seen);
    }

    private bool Says(ReleaseRecord release, IEnumerable<string> on, HashSet<string> seen)
    {
        var wanted = on.Where(f => !_in.Reading.DisabledFlags.Contains(f)).ToHashSet(StringComparer.Ordinal);
        return FlagFiles(release).Where(seen.Add)
            .All(file => World.FlagMaps.GetValueOrDefault(file)?.Flags is { } flags && wanted.SetEquals(flags.Where(static f => f.Value).Select(static f => f.Key)));
    }

    private IEnumerable<string> FlagFiles(ReleaseRecord release) =>
        release.Workloads().Where(c => release.Receives(c.Name)).Select(c => ChildNames.Flags(Name, c.Name, c.Revision!));

    private bool IsReceiver(ApplyFlags write) =>
        Is(Stable?.Record.Component(write.Component)?.Revision, write.Revision) || Is(Canary?.Record.Component(write.Component)?.Revision, write.Revision);

    // A new process does not know yet what the last one was told.
    private bool IsRefused(Write write, string reason) =>
        (WriteTargets.Of(Name, write) is { } target && World.Unwritten.ContainsKey(target)) || HasCondition(ConditionTypes.Ready, reason);

    private string Why(Write write) => WriteTargets.Of(Name, write) is { } target && World.Unwritten.TryGetValue(target, out var why) ? $": {why}" : "";
}
