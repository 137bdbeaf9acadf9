using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using RagOperator.Abstractions;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Sla;
using RagOperator.Operator.Controller;

namespace RagOperator.Operator.Hosting.Metrics;

/// <summary>What the rollouts are doing, as metrics. Everything that names an object is observed from its newest status, and gone with it.</summary>
internal sealed class RolloutMetrics : IRolloutMetrics, IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "RagOperator";

    private static readonly string[] Phases = ["Healthy", "Progressing", "Suspended", "Degraded"];
    private static readonly string[] Verdicts = ["Pass", "Breach", "NoData", "TooFew", "Invalid", "Error", "Reported"];

    private readonly ConcurrentDictionary<NamespacedName, Entry> _entries = new();
    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _reaction;

    /// <summary>Makes the instruments.</summary>
    /// <param name="factory">Owns the meter: what another host or test of the same process counts is not mixed in.</param>
    public RolloutMetrics(IMeterFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _meter = factory.Create(MeterName);
        Gauge("ragoperator_phase", "1 for the phase that a RagDeployment is in, 0 for the others.", static (key, e) =>
            Phases.Select(p => Point(p == e.Status.Phase ? 1 : 0, key, Label("phase", p))));
        Gauge("ragoperator_status_info", "1; the labels say where a RagDeployment is and why: phase, the reason of its Ready condition, step and the step's state.", static (key, e) =>
            [Point(1, key, Label("phase", e.Status.Phase ?? ""), Label("reason", Reason(e.Status)), Label("step", e.Status.Step?.Name ?? ""), Label("state", e.Status.Step?.State ?? ""))]);
        Gauge("ragoperator_flag", "1 where the flag is on in the release, 0 where it is off.", static (key, e) => (e.Status.Flags ?? []).SelectMany(f => Flag(key, f)));
        Gauge("ragoperator_step_index", "The step that the rollout is in, from 0; -1 in a first install. Absent without a rollout.", static (key, e) =>
            e.Status.Step is { } step ? [Point(step.Index, key)] : []);
        Gauge("ragoperator_weight", "Percent of the requests that go to the release that spec names, as verified.", static (key, e) =>
            e.Status.Weight is { } weight ? [Point(weight, key)] : []);
        Gauge("ragoperator_stable_ready", "1 while the stable release has a ready address or is to have no pods, 0 while it serves nobody. Absent before a first install.", static (key, e) =>
            e.Status.StableRevision is null ? [] : [Point(e.Status.StableUnreadySince is null ? 1 : 0, key)]);
        Gauge("ragoperator_sla_value", "The metric's value of the release that is judged, in the base unit of its query.", static (key, e) =>
            Sla(e).SelectMany(m => Point(MetricText.Parse(m.Value), key, m)));
        Gauge("ragoperator_sla_stable_value", "The metric's value of stable at the same time, where a part of the limit is relative to it.", static (key, e) =>
            Sla(e).SelectMany(m => Point(MetricText.Parse(m.StableValue), key, m)));
        Gauge("ragoperator_sla_baseline", "The metric's value of stable before the rollout began.", static (key, e) =>
            Sla(e).SelectMany(m => Point(MetricText.Parse(m.Baseline), key, m)));
        Gauge("ragoperator_sla_limit", "A part of the metric's limit: max, min, maxIncrease, maxDecrease; percentages as fractions.", static (key, e) =>
            Sla(e).SelectMany(m => Limits(m).Select(l => Point(l.Value, key, Label("metric", m.Name), Label("part", l.Part)))));
        Gauge("ragoperator_sla_streak", "Breaches in a row.", static (key, e) => Sla(e).Select(m => Point(m.Streak, key, Label("metric", m.Name))));
        Gauge("ragoperator_sla_fail_after", "How many breaches in a row it takes.", static (key, e) =>
            Sla(e).Select(m => Point(m.FailAfter, key, Label("metric", m.Name))));
        Gauge("ragoperator_sla_verdict", "1 for the metric's newest verdict, 0 for the others.", static (key, e) =>
            Sla(e).SelectMany(m => Verdicts.Select(v => Point(v == m.Verdict ? 1 : 0, key, Label("metric", m.Name), Label("verdict", v)))));
        _meter.CreateObservableCounter(
            "ragoperator_rollouts_finished_total",
            () => Observe(static (key, e) => e.Finished.Select(f => Point(f.Value, key, Label("outcome", f.Key)))),
            null,
            "Rollouts that ended since this process first saw the object, by outcome: Installed, Promoted, RolledBack, Superseded, Withdrawn.");
        _duration = _meter.CreateHistogram(
            "ragoperator_rollout_duration_seconds", "s", "How long rollouts took from their start to their outcome.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 259200, 604800, 1209600, 2592000],
            });
        _reaction = _meter.CreateHistogram(
            "ragoperator_rollback_reaction_seconds", "s", "From the time of the sample that decided a rollback to weight 0 accepted by the API server.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300] });
    }

    /// <inheritdoc/>
    public void Published(NamespacedName key, RagDeploymentStatus status, IReadOnlyList<EngineEvent> events, DateTimeOffset now)
    {
        var before = _entries.GetValueOrDefault(key);
        var finished = before is null ? [] : NewlyFinished(before.Status, status);
        // A copy: a scrape may be reading the old one.
        var counts = before is null ? new(StringComparer.Ordinal) : new Dictionary<string, long>(before.Finished, StringComparer.Ordinal);
        foreach (var entry in finished)
        {
            counts[entry.Outcome] = counts.GetValueOrDefault(entry.Outcome) + 1;
            if (entry is { StartedAt: { } from, FinishedAt: { } to })
                _duration.Record(Math.Max(0, (to - from).TotalSeconds), Label("outcome", entry.Outcome));
        }

        _entries[key] = new Entry(status, counts);
    }

    /// <inheritdoc/>
    public void RolledBack(NamespacedName key, TimeSpan reaction) => _reaction.Record(Math.Max(0, reaction.TotalSeconds));

    /// <inheritdoc/>
    public void Forget(NamespacedName key) => _entries.TryRemove(key, out _);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>Entries at the top of the history that were not there before. An entry that was only completed later (replacedAt) is not new.</summary>
    private static List<HistoryEntry> NewlyFinished(RagDeploymentStatus before, RagDeploymentStatus now)
    {
        var newest = before.History is [var first, ..] ? first : null;
        return (now.History ?? []).TakeWhile(e => newest is null || !IsSame(e, newest)).ToList();
    }

    private static bool IsSame(HistoryEntry a, HistoryEntry b) =>
        a.Release == b.Release && a.Revision == b.Revision && a.Outcome == b.Outcome && a.FinishedAt == b.FinishedAt;

    private static IEnumerable<MetricStatus> Sla(Entry entry) => entry.Status.Sla ?? [];

    private static string Reason(RagDeploymentStatus status) => status.Conditions?.Find(static c => c.Type == "Ready")?.Reason ?? "";

    private static IEnumerable<Measurement<double>> Flag(NamespacedName key, FlagStatus flag)
    {
        yield return Point(flag.Stable ? 1 : 0, key, Label("flag", flag.Name), Label("release", "stable"));
        if (flag.Canary is { } canary) yield return Point(canary ? 1 : 0, key, Label("flag", flag.Name), Label("release", "canary"));
    }

    private static IEnumerable<(string Part, double Value)> Limits(MetricStatus metric)
    {
        foreach (var part in (metric.Limit ?? "").Split(", ", StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Split(' ') is not [var name, var text]) continue;
            var percent = name.EndsWith("Percent", StringComparison.Ordinal);
            if (percent ? LimitValue.TryParsePercent(text, out var value) : LimitValue.TryParse(text, out value)) yield return (name, value);
        }
    }

    private static IEnumerable<Measurement<double>> Point(double? value, NamespacedName key, MetricStatus metric) =>
        value is { } number ? [Point(number, key, Label("metric", metric.Name))] : [];

    private static Measurement<double> Point(double value, NamespacedName key, params ReadOnlySpan<KeyValuePair<string, object?>> more) =>
        new(value, [Label("namespace", key.Namespace), Label("name", key.Name), .. more]);

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private void Gauge(string name, string help, Func<NamespacedName, Entry, IEnumerable<Measurement<double>>> points) =>
        _meter.CreateObservableGauge(name, () => Observe(points), null, help);

    private IEnumerable<Measurement<double>> Observe(Func<NamespacedName, Entry, IEnumerable<Measurement<double>>> points) =>
        _entries.SelectMany(e => points(e.Key, e.Value));

    private sealed record Entry(RagDeploymentStatus Status, IReadOnlyDictionary<string, long> Finished);
}
