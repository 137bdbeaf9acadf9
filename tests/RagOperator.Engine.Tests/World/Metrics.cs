using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Tests.World;

/// <summary>A metric source by script: each metric's value by the image that the asked Service runs.</summary>
internal sealed class Metrics(Cluster cluster)
{
    private readonly Dictionary<(string Metric, string Image), Func<MetricAnswer>> _script = [];
    private readonly Dictionary<string, MetricSample> _samples = new(StringComparer.Ordinal);

    /// <summary>Overrides every answer while it is set: an outage.</summary>
    public MetricAnswer? Everything { get; set; }

    /// <summary>Requests per second through the route.</summary>
    public double Traffic { get; set; } = 50;

    /// <summary>Whether a release without traffic has no data, as with real counters. The metrics' names begin with what this is true of.</summary>
    public bool SilentWithoutTraffic { get; set; } = true;

    public IReadOnlyDictionary<string, MetricSample> Samples => _samples;

    /// <summary>What the source says of the series of a query that has no data.</summary>
    public Func<SeriesProbe, ProbeFindings>? Find { get; set; }

    public List<(DateTimeOffset At, string Query)> Asked { get; } = [];

    public void Set(string metric, string image, double value) => Set(metric, image, () => MetricAnswer.Of(value));

    public void Set(string metric, string image, Func<MetricAnswer> answer) => _script[(metric, image)] = answer;

    public void Forget() => _samples.Clear();

    /// <summary>An answer that the process still has.</summary>
    public void Keep(MetricSample sample) => _samples[sample.Metric] = sample;

    /// <summary>Asks what is due now.</summary>
    public bool Ask(SlaLook? look)
    {
        var asked = false;
        foreach (var question in look?.Metrics ?? [])
        {
            if (question.DueAt > cluster.Now || Fresh(question, look!)) continue;
            asked = true;
            var value = Answer(question.Query);
            _samples[question.Metric] = new MetricSample
            {
                Metric = question.Metric,
                Release = look!.Release,
                Baseline = look.Baseline,
                At = cluster.Now,
                Volume = question.NeedsVolume && look.VolumeQuery is { } v ? Answer(v) : null,
                StableVolume = question.NeedsVolume && look.StableVolumeQuery is { } sv ? Answer(sv) : null,
                Value = value,
                Stable = question.StableQuery is { } stable ? Answer(stable) : null,
                Probe = value is { Kind: AnswerKind.NoData, IsNaN: false } && question.Probe is { } probe ? Find?.Invoke(probe) : null,
            };
        }

        return asked;
    }

    /// <summary>When the next question is due, after now.</summary>
    public DateTimeOffset? Next(SlaLook? look) => (look?.Metrics ?? []).Where(q => !Fresh(q, look!) && q.DueAt > cluster.Now)
        .Select(static q => (DateTimeOffset?)q.DueAt).DefaultIfEmpty(null).Min();

    private bool Fresh(MetricQuestion question, SlaLook look) =>
        _samples.TryGetValue(question.Metric, out var sample) && sample.Release == look.Release && sample.Baseline == look.Baseline && sample.At >= question.DueAt && sample.At <= cluster.Now;

    private MetricAnswer Answer(string query)
    {
        Asked.Add((cluster.Now, query));
        if (Everything is { } everything) return everything;
        var name = query[..query.IndexOf('{', StringComparison.Ordinal)];
        var service = Cluster.ServiceIn().Match(query).Groups[1].Value;
        var image = cluster.ImageOf(service);
        var weight = cluster.WeightOf(service);
        if (name == "requests")
            return _script.TryGetValue((name, image), out var scripted) ? scripted() : MetricAnswer.Of(Traffic * 60 * weight / 100);
        var carries = weight > 0 || cluster.Route?.Backends.Exists(b => b.Service.StartsWith(service[..(service.LastIndexOf('-') + 1)], StringComparison.Ordinal)) != true;
        if (SilentWithoutTraffic && !carries) return new MetricAnswer(AnswerKind.NoData, Message: "the query answered nothing");
        return _script.TryGetValue((name, image), out var answer) ? answer() : MetricAnswer.Of(name == "errors" ? 0.003 : 0.2);
    }
}
