using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// Flags: on is progressive, off is immediate.
internal sealed partial class RolloutPass
{
    private void Strike(string flag)
    {
        foreach (var release in _book.Strike(flag))
        {
            if (Is(release.Record.Hash, _s.StableRevision) || Is(release.Record.Hash, _s.CanaryRevision))
            {
                Tell("FlagDisabled", $"Flag {flag} is disabled in spec: off at once in {Called(release.Record)}");
            }
        }
    }

    // A kill switch must work while spec is wrong otherwise: whatever can be read of it is obeyed.
    private void StrikeDisabledFlags()
    {
        foreach (var flag in _in.Reading.DisabledFlags)
        {
            Strike(flag);
        }

        _s.Struck = [.. _book.All
            .Select(r => new StruckStatus { Release = r.Record.Hash, Flags = [.. _book.Struck(r.Record.Hash)] })
            .Where(static s => s.Flags.Count > 0)
            .OrderBy(static s => s.Release, StringComparer.Ordinal)];
    }

    private bool StableServes(string flag) => Stable is { } stable && _book.Serving(stable.Record).Contains(flag);

    /// <summary>Flags that the canary may have on in a step, once that step holds. Where nobody can tell what the steps name, none goes on.</summary>
    private HashSet<string> AllowedFlags(ReleaseRecord canary, int stepIndex)
    {
        if (_spec is null && Stable is not null)
        {
            var decided = CanaryFlagsOn();
            return [.. _book.Serving(canary).Where(flag => decided.Contains(flag) || StableServes(flag))];
        }

        return AllowedFlags(canary, stepIndex, _spec?.Policy.Steps ?? []);
    }

    private HashSet<string> AllowedFlags(ReleaseRecord canary, int stepIndex, IReadOnlyList<ResolvedStep> steps) =>
        [.. _book.Serving(canary).Where(flag =>
        {
            var named = steps.TakeWhile(s => !s.Flags.Contains(flag)).Count();
            return named == steps.Count || named <= stepIndex || StableServes(flag);
        })];

    /// <summary>Whether flags of the step that the rollout is in are still to go on.</summary>
    private bool AreFlagsToCome() => FlagsToCome().Count > 0;

    private HashSet<string> FlagsToCome() => [.. AllowedFlags(Canary!.Record, _s.Step!.Index).Except(CanaryFlagsOn())];

    /// <summary>What a step turns on for the canary alone.</summary>
    private List<string> FlagsOfStep(ReleaseRecord canary, int index)
    {
        var allowed = AllowedFlags(canary, index);
        return [.. (_spec?.Policy.Steps.ElementAtOrDefault(index)?.Flags ?? []).Where(f => allowed.Contains(f) && !StableServes(f))];
    }

    /// <summary>How many steps, up to this one, have all their flags in the canary's files, from the first on.</summary>
    private int StepsServed(ReleaseRecord canary, int index) =>
        Enumerable.Range(0, index + 1).TakeWhile(i => FlagsOfStep(canary, i).TrueForAll(f => IsServed(canary, f))).Count();

    /// <summary>Whether the canary's files have a flag on; those that it shares with stable say what stable has.</summary>
    private bool IsServed(ReleaseRecord canary, string flag) =>
        FlagFiles(canary).Except(Stable is { } stable ? FlagFiles(stable.Record) : []).All(file => World.FlagMaps.GetValueOrDefault(file)?.Flags?.GetValueOrDefault(flag) == true);

    /// <summary>Whether spec lets a step have flags on that it did not let it have before.</summary>
    private bool IsGivenFlags(int indexBefore, int index) => _specBefore is { } before
        && AllowedFlags(Canary!.Record, index).Except(AllowedFlags(Canary.Record, indexBefore, before.Policy.Steps)).Any();

    /// <summary>Flags that the canary has on by the last decision.</summary>
    private HashSet<string> CanaryFlagsOn() => [.. (_s.Flags ?? []).Where(static f => f.Canary == true).Select(static f => f.Name)];

    private void ForgetCanaryFlags() => _s.Flags = _s.Flags?.ConvertAll(static f => f with { Canary = null });

    private bool FlagsDecided() => _s.Flags?.Exists(static f => f.Canary is not null) == true;

    /// <summary>Writes down which flags are on where. A flag only goes on for the canary at its start, or in the moment in which the step that
    /// names it begins to hold; it goes off whenever it is not allowed any more.</summary>
    private void PlanFlags()
    {
        var stableOn = Stable is { } stable ? _book.Serving(stable.Record).ToHashSet(StringComparer.Ordinal) : [];
        HashSet<string>? canaryOn = null;
        if (Canary is { } canary)
        {
            var allowed = AllowedFlags(canary.Record, _s.Step!.Index < 0 ? int.MaxValue : _s.Step.Index);
            var holds = _s.Step.State is StepStates.Holding or StepStates.Waiting;
            var before = FlagsDecided()
                ? CanaryFlagsOn()
                : AllowedFlags(canary.Record, _s.Step.Index < 0 ? int.MaxValue : -1);
            canaryOn = holds ? allowed : [.. before.Intersect(allowed)];
            // Decided at the start, when no step named it, and named by this very step since: it waits for the step's weight, as any other would.
            // Only while nobody is served by the canary: what has been on in traffic does not flicker.
            if (!holds && _s.Step.Index >= 0 && (_s.Weight ?? 0) == 0)
            {
                canaryOn.IntersectWith(AllowedFlags(canary.Record, _s.Step.Index - 1));
            }
        }

        var names = stableOn
            .Concat(Stable?.Record.Flags ?? [])
            .Concat(Canary?.Record.Flags ?? [])
            .Concat(_spec?.EnabledFlags ?? [])
            .Concat(_spec?.DisabledFlags ?? [])
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        _s.Flags = [.. names.Select(name => new FlagStatus
        {
            Name = name,
            Stable = stableOn.Contains(name),
            Canary = canaryOn?.Contains(name),
        })];
    }

    /// <summary>What the files of one component revision must say, or null where no live release delivers flags to it.</summary>
    private SortedDictionary<string, bool> FlagsOf(ReleaseRecord release, bool isStable, bool isCanary, RetiringStatus? retiring, FlagsView? current)
    {
        var on = isStable ? _book.Serving(release)
            : isCanary ? CanaryFlagsOn()
            // What a release turned on that did not stay is off again; one that was stable keeps its values while it drains.
            : Is(retiring?.Reason, RetireReasons.Replaced) ? _book.Serving(release)
            // Nothing goes on in what only waits for its end, though stable may serve the flag by now.
            : _book.Serving(release).Where(f => StableServes(f) && current?.Flags?.GetValueOrDefault(f) == true);
        var flags = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        foreach (var flag in release.Flags.Concat(_in.Reading.DisabledFlags))
        {
            flags[flag] = false;
        }

        foreach (var flag in on.Where(f => !_in.Reading.DisabledFlags.Contains(f)))
        {
            flags[flag] = true;
        }

        return flags;
    }
}
