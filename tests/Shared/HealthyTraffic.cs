using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Sla;

namespace RagOperator.Tests.Shared;

/// <summary>A service that is well, seen through an error-rate query: requests come at random, and of each a few in a thousand fails by chance.
/// Whatever rolls it back is a wrong rollback.</summary>
public sealed class HealthyTraffic(int seed, double requestsPerSecond, double errorRate)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(30);

    private readonly Random _random = new(seed);

    /// <summary>How many samples in the run were breaches.</summary>
    public long Breaches { get; private set; }

    /// <summary>How many samples were too few requests to judge by.</summary>
    public long TooFew { get; private set; }

    /// <summary>Counts the wrong rollbacks within some days, limit 1%, window 1m, looked at each 30 s.</summary>
    public int WrongRollbacks(int days, int failAfter, long volumeMin)
    {
        var metric = new ResolvedMetric
        {
            Name = "error-rate",
            Component = "api",
            Query = "errors",
            Window = TimeSpan.FromMinutes(1),
            FailAfter = failAfter,
            Limit = new ResolvedLimit { Max = 0.01, Text = "max 1%" },
            OnBreach = BreachAction.Rollback,
        };
        var status = new MetricStatus { Name = metric.Name };
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var rollbacks = 0;
        var before = Slot();
        for (var n = 0; n < days * 2880; n++)
        {
            var slot = Slot();
            var requests = before.Requests + slot.Requests;
            var sample = new MetricSample
            {
                Metric = metric.Name,
                Release = "r",
                At = start + (n * s_interval),
                Value = MetricAnswer.Of((before.Errors + slot.Errors) / (double)requests),
                Volume = volumeMin > 0 ? MetricAnswer.Of(requests) : null,
            };
            before = slot;
            status = SlaBook.Fold(status, metric, volumeMin, sample, judged: true, atFullWeight: false);
            Breaches += status.Verdict == nameof(Verdict.Breach) ? 1 : 0;
            TooFew += status.Verdict == nameof(Verdict.TooFew) ? 1 : 0;
            if (!SlaBook.Failed(status, metric)) continue;
            rollbacks++;
            status = new MetricStatus { Name = metric.Name };
        }

        return rollbacks;
    }

    private (long Requests, long Errors) Slot()
    {
        var mean = requestsPerSecond * s_interval.TotalSeconds;
        var errors = Poisson(mean * errorRate);
        return (errors + Poisson(mean * (1 - errorRate)), errors);
    }

    // Knuth's way where the mean is small; a normal one, rounded, where it is large enough for that.
    private long Poisson(double mean)
    {
        if (mean > 30)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
            return Math.Max(0, (long)Math.Round(mean + (Math.Sqrt(mean) * normal)));
        }

        var limit = Math.Exp(-mean);
        var count = 0L;
        for (var product = _random.NextDouble(); product > limit; product *= _random.NextDouble()) count++;
        return count;
    }
}
