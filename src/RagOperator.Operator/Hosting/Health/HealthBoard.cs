using RagOperator.Kubernetes;
using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Hosting.Health;

/// <summary>Something that must be so before the process is ready.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Holds">Whether it is so.</param>
internal sealed record ReadyCondition(string Name, Func<bool> Holds);

/// <summary>How the process and all that it depends on are.</summary>
internal sealed class HealthBoard(
    IEnumerable<IHealthSource> sources,
    IEnumerable<ReadyCondition> conditions,
    IReadOnlyDictionary<string, SourceGate> metricSources,
    ILeadership leadership,
    TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly List<IHealthSource> _sources = [.. sources.OrderBy(static s => s.Name, StringComparer.Ordinal)];
    private readonly List<ReadyCondition> _conditions = [.. conditions];

    /// <summary>Names of what does not work and will not get better by itself: a restart is the cure.</summary>
    public IReadOnlyList<string> Dead() => [.. _sources.Where(static s => s.Check().Status == HealthVerdict.Unhealthy).Select(static s => s.Name)];

    /// <summary>Names of what is not ready yet.</summary>
    public IReadOnlyList<string> NotReady() => [.. _conditions.Where(static c => !c.Holds()).Select(static c => c.Name)];

    /// <summary>Everything.</summary>
    public HealthDetails Details()
    {
        var parts = _sources.ConvertAll(static s => (s.Name, Report: s.Check()));
        var answers = metricSources.OrderBy(static s => s.Key, StringComparer.Ordinal).Select(s => SourceDetails(s.Value)).ToList();
        var worst = parts.Count == 0 ? HealthVerdict.Healthy : parts.Max(static p => p.Report.Status);
        if (worst == HealthVerdict.Healthy && answers.Exists(static a => a.LastResult is "Error" or "Invalid")) worst = HealthVerdict.Degraded;
        return new()
        {
            Status = worst.ToString(),
            Ready = NotReady().Count == 0,
            NotReady = NotReady(),
            Leader = leadership.IsLeader,
            Version = BuildInfo.Version,
            UptimeSeconds = Math.Round((time.GetUtcNow() - _startedAt).TotalSeconds),
            Parts = parts.ConvertAll(static p => new PartDetails { Name = p.Name, Status = p.Report.Status.ToString(), Detail = p.Report.Detail }),
            MetricSources = answers,
        };
    }

    private static MetricSourceDetails SourceDetails(SourceGate gate) => new()
    {
        Name = gate.Name,
        LastResult = gate.Last?.Kind.ToString(),
        LastMessage = gate.Last?.Message,
        LastLatencySeconds = gate.Last is { } last ? Math.Round(last.Latency.TotalSeconds, 6) : null,
        LastAt = gate.Last?.At,
    };
}
