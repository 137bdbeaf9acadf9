using System.Diagnostics.Metrics;

namespace RagOperator.Kubernetes;

/// <summary>
/// The instruments of meter <c>RagOperator.Kubernetes</c>. Labels are verbs, kinds, codes, reasons and results: none grows with the number of
/// objects.
/// </summary>
public sealed class KubernetesMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "RagOperator.Kubernetes";

    private readonly Meter _meter;
    private readonly List<(KeyValuePair<string, object?> Tag, Func<int> Depth, Func<TimeSpan> OldestAge)> _queues = [];

    /// <summary>Makes the instruments.</summary>
    /// <param name="factory">Owns the meter; null for one of its own.</param>
    public KubernetesMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        Requests = _meter.CreateCounter<long>("kubernetes.client.requests", "{request}", "Requests to the API server by verb, resource and code; code 0 means no answer.");
        RequestDuration = _meter.CreateHistogram<double>("kubernetes.client.request.duration", "s", "Time of one request, retries apart.");
        WatchRestarts = _meter.CreateCounter<long>("kubernetes.cache.watch.restarts", "{restart}", "Watches that ended, by kind and reason.");
        Relists = _meter.CreateCounter<long>("kubernetes.cache.relists", "{list}", "Complete lists, the first included, by kind.");
        Undecodable = _meter.CreateCounter<long>("kubernetes.cache.undecodable", "{object}", "Objects that could not be read, by kind.");
        Reconciles = _meter.CreateCounter<long>("kubernetes.controller.reconciles", "{reconcile}", "Reconciles by controller and result.");
        ReconcileDuration = _meter.CreateHistogram<double>("kubernetes.controller.reconcile.duration", "s", "Time of one reconcile.");
        ReconcileErrors = _meter.CreateCounter<long>("kubernetes.controller.errors", "{error}", "Reconciles that failed; conflicts are none.");
        _meter.CreateObservableGauge(
            "kubernetes.queue.depth", () => Queues(static q => new Measurement<int>(q.Depth(), q.Tag)), "{key}", "Keys that wait for a worker.");
        _meter.CreateObservableGauge(
            "kubernetes.queue.oldest.age",
            () => Queues(static q => new Measurement<double>(q.OldestAge().TotalSeconds, q.Tag)),
            "s",
            "How long the oldest key has waited.");
        Events = _meter.CreateCounter<long>("kubernetes.events", "{event}", "Events by outcome: written, dropped, failed.");
    }

    internal Counter<long> Requests { get; }

    internal Histogram<double> RequestDuration { get; }

    internal Counter<long> WatchRestarts { get; }

    internal Counter<long> Relists { get; }

    internal Counter<long> Undecodable { get; }

    internal Counter<long> Reconciles { get; }

    internal Histogram<double> ReconcileDuration { get; }

    internal Counter<long> ReconcileErrors { get; }

    internal Counter<long> Events { get; }

    /// <summary>Shows a queue in the two gauges of queues.</summary>
    /// <param name="controller">The controller's name.</param>
    /// <param name="depth">Keys that wait.</param>
    /// <param name="oldestAge">How long the oldest of them has waited.</param>
    internal void ObserveQueue(string controller, Func<int> depth, Func<TimeSpan> oldestAge)
    {
        lock (_queues) _queues.Add((new("controller", controller), depth, oldestAge));
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private T[] Queues<T>(Func<(KeyValuePair<string, object?> Tag, Func<int> Depth, Func<TimeSpan> OldestAge), T> measure)
    {
        lock (_queues) return [.. _queues.Select(measure)];
    }
}

/// <summary>Counts requests, if anybody counts.</summary>
internal sealed class ClientMetrics(KubernetesMetrics? metrics)
{
    public KubernetesMetrics? Instruments => metrics;

    public void Request(ApiCall call, int code, TimeSpan duration)
    {
        if (metrics is null) return;
        var verb = new KeyValuePair<string, object?>("verb", call.Verb);
        var resource = new KeyValuePair<string, object?>("resource", call.Resource);
        metrics.Requests.Add(1, verb, resource, new("code", code));
        metrics.RequestDuration.Record(duration.TotalSeconds, verb, resource);
    }
}
