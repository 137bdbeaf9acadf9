using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// How long a release may take, where components have deadlines of their own.
internal sealed partial class RolloutPass
{
    /// <summary>The time that a release has from when it became unavailable: that of the first of its late components to run out of it.</summary>
    /// <param name="release">The release.</param>
    /// <param name="late">Components that are late for a reason of their own; where there are none, the entry counts.</param>
    private TimeSpan AllowedTime(ReleaseRecord release, IReadOnlyCollection<string> late)
    {
        var times = AllowedTimes(release);
        return (late.Count == 0 ? [release.Entry] : late).Min(name => times[name].Time);
    }

    /// <summary>A component begins when what it depends on is available. By the deadline of the rollout all of them have one time together; where one has
    /// its own, the time of what it depends on comes before it.</summary>
    private Dictionary<string, (TimeSpan Time, bool IsOwn)> AllowedTimes(ReleaseRecord release)
    {
        var times = new Dictionary<string, (TimeSpan Time, bool IsOwn)>(StringComparer.Ordinal);
        foreach (var component in release.Components)
        {
            var own = _spec!.Component(component.Name)?.ProgressDeadline;
            var time = own ?? _spec.Policy.ProgressDeadline;
            var below = component.DependsOn.Where(times.ContainsKey).Select(d => times[d]).ToList();
            times[component.Name] = own is null && !below.Exists(static b => b.IsOwn)
                ? (time, false)
                : (time + below.Select(static b => b.Time).DefaultIfEmpty().Max(), true);
        }

        return times;
    }
}
