using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <content>Asking: rounds, retries and posting.</content>
internal sealed partial class ObjectSampler
{
    private static readonly MetricAnswer s_late = new(AnswerKind.Error, Message: "no answer within the interval");

    /// <summary>Asks some metrics, again and again those whose source failed, until each is posted or dropped.</summary>
    private async Task RunAsync(SlaLook look, SourceGate? gate, List<Asked> metrics, DateTimeOffset startedAt)
    {
        // Leave the timer's callback and the lock that it holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await AskAllAsync(look, gate, metrics, startedAt);
        }
        catch (Exception e)
        {
            // A defect of ours must not leave a metric waiting for ever.
            LogFailed(_context.Logger, e, _key.Namespace, _key.Name);
            lock (_lock)
            {
                foreach (var asked in metrics) asked.End();
                if (!_disposed) Arm();
            }
        }
    }

    private async Task AskAllAsync(SlaLook look, SourceGate? gate, List<Asked> metrics, DateTimeOffset startedAt)
    {
        var questions = metrics.ConvertAll(m => (Asked: m, m.Question, m.Dropped));
        if (Unusable(look, gate) is { } reason)
        {
            foreach (var (asked, question, _) in questions)
                Post(asked, new() { Metric = question.Metric, Release = look.Release, Baseline = look.Baseline, At = startedAt, Value = reason });
            return;
        }

        var giveUpAt = startedAt + look.Interval * RetryShare;
        var before = new Dictionary<string, MetricSample>(StringComparer.Ordinal);
        for (var retry = 0; questions.Count > 0; retry++)
        {
            var round = new Round(_key.Namespace, look, gate!, _context.Time, giveUpAt);
            var mayRetry = _context.Backoff.Delay(retry) is var delay && round.At + delay < giveUpAt;
            var failed = await Task.WhenAll(questions.ConvertAll(async q =>
            {
                var sample = await round.AskAsync(q.Question, q.Dropped);
                // Only a failure of the source is worth another try: a wrong question stays wrong, and no data is an answer.
                if (sample is not null && mayRetry && _context.Time.GetUtcNow() + delay < giveUpAt && HasError(sample)) return sample;
                if (sample is not null) Post(q.Asked, Told(sample, before.GetValueOrDefault(sample.Metric)));
                return null;
            }));
            foreach (var sample in failed.OfType<MetricSample>()) before[sample.Metric] = sample;
            questions = questions.Where((q, i) => failed[i] is not null && !q.Dropped.IsCancellationRequested).ToList();
            if (questions.Count > 0) await Task.Delay(delay, _context.Time);
        }
    }

    /// <summary>A sample whose last try was cut off by our own time limit keeps what the source was found to lack in the try before: that is what
    /// people can do something about.</summary>
    private static MetricSample Told(MetricSample sample, MetricSample? before)
    {
        if (before is null) return sample;
        return sample with
        {
            Value = Of(sample.Value, before.Value)!,
            Stable = Of(sample.Stable, before.Stable),
            Volume = Of(sample.Volume, before.Volume),
            StableVolume = Of(sample.StableVolume, before.StableVolume),
        };

        static MetricAnswer? Of(MetricAnswer? last, MetricAnswer? first) => ReferenceEquals(last, s_late) && first is { Kind: AnswerKind.Error } ? first : last;
    }

    private MetricAnswer? Unusable(SlaLook look, SourceGate? gate)
    {
        if (gate is null) return new(AnswerKind.Invalid, Message: $"the operator has no metric source \"{look.Source}\"");
        return gate.Options.Allows(_key.Namespace)
            ? null
            : new(AnswerKind.Invalid, Message: $"the metric source \"{look.Source}\" is not for namespace \"{_key.Namespace}\"");
    }

    private void Post(Asked asked, MetricSample sample)
    {
        lock (_lock)
        {
            // Dropped meanwhile: these are answers to yesterday's questions.
            if (!asked.UnderWay) return;
            asked.End();
            asked.Sample = sample = asked.IfNew(sample);
            if (!_disposed) Arm();
        }

        if (sample.Value.Kind is AnswerKind.Error or AnswerKind.Invalid)
            LogNoAnswer(_context.Logger, _key.Namespace, _key.Name, sample.Metric, sample.Value.Kind, sample.Value.Message);
        _context.Arrived(_key);
    }

    private static bool HasError(MetricSample sample) =>
        sample.Value.Kind == AnswerKind.Error || sample.Stable?.Kind == AnswerKind.Error
        || sample.Volume?.Kind == AnswerKind.Error || sample.StableVolume?.Kind == AnswerKind.Error;

    [LoggerMessage(1, LogLevel.Debug, "Metric {Metric} of {Namespace}/{Name} has no usable answer ({Kind}): {Reason}")]
    private static partial void LogNoAnswer(ILogger logger, string @namespace, string name, string metric, AnswerKind kind, string? reason);

    [LoggerMessage(2, LogLevel.Error, "Asking the metrics of {Namespace}/{Name} failed")]
    private static partial void LogFailed(ILogger logger, Exception e, string @namespace, string name);

    /// <summary>One time at which several metrics are asked for, and the numbers of requests that they share.</summary>
    private sealed class Round(string namespaceName, SlaLook look, SourceGate gate, TimeProvider time, DateTimeOffset giveUpAt)
    {
        private readonly Lock _lock = new();
        private Task<(MetricAnswer? Volume, MetricAnswer? StableVolume)>? _volumes;

        /// <summary>The time that all queries of the round are evaluated at.</summary>
        public DateTimeOffset At { get; } = Milliseconds(time.GetUtcNow());

        // Status keeps three digits: a sample that is seen again must be known by its time.
        private static DateTimeOffset Milliseconds(DateTimeOffset now) => new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);

        /// <summary>All answers about one metric; null where it was dropped meanwhile.</summary>
        public async Task<MetricSample?> AskAsync(MetricQuestion question, CancellationToken dropped)
        {
            try
            {
                var (volume, stableVolume) = question.NeedsVolume ? await VolumesAsync().WaitAsync(dropped) : default;
                var value = QueryAsync(question.Query, dropped);
                var stable = question.StableQuery is { } query ? QueryAsync(query, dropped) : null;
                // Asked for stable only, once before a rollout: what is learned is about the limit, not about a release.
                var bound = look.Baseline && HistogramBuckets.BoundQuery(question.Query) is { } boundQuery ? QueryAsync(boundQuery, dropped) : null;
                var answer = await value;
                return new()
                {
                    Metric = question.Metric,
                    Release = look.Release,
                    Baseline = look.Baseline,
                    At = At,
                    Value = answer,
                    Stable = stable is null ? null : await stable,
                    Volume = volume,
                    StableVolume = stableVolume,
                    LastBucket = bound is null ? null : (await bound).Number,
                    Probe = look.Baseline && question.Probe is { } probe && answer is { Kind: AnswerKind.NoData, IsNaN: false } ? await FindOutAsync(probe, dropped) : null,
                };
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }

        /// <summary>Why there is no data. One question after another: the next is asked only where the answer before leaves it open.</summary>
        private async Task<ProbeFindings> FindOutAsync(SeriesProbe probe, CancellationToken dropped)
        {
            var found = new ProbeFindings { Probe = probe, HasSeries = AtLeast(1, await QueryAsync(probe.SeriesQuery, dropped)) };
            if (found.HasSeries != true)
                return found with { HasName = found.HasSeries == false ? AtLeast(1, await QueryAsync(probe.NameQuery, dropped)) : null };
            found = found with { HasName = true, HasTwoSamples = probe.SamplesQuery is { } samples ? AtLeast(2, await QueryAsync(samples, dropped)) : null };
            var missing = new List<string>();
            foreach (var (label, query) in probe.LabelQueries)
            {
                if (AtLeast(1, await QueryAsync(query, dropped)) == false) missing.Add(label);
            }

            return found with { MissingLabels = missing };
        }

        private static bool? AtLeast(double least, MetricAnswer answer) => answer.Kind switch
        {
            AnswerKind.Number => answer.Value >= least,
            AnswerKind.NoData => false,
            _ => null,
        };

        private Task<(MetricAnswer? Volume, MetricAnswer? StableVolume)> VolumesAsync()
        {
            lock (_lock) return _volumes ??= AskVolumesAsync();
        }

        private async Task<(MetricAnswer? Volume, MetricAnswer? StableVolume)> AskVolumesAsync()
        {
            // Shared by all metrics of the round, so no single one's being dropped may end it; the time limit does.
            var volume = look.VolumeQuery is { } query ? QueryAsync(query, CancellationToken.None) : null;
            var stable = look.StableVolumeQuery is { } stableQuery ? QueryAsync(stableQuery, CancellationToken.None) : null;
            return (volume is null ? null : await volume, stable is null ? null : await stable);
        }

        private async Task<MetricAnswer> QueryAsync(string query, CancellationToken dropped)
        {
            var left = giveUpAt - time.GetUtcNow();
            if (left <= TimeSpan.Zero) return s_late;
            using var limit = new CancellationTokenSource(left, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, dropped);
            try
            {
                return await gate.AskAsync(namespaceName, query, At, both.Token);
            }
            catch (OperationCanceledException) when (!dropped.IsCancellationRequested)
            {
                return s_late;
            }
        }
    }
}
