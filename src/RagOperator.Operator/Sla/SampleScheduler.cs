using System.Collections.Concurrent;
using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Controller;

namespace RagOperator.Operator.Sla;

/// <summary>Asks the metric sources what the engine wants to know, when it wants to know it.</summary>
/// <remarks>
/// Expected flow: each decision of the engine ends in <see cref="Want"/>; a timer fires when the first metric is due; its answers become a
/// sample, and the object is woken to be looked at again.
/// Guarantees: nothing is asked before it is due, nor more than once for one due time within an interval; volume comes first, once for all
/// metrics of a round; a metric and its stable counterpart are asked for the same moment; failures of the source are retried with growing delay and
/// only the last outcome is posted, within the interval; answers to other questions than those wanted now are dropped.
/// </remarks>
public sealed class SampleScheduler : ISampleStore, IDisposable
{
    private readonly ConcurrentDictionary<string, ObjectSampler> _objects = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, SourceGate> _sources;
    private readonly SamplerContext _context;

    /// <summary>Makes a scheduler; nothing is asked until something is wanted.</summary>
    /// <param name="sources">The sources by name.</param>
    /// <param name="arrived">Wakes an object when a new sample of it is in; called from any thread.</param>
    /// <param name="time">The clock.</param>
    /// <param name="seed">For the jitter of retries.</param>
    /// <param name="logger">For outages.</param>
    public SampleScheduler(
        IReadOnlyDictionary<string, SourceGate> sources, Action<NamespacedName> arrived, TimeProvider time, int seed, ILogger<SampleScheduler> logger)
    {
        _sources = sources;
        _context = new SamplerContext(time, new Backoff(seed), logger, arrived);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, MetricSample> Latest(string uid) =>
        _objects.TryGetValue(uid, out var sampler) ? sampler.Latest() : new Dictionary<string, MetricSample>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Want(string uid, NamespacedName key, SlaLook? look)
    {
        if (look is null)
        {
            if (_objects.TryRemove(uid, out var gone)) gone.Dispose();
            return;
        }

        // Timers and rounds outlive the reconcile that asked for them: its trace id must not stick to them.
        using var _ = ExecutionContext.SuppressFlow();
        _objects.GetOrAdd(uid, static (_, made) => new ObjectSampler(made.key, made.context), (key, context: _context))
            .Want(look, _sources.GetValueOrDefault(look.Source));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (uid, sampler) in _objects)
        {
            if (_objects.TryRemove(uid, out _)) sampler.Dispose();
        }
    }
}

/// <summary>What every <see cref="ObjectSampler"/> needs.</summary>
internal sealed record SamplerContext(TimeProvider Time, Backoff Backoff, ILogger Logger, Action<NamespacedName> Arrived);

/// <summary>Growing delays with jitter, from a seed.</summary>
internal sealed class Backoff(int seed)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);

    /// <summary>The delay before the retry of this number, from 0: half to all of 0.5 s, 1 s, 2 s ... at most 15 s.</summary>
    public TimeSpan Delay(int retry)
    {
        var full = TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(retry, 20)));
        lock (_lock) return full * (0.5 + _random.NextDouble() / 2);
    }
}
