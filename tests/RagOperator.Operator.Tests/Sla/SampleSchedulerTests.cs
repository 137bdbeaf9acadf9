using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Sla;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Sla;

public sealed class SampleSchedulerTests : IDisposable
{
    private static readonly NamespacedName Key = new("rag", "assistant");
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly DateTimeOffset _start;
    private readonly FakeSource _source = new();
    private readonly FakeSource _other = new();
    private readonly ConcurrentQueue<NamespacedName> _arrived = new();
    private readonly SampleScheduler _scheduler;
    private readonly Dictionary<string, SourceGate> _gates;

    public SampleSchedulerTests()
    {
        _start = _time.GetUtcNow();
        _gates = new()
        {
            ["default"] = Gate("default", _source),
            ["other"] = Gate("other", _other),
            ["private"] = new("private", new() { Url = new("http://localhost"), Namespaces = ["secret"] }, _source, _time),
        };
        _scheduler = new(_gates, _arrived.Enqueue, _time, seed: 1, NullLogger<SampleScheduler>.Instance);
    }

    public void Dispose()
    {
        _scheduler.Dispose();
        foreach (var gate in _gates.Values) gate.Dispose();
    }

    [Fact]
    public async Task Want_asks_when_due_and_not_before()
    {
        Want(Look(Question("a", 20)));

        _time.Advance(Seconds(19.999));
        Assert.Empty(_source.Asked);
        _time.Advance(Seconds(0.001));
        await AnswerAsync(_source, "a", 0.5);

        var sample = Assert.Single(_scheduler.Latest("uid")).Value;
        Assert.Equal(
            new MetricSample { Metric = "a", Release = "r1", At = _start + Seconds(20), Value = MetricAnswer.Of(0.5) }, sample);
        Assert.Equal([Key], _arrived);
    }

    [Fact]
    public async Task Want_same_question_again_is_asked_once_for_one_due_time()
    {
        var look = Look(Question("a", 0));
        Want(look);
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", 0.5);

        Want(look);
        Want(look);
        _time.Advance(Seconds(29.9));
        Assert.Single(_source.Asked);

        // An engine that found the answer unfit is not left waiting for ever.
        _time.Advance(Seconds(0.1));
        await AnswerAsync(_source, "a", 0.6);
        Assert.Equal(2, _source.Asked.Count);
    }

    [Fact]
    public async Task Clock_that_is_set_back_keeps_nobody_from_asking()
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", 0.5);

        _time.Advance(TimeSpan.FromHours(-1));
        Want(Look(Question("a", -3600)));
        _time.Advance(Seconds(1));
        await AnswerAsync(_source, "a", 0.6);

        Assert.Equal(0.6, Assert.Single(_scheduler.Latest("uid")).Value.Value.Number);
    }

    [Fact]
    public async Task Want_due_times_that_never_lie_ahead_are_no_hot_loop()
    {
        _source.Reply = _ => MetricAnswer.Of(1);
        for (var passed = 0.0; passed < 10; passed += 0.01)
        {
            // Always just after the newest answer: a mistake in the engine would look like this.
            Want(Look(Question("a", passed)));
            _time.Advance(Seconds(0.01));
        }

        await Eventually.HoldsAsync(() => _source.Asked.Count == _arrived.Count && !_arrived.IsEmpty);
        Assert.InRange(_source.Asked.Count, 1, 11);
    }

    [Fact]
    public async Task Round_volume_comes_first_and_once_for_all_that_are_due()
    {
        Want(Look(Question("a", 0, stable: true, volume: true), Question("b", 0, volume: true), Question("c", 0)) with
        {
            VolumeQuery = "volume",
            StableVolumeQuery = "stable-volume",
        });
        _time.Advance(TimeSpan.Zero);
        await Eventually.HoldsAsync(() => _source.Pending == 3);
        Assert.Equal(["c", "stable-volume", "volume"], _source.Asked.Select(q => q.Query).Order());

        _source.Answer("volume", MetricAnswer.Of(200));
        _source.Answer("stable-volume", MetricAnswer.Of(900));
        await Eventually.HoldsAsync(() => _source.Asked.Count == 6);
        _source.Answer("a", MetricAnswer.Of(1));
        _source.Answer("stable-a", MetricAnswer.Of(2));
        _source.Answer("b", MetricAnswer.Of(3));
        _source.Answer("c", MetricAnswer.Of(4));
        await Eventually.HoldsAsync(() => _arrived.Count == 3);

        var latest = _scheduler.Latest("uid");
        Assert.Equal((1, 2, 200, 900), (latest["a"].Value.Value, latest["a"].Stable!.Value, latest["a"].Volume!.Value, latest["a"].StableVolume!.Value));
        Assert.Equal((3, 200), (latest["b"].Value.Value, latest["b"].Volume!.Value));
        Assert.Null(latest["c"].Volume);
        Assert.Equal(6, _source.Asked.Count);
        Assert.Single(_source.Asked.Select(q => q.At).Distinct());
    }

    [Fact]
    public async Task Round_baseline_of_a_quantile_brings_the_last_bucket()
    {
        _source.Reply = query => MetricAnswer.Of(query.StartsWith("histogram_quantile(1,", StringComparison.Ordinal) ? 2.5 : 0.3);
        var quantile = Question("a", 0) with { Query = "histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))" };

        Want(Look(quantile, Question("b", 0)) with { Baseline = true });
        _time.Advance(TimeSpan.Zero);
        await Eventually.HoldsAsync(() => _arrived.Count == 2);
        Assert.Equal((0.3, 2.5), (_scheduler.Latest("uid")["a"].Value.Value, _scheduler.Latest("uid")["a"].LastBucket));
        Assert.Null(_scheduler.Latest("uid")["b"].LastBucket);

        Want(Look(quantile with { DueAt = _start + Seconds(5) }));
        _time.Advance(Seconds(5));
        await Eventually.HoldsAsync(() => _arrived.Count == 3);
        Assert.Null(_scheduler.Latest("uid")["a"].LastBucket);
    }

    [Theory]
    [InlineData("", "", null, null, null, "")]
    [InlineData("series=0 name=0", "series name", false, false, null, "")]
    [InlineData("series=0 name=9", "series name", true, false, null, "")]
    [InlineData("series=2 samples=1 code=0 path=2", "series samples code path", true, true, false, "code")]
    [InlineData("series=2 samples=2 code=2", "series samples code path", true, true, true, "")]
    public async Task Round_baseline_without_data_finds_out_why(string answers, string asked, bool? name, bool? series, bool? samples, string missing)
    {
        var by = answers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static a => a.Split('=')).ToDictionary(static a => a[0], static a => double.Parse(a[1]));
        _source.Reply = query => query == "a" ? new(AnswerKind.NoData)
            : !by.TryGetValue(query, out var number) ? new(AnswerKind.Invalid, Message: "too many series")
            : number == 0 ? new(AnswerKind.NoData) : MetricAnswer.Of(number);
        var silent = Question("a", 0) with { Probe = new("x", "service=\"s\"", "name", "series", "samples", [("code", "code"), ("path", "path")]) };

        Want(Look(silent) with { Baseline = true });
        _time.Advance(TimeSpan.Zero);
        await Eventually.HoldsAsync(() => _arrived.Count == 1);
        var found = _scheduler.Latest("uid")["a"].Probe!;
        Assert.Equal((name, series, samples, missing), (found.HasName, found.HasSeries, found.HasTwoSamples, string.Join(' ', found.MissingLabels)));
        Assert.Equal($"a {(asked.Length > 0 ? asked : "series")}", string.Join(' ', _source.Asked.Select(static q => q.Query)));
    }

    [Fact]
    public async Task Round_finds_nothing_out_for_numbers_nor_for_a_canary()
    {
        var probed = Question("a", 0) with { Probe = new("x", "", "name", "series", null, []) };
        _source.Reply = static _ => MetricAnswer.Of(double.NaN);
        Want(Look(probed) with { Baseline = true });
        _time.Advance(TimeSpan.Zero);
        await Eventually.HoldsAsync(() => _arrived.Count == 1);
        _source.Reply = static _ => new(AnswerKind.NoData);
        Want(Look(probed with { DueAt = _start + Seconds(5) }));
        _time.Advance(Seconds(5));
        await Eventually.HoldsAsync(() => _arrived.Count == 2);

        Assert.Equal(["a", "a"], _source.Asked.Select(static q => q.Query));
        Assert.Null(_scheduler.Latest("uid")["a"].Probe);
    }

    [Fact]
    public async Task Round_slow_metric_does_not_delay_another()
    {
        Want(Look(Question("slow", 0), Question("quick", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "quick", 1);
        await Eventually.HoldsAsync(() => _scheduler.Latest("uid").ContainsKey("quick"));

        Want(Look(Question("slow", 0), Question("quick", 10)));
        _time.Advance(Seconds(10));
        await AnswerAsync(_source, "quick", 2);

        await Eventually.HoldsAsync(() => _scheduler.Latest("uid")["quick"].Value.Number == 2);
        Assert.False(_scheduler.Latest("uid").ContainsKey("slow"));
    }

    [Fact]
    public async Task Error_is_retried_within_the_interval_and_only_the_last_outcome_posted()
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", new MetricAnswer(AnswerKind.Error, Message: "connection refused"), arrives: false);
        await Eventually.HoldsAsync(() => _time.NextTimer is { } t && t < _start + Seconds(1));
        Assert.Empty(_arrived);

        // Exactly then: with the clock ahead, the question would be asked at whatever time the clock has got to.
        _time.Advance(_time.NextTimer!.Value - _time.GetUtcNow());
        await AnswerAsync(_source, "a", 0.5);

        var sample = _scheduler.Latest("uid")["a"];
        Assert.Equal(0.5, sample.Value.Number);
        // The retry asks for its own time: an answer must not be older than it looks.
        Assert.Equal(_source.Asked[1].At, sample.At);
        Assert.InRange(sample.At - _start, Seconds(0.25), Seconds(0.5));
    }

    [Fact]
    public async Task Answers_are_an_interval_apart_however_late_the_first_one_was_asked_for()
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", new MetricAnswer(AnswerKind.Error, Message: "connection refused"), arrives: false);
        await Eventually.HoldsAsync(() => _time.NextTimer is { } t && t < _start + Seconds(1));
        _time.Advance(_time.NextTimer!.Value - _time.GetUtcNow());
        await AnswerAsync(_source, "a", 0.5);
        var first = _scheduler.Latest("uid")["a"].At;
        Assert.True(first > _start, "the retry asks for its own time");

        // Nobody says what to ask next: an API server that is away, for instance.
        _time.Advance(first + Interval - _time.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, _source.Asked.Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await AnswerAsync(_source, "a", 0.5);
        Assert.Equal(first + Interval, _scheduler.Latest("uid")["a"].At);
    }

    [Fact]
    public async Task Error_that_stays_is_posted_once_before_the_interval_ends()
    {
        _source.Reply = _ => new MetricAnswer(AnswerKind.Error, Message: "connection refused");
        Want(Look(Question("a", 0)));

        // The time limit of a question ends at 24 s; the retries' timers come before.
        await AdvanceUntilArrivalAsync(_start + Seconds(24));

        Assert.Single(_arrived);
        Assert.Equal(AnswerKind.Error, _scheduler.Latest("uid")["a"].Value.Kind);
        // 0.5 s, 1 s, 2 s, 4 s, 8 s at most: five or six questions, not hundreds.
        Assert.InRange(_source.Asked.Count, 4, 7);
        var gaps = _source.Asked.Zip(_source.Asked.Skip(1), (x, y) => y.At - x.At).ToList();
        Assert.True(gaps[^1] > gaps[0] * 2, "delays grow");
    }

    [Theory]
    [InlineData(AnswerKind.Invalid)]
    [InlineData(AnswerKind.NoData)]
    public async Task Answers_that_are_no_failure_are_not_retried(AnswerKind kind)
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", new MetricAnswer(kind, Message: "x"));

        _time.Advance(Seconds(29));
        Assert.Single(_source.Asked);
    }

    [Fact]
    public async Task Silent_source_is_an_error_before_the_interval_ends()
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await Eventually.HoldsAsync(() => _source.Pending == 1);

        await AdvanceUntilArrivalAsync(_start + Interval);

        Assert.Equal(AnswerKind.Error, _scheduler.Latest("uid")["a"].Value.Kind);
        Assert.Equal("no answer within the interval", _scheduler.Latest("uid")["a"].Value.Message);
    }

    [Fact]
    public async Task Retry_that_is_cut_off_by_the_interval_keeps_what_the_source_said_before()
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", new MetricAnswer(AnswerKind.Error, Message: "the answer has more than 1048576 bytes"), arrives: false);
        await Eventually.HoldsAsync(() => _time.NextTimer is { } t && t < _start + Seconds(1));

        // To the retry, which nobody answers.
        await AdvanceUntilArrivalAsync(_start + Interval);

        Assert.Equal(2, _source.Asked.Count);
        var sample = _scheduler.Latest("uid")["a"];
        Assert.Equal((AnswerKind.Error, "the answer has more than 1048576 bytes"), (sample.Value.Kind, sample.Value.Message));
        Assert.Equal(_source.Asked[1].At, sample.At);
    }

    [Fact]
    public async Task Silent_source_does_not_delay_another()
    {
        for (var i = 0; i < 40; i++) _scheduler.Want($"slow-{i}", Key with { Name = $"slow-{i}" }, Look(Question("a", 0)));
        _scheduler.Want("uid", Key, Look(Question("a", 0)) with { Source = "other" });
        _time.Advance(TimeSpan.Zero);

        await AnswerAsync(_other, "a", 1);

        Assert.Equal(1, _scheduler.Latest("uid")["a"].Value.Number);
        // The silent one is asked no more than a single namespace may ask at once.
        await Eventually.HoldsAsync(() => _source.Pending == 15);
        Assert.Equal(15, _source.Asked.Count);
    }

    [Fact]
    public async Task Want_other_release_drops_answers_and_what_is_under_way()
    {
        Want(Look(Question("a", 0), Question("b", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", 1);
        await Eventually.HoldsAsync(() => _source.Pending == 1);

        Want(Look(Question("a", 5), Question("b", 5)) with { Release = "r2" });
        Assert.Empty(_scheduler.Latest("uid"));
        _source.Answer("b", MetricAnswer.Of(9));
        _time.Advance(Seconds(5));
        await AnswerAsync(_source, "b", 2);

        await Eventually.HoldsAsync(() => _scheduler.Latest("uid").ContainsKey("b"));
        Assert.Equal((2, "r2"), (_scheduler.Latest("uid")["b"].Value.Value, _scheduler.Latest("uid")["b"].Release));
    }

    [Fact]
    public async Task Want_other_query_drops_that_metrics_answer_only()
    {
        Want(Look(Question("a", 0), Question("b", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", 1);
        await AnswerAsync(_source, "b", 2);

        Want(Look(Question("a", 30), Question("b", 30) with { Query = "new" }));

        Assert.Equal(["a"], _scheduler.Latest("uid").Keys);
    }

    [Fact]
    public async Task Want_null_stops_and_forgets()
    {
        Want(Look(Question("a", 0)));
        _time.Advance(TimeSpan.Zero);
        await AnswerAsync(_source, "a", 1);

        Want(null);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Empty(_scheduler.Latest("uid"));
        Assert.Single(_source.Asked);
        Assert.Null(_time.NextTimer);
    }

    [Theory]
    [InlineData("absent", "the operator has no metric source \"absent\"")]
    [InlineData("private", "the metric source \"private\" is not for namespace \"rag\"")]
    public async Task Want_source_that_may_not_be_asked_is_not(string source, string message)
    {
        Want(Look(Question("a", 0)) with { Source = source });
        _time.Advance(TimeSpan.Zero);

        await Eventually.HoldsAsync(() => !_arrived.IsEmpty);

        Assert.Equal(new MetricAnswer(AnswerKind.Invalid, Message: message), _scheduler.Latest("uid")["a"].Value);
        Assert.Empty(_source.Asked);
    }

    [Fact]
    public async Task Answer_for_the_time_of_the_last_one_is_no_new_sample()
    {
        var pointAt = _start;
        _source.Reply = _ => MetricAnswer.Of(0.5) with { PointAt = pointAt };
        Want(Look(Question("a", 0)));
        await AdvanceUntilArrivalAsync(_start + Interval);
        Assert.Equal(0.5, _scheduler.Latest("uid")["a"].Value.Number);

        await NextAsync();
        Assert.Equal(AnswerKind.NoData, _scheduler.Latest("uid")["a"].Value.Kind);
        Assert.Contains("same time", _scheduler.Latest("uid")["a"].Value.Message, StringComparison.Ordinal);

        pointAt = _time.GetUtcNow() + Seconds(1);
        await NextAsync();
        Assert.Equal(0.5, _scheduler.Latest("uid")["a"].Value.Number);

        async Task NextAsync()
        {
            _arrived.Clear();
            await AdvanceUntilArrivalAsync(_time.GetUtcNow() + (Interval * 2));
        }
    }

    [Fact]
    public async Task Gate_source_that_throws_is_an_error()
    {
        using var gate = new SourceGate("x", new() { Url = new("http://localhost") }, new ThrowingSource(), _time);

        Assert.Equal(new MetricAnswer(AnswerKind.Error, Message: "the question failed: FormatException"), await gate.AskAsync("rag", "q", _start, default));
        Assert.Equal(AnswerKind.Error, gate.Last!.Kind);
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static SlaLook Look(params MetricQuestion[] metrics) => new() { Source = "default", Release = "r1", Interval = Interval, Metrics = metrics };

    private MetricQuestion Question(string name, double due, bool stable = false, bool volume = false) =>
        new(name, _start + Seconds(due), name, stable ? $"stable-{name}" : null, volume);

    private void Want(SlaLook? look) => _scheduler.Want("uid", Key, look);

    private SourceGate Gate(string name, IMetricSource source) => new(name, new() { Url = new("http://localhost") }, source, _time);

    private Task AnswerAsync(FakeSource source, string query, double value) => AnswerAsync(source, query, MetricAnswer.Of(value));

    private async Task AnswerAsync(FakeSource source, string query, MetricAnswer answer, bool arrives = true)
    {
        var before = _arrived.Count;
        await Eventually.HoldsAsync(() => source.Answer(query, answer));
        if (arrives) await Eventually.HoldsAsync(() => _arrived.Count > before);
    }

    /// <summary>Moves the clock from timer to timer, each before a time, until a sample arrives.</summary>
    private async Task AdvanceUntilArrivalAsync(DateTimeOffset before)
    {
        while (true)
        {
            await Eventually.HoldsAsync(() => !_arrived.IsEmpty || _time.NextTimer < before);
            if (!_arrived.IsEmpty) return;
            if (_time.NextTimer is { } next && next < before) _time.Advance(next - _time.GetUtcNow());
        }
    }

    private sealed class ThrowingSource : IMetricSource
    {
        public Task<MetricAnswer> QueryAsync(string namespaceName, string query, DateTimeOffset at, CancellationToken cancellationToken) => throw new FormatException();
    }

    private sealed class FakeSource : IMetricSource
    {
        private readonly Lock _lock = new();
        private readonly List<(string Query, DateTimeOffset At)> _asked = [];
        private readonly List<(string Query, TaskCompletionSource<MetricAnswer> Answer)> _pending = [];

        public Func<string, MetricAnswer>? Reply { get; set; }

        public IReadOnlyList<(string Query, DateTimeOffset At)> Asked
        {
            get
            {
                lock (_lock) return [.. _asked];
            }
        }

        public int Pending
        {
            get
            {
                lock (_lock) return _pending.Count(p => !p.Answer.Task.IsCompleted);
            }
        }

        public Task<MetricAnswer> QueryAsync(string namespaceName, string query, DateTimeOffset at, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                _asked.Add((query, at));
                if (Reply is not null) return Task.FromResult(Reply(query));
                var answer = new TaskCompletionSource<MetricAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
                cancellationToken.Register(() => answer.TrySetCanceled(cancellationToken));
                _pending.Add((query, answer));
                return answer.Task;
            }
        }

        public bool Answer(string query, MetricAnswer answer)
        {
            lock (_lock)
            {
                return _pending.FirstOrDefault(p => p.Query == query && !p.Answer.Task.IsCompleted).Answer?.TrySetResult(answer) ?? false;
            }
        }
    }
}
