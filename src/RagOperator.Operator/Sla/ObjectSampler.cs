using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <summary>Asks the questions about one object. One timer, armed for the metric that is due first; a metric that is being asked waits for
/// its answer, the others go on without it.</summary>
internal sealed partial class ObjectSampler : IDisposable
{
    // However often something is said to be due: a second question within this time would be a hot loop.
    private static readonly TimeSpan LeastDistance = TimeSpan.FromSeconds(1);

    // Longer waits are taken in parts, since timers have an upper limit.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    // Share of the interval within which failures are retried; the rest is for the outcome to arrive in.
    private const double RetryShare = 0.8;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Asked> _asked = new(StringComparer.Ordinal);
    private readonly NamespacedName _key;
    private readonly SamplerContext _context;
    private readonly ITimer _timer;
    private SlaLook? _look;
    private SourceGate? _gate;
    private bool _disposed;

    public ObjectSampler(NamespacedName key, SamplerContext context)
    {
        _key = key;
        _context = context;
        _timer = context.Time.CreateTimer(static s => ((ObjectSampler)s!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The newest sample of each metric.</summary>
    public IReadOnlyDictionary<string, MetricSample> Latest()
    {
        lock (_lock)
        {
            var latest = new Dictionary<string, MetricSample>(StringComparer.Ordinal);
            foreach (var (name, asked) in _asked)
            {
                if (asked.Sample is { } sample) latest[name] = sample;
            }

            return latest;
        }
    }

    /// <summary>Takes new questions; those that are the same as before keep their answers and what is under way for them.</summary>
    public void Want(SlaLook look, SourceGate? gate)
    {
        lock (_lock)
        {
            if (_disposed) return;
            var wanted = look.Metrics.ToDictionary(m => m.Metric, StringComparer.Ordinal);
            foreach (var (name, asked) in _asked.ToList())
            {
                if (wanted.TryGetValue(name, out var question) && IsSame(asked.Question, question, look)) continue;
                asked.Dispose();
                _asked.Remove(name);
            }

            _look = look;
            _gate = gate;
            foreach (var question in look.Metrics)
            {
                if (_asked.TryGetValue(question.Metric, out var asked)) asked.Question = question;
                else _asked[question.Metric] = new Asked(question);
            }

            Arm();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            _timer.Dispose();
            foreach (var asked in _asked.Values) asked.Dispose();
            _asked.Clear();
        }
    }

    private bool IsSame(MetricQuestion before, MetricQuestion now, SlaLook look) =>
        _look is { } old
        && old.Release == look.Release && old.Baseline == look.Baseline && old.Source == look.Source
        && before.Query == now.Query && before.StableQuery == now.StableQuery && before.NeedsVolume == now.NeedsVolume
        && (!now.NeedsVolume || (old.VolumeQuery == look.VolumeQuery && old.StableVolumeQuery == look.StableVolumeQuery));

    /// <summary>Sets the timer for the metric that is due first. Called under the lock.</summary>
    private void Arm()
    {
        DateTimeOffset? first = null;
        foreach (var asked in _asked.Values)
        {
            if (asked.UnderWay) continue;
            var next = asked.DueAt(_look!.Interval, _context.Time.GetUtcNow());
            if (first is null || next < first) first = next;
        }

        if (first is not { } due)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var wait = due - _context.Time.GetUtcNow();
        // Timers count whole milliseconds and may fire up to one early.
        wait = wait <= TimeSpan.Zero ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        _timer.Change(wait > LongestWait ? LongestWait : wait, Timeout.InfiniteTimeSpan);
    }

    private void Fire()
    {
        lock (_lock)
        {
            if (_disposed || _look is not { } look) return;
            var now = _context.Time.GetUtcNow();
            var due = _asked.Values.Where(a => !a.UnderWay && a.DueAt(look.Interval, now) <= now).ToList();
            if (due.Count > 0)
            {
                foreach (var asked in due) asked.Begin(now);
                _ = RunAsync(look, _gate, due, now);
            }

            Arm();
        }
    }

    /// <summary>One metric: its question, and how far the asking is.</summary>
    private sealed class Asked(MetricQuestion question) : IDisposable
    {
        private static readonly MetricAnswer s_again = new(AnswerKind.NoData, Message: "the source answered for the same time as before: a cache lies between");

        private CancellationTokenSource? _underWay;
        private DateTimeOffset? _pointAt;

        /// <summary>The question, as last wanted.</summary>
        public MetricQuestion Question { get; set; } = question;

        /// <summary>The newest sample.</summary>
        public MetricSample? Sample { get; set; }

        /// <summary>When it was last asked.</summary>
        public DateTimeOffset? AskedAt { get; private set; }

        /// <summary>Whether an answer is waited for.</summary>
        public bool UnderWay => _underWay is not null;

        /// <summary>Cancelled when the question is no longer wanted.</summary>
        public CancellationToken Dropped { get; private set; }

        /// <summary>When it is to be asked next: when the engine says, but for one due time only once within an interval. That counts from the time the
        /// last answer is for, not from when asking began: were they nearer by a moment, a streak could last less than its window by that moment, and
        /// a rollback would wait for one more breach.</summary>
        public DateTimeOffset DueAt(TimeSpan interval, DateTimeOffset now)
        {
            // A clock that was set back would else keep anybody from asking until that time comes again.
            var ahead = now + interval;
            var due = Question.DueAt;
            if (Sample is { } sample && sample.At >= due && sample.At <= ahead) due = sample.At + interval;
            return AskedAt is { } asked && asked <= ahead && asked + LeastDistance > due ? asked + LeastDistance : due;
        }

        /// <summary>The sample, but for numbers that the source says are of a time that it gave numbers of before: a cache between tells one thing twice, and
        /// that is no second proof of it.</summary>
        public MetricSample IfNew(MetricSample sample)
        {
            var known = _pointAt;
            if (sample.Value.PointAt is { } at && !(at <= known)) _pointAt = at;
            // A clock that was set back asks for earlier times than before.
            return known > sample.At || !IsOld(sample.Value) ? sample : sample with { Value = s_again, Stable = IsOld(sample.Stable) ? s_again : sample.Stable };

            bool IsOld(MetricAnswer? answer) => answer?.PointAt <= known;
        }

        public void Begin(DateTimeOffset now)
        {
            AskedAt = now;
            _underWay = new CancellationTokenSource();
            Dropped = _underWay.Token;
        }

        public void End()
        {
            _underWay?.Dispose();
            _underWay = null;
        }

        /// <summary>Drops the question. Called under the sampler's lock; what waits on the token runs elsewhere.</summary>
        public void Dispose()
        {
            _ = _underWay?.CancelAsync();
            _underWay = null;
        }
    }
}
