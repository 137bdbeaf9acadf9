using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Sla;

/// <summary>Puts a release's names into the queries.</summary>
internal static class SlaQuestions
{
    /// <summary>A query with the variables of one component of one release put in; null where the release has no such component of ours.</summary>
    /// <param name="query">The query.</param>
    /// <param name="key">The object.</param>
    /// <param name="release">The release.</param>
    /// <param name="component">The component's name.</param>
    /// <param name="window">The window.</param>
    public static string? Render(string query, NamespacedName key, ReleaseRecord release, string component, TimeSpan window) =>
        release.Component(component)?.Revision is not { } revision
            ? null
            : QueryTemplate.Render(query, new QueryVariables(key.Name, key.Namespace, component, ChildNames.Revision(key.Name, component, revision), revision, window));

    /// <summary>The questions about a release.</summary>
    /// <param name="sla">What it is held to.</param>
    /// <param name="key">The object.</param>
    /// <param name="release">The release that is asked about.</param>
    /// <param name="stable">Stable, to compare with; null in a baseline.</param>
    /// <param name="entry">The traffic component: its metrics need the number of requests.</param>
    /// <param name="metrics">The metrics to ask for, each with the time that it is due.</param>
    public static SlaLook? Of(
        ResolvedSla sla, NamespacedName key, ReleaseRecord release, ReleaseRecord? stable, string entry,
        IEnumerable<(ResolvedMetric Metric, DateTimeOffset DueAt)> metrics)
    {
        var questions = new List<MetricQuestion>();
        foreach (var (metric, due) in metrics)
        {
            if (Render(metric.Query, key, release, metric.Component, metric.Window) is { } query)
            {
                var compared = metric.Limit.IsRelative && stable is not null ? Render(metric.Query, key, stable, metric.Component, metric.Window) : null;
                var volume = sla.VolumeQuery is not null && string.Equals(metric.Component, entry, StringComparison.Ordinal);
                questions.Add(new MetricQuestion(metric.Name, due, query, compared, volume)
                {
                    // What is learned is about the question, so it is asked of stable only, once before a rollout.
                    Probe = stable is null ? SeriesProbes.Of(metric.Query, text => Render(text, key, release, metric.Component, metric.Window)!) : null,
                });
            }
        }

        if (questions.Count == 0)
        {
            return null;
        }

        var window = sla.Metrics.Where(m => string.Equals(m.Component, entry, StringComparison.Ordinal)).Select(static m => m.Window)
            .DefaultIfEmpty(TimeSpan.FromMinutes(1)).Max();
        return new SlaLook
        {
            Source = sla.Source,
            Release = release.Hash,
            Baseline = stable is null,
            Interval = sla.Interval,
            VolumeQuery = sla.VolumeQuery is { } v && questions.Exists(static q => q.NeedsVolume) ? Render(v, key, release, entry, window) : null,
            StableVolumeQuery = sla.VolumeQuery is { } w && stable is not null && questions.Exists(static q => q.NeedsVolume)
                ? Render(w, key, stable, entry, window)
                : null,
            Metrics = questions,
        };
    }
}
