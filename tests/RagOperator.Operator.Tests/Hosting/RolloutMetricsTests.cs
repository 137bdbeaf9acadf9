using RagOperator.Abstractions;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Hosting.Metrics;

namespace RagOperator.Operator.Tests.Hosting;

public sealed class RolloutMetricsTests : IDisposable
{
    private static readonly NamespacedName Key = new("rag", "assistant");
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Factory _factory = new();
    private readonly RolloutMetrics _metrics;
    private readonly MetricsExporter _exporter;

    public RolloutMetricsTests()
    {
        _exporter = new MetricsExporter("RagOperator", _factory);
        _metrics = new RolloutMetrics(_factory);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _exporter.Dispose();
        _factory.Dispose();
    }

    [Fact]
    public void Published_shows_phase_step_weight_and_each_metric()
    {
        _metrics.Published(Key, new() { Phase = "Progressing", Weight = 10, Step = new() { Index = 1 }, Sla = [Latency("Breach", 2)] }, [], Start);

        var lines = Lines();
        Assert.Contains("ragoperator_phase{name=\"assistant\",namespace=\"rag\",phase=\"Progressing\"} 1", lines);
        Assert.Contains("ragoperator_phase{name=\"assistant\",namespace=\"rag\",phase=\"Healthy\"} 0", lines);
        Assert.Contains("ragoperator_step_index{name=\"assistant\",namespace=\"rag\"} 1", lines);
        Assert.Contains("ragoperator_weight{name=\"assistant\",namespace=\"rag\"} 10", lines);
        Assert.Contains("ragoperator_sla_value{metric=\"p95\",name=\"assistant\",namespace=\"rag\"} 0.61", lines);
        Assert.Contains("ragoperator_sla_stable_value{metric=\"p95\",name=\"assistant\",namespace=\"rag\"} 0.31", lines);
        Assert.Contains("ragoperator_sla_baseline{metric=\"p95\",name=\"assistant\",namespace=\"rag\"} 0.3", lines);
        Assert.Contains("ragoperator_sla_limit{metric=\"p95\",name=\"assistant\",namespace=\"rag\",part=\"max\"} 0.5", lines);
        Assert.Contains("ragoperator_sla_limit{metric=\"p95\",name=\"assistant\",namespace=\"rag\",part=\"maxIncrease\"} 0.05", lines);
        Assert.Contains("ragoperator_sla_limit{metric=\"p95\",name=\"assistant\",namespace=\"rag\",part=\"maxIncreasePercent\"} 0.1", lines);
        Assert.Contains("ragoperator_sla_streak{metric=\"p95\",name=\"assistant\",namespace=\"rag\"} 2", lines);
        Assert.Contains("ragoperator_sla_fail_after{metric=\"p95\",name=\"assistant\",namespace=\"rag\"} 3", lines);
        Assert.Contains("ragoperator_sla_verdict{metric=\"p95\",name=\"assistant\",namespace=\"rag\",verdict=\"Breach\"} 1", lines);
        Assert.Contains("ragoperator_sla_verdict{metric=\"p95\",name=\"assistant\",namespace=\"rag\",verdict=\"Pass\"} 0", lines);
    }

    [Fact]
    public void Published_shows_why_it_is_where_it_is_and_the_flags_of_both_releases()
    {
        RagDeploymentStatus status = new()
        {
            Phase = "Suspended",
            Step = new() { Name = "half", State = "Waiting" },
            Conditions = [new() { Type = "Available", Reason = "StableServes" }, new() { Type = "Ready", Reason = "ApprovalNeeded" }],
            Flags = [new() { Name = "replay", Stable = false, Canary = true }, new() { Name = "bandit", Stable = true }],
        };
        _metrics.Published(Key, status, [], Start);

        Assert.Equal(
            [
                "ragoperator_flag{flag=\"bandit\",name=\"assistant\",namespace=\"rag\",release=\"stable\"} 1",
                "ragoperator_flag{flag=\"replay\",name=\"assistant\",namespace=\"rag\",release=\"canary\"} 1",
                "ragoperator_flag{flag=\"replay\",name=\"assistant\",namespace=\"rag\",release=\"stable\"} 0",
                "ragoperator_status_info{name=\"assistant\",namespace=\"rag\",phase=\"Suspended\",reason=\"ApprovalNeeded\",state=\"Waiting\",step=\"half\"} 1",
            ],
            Lines().Where(static l => l.StartsWith("ragoperator_flag{", StringComparison.Ordinal) || l.StartsWith("ragoperator_status_info{", StringComparison.Ordinal)));

        // One series for each object: the one before goes.
        _metrics.Published(Key, new() { Phase = "Healthy" }, [], Start);
        Assert.Equal(
            ["ragoperator_status_info{name=\"assistant\",namespace=\"rag\",phase=\"Healthy\",reason=\"\",state=\"\",step=\"\"} 1"],
            Lines().Where(static l => l.StartsWith("ragoperator_status_info{", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("201326592\n", 201326592L)]
    [InlineData("max\n", null)]
    [InlineData("9223372036854771712\n", null)]
    [InlineData(null, null)]
    public void Memory_limit_is_the_control_groups_and_absent_without_one(string? content, long? limit)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("limit").FullName, "memory.max");
        if (content is not null) File.WriteAllText(file, content);

        Assert.Equal(limit, MemoryLimit.Read([$"{file}.nobody-has-this", file]).Select(static m => (long?)m.Value).SingleOrDefault());
    }

    [Fact]
    public void Published_outcome_counts_once_and_not_what_was_there_before()
    {
        var old = Entry(1, "Installed", 1);
        var promoted = Entry(2, "Promoted", 61);

        _metrics.Published(Key, new() { History = [old] }, [], Start);
        _metrics.Published(Key, new() { History = [promoted, old] }, [], Start);
        _metrics.Published(Key, new() { History = [promoted, old with { ReplacedAt = Start }] }, [], Start);

        var lines = Lines();
        Assert.Equal(
            ["ragoperator_rollouts_finished_total{name=\"assistant\",namespace=\"rag\",outcome=\"Promoted\"} 1"],
            lines.Where(l => l.StartsWith("ragoperator_rollouts_finished_total", StringComparison.Ordinal)));
        Assert.Contains("ragoperator_rollout_duration_seconds_sum{outcome=\"Promoted\"} 3660", lines);
        Assert.Contains("ragoperator_rollout_duration_seconds_count{outcome=\"Promoted\"} 1", lines);
    }

    [Fact]
    public void RolledBack_reaction_is_in_its_histogram()
    {
        _metrics.RolledBack(Key, TimeSpan.FromSeconds(0.4));

        Assert.Contains("ragoperator_rollback_reaction_seconds_bucket{le=\"0.25\"} 0", Lines());
        Assert.Contains("ragoperator_rollback_reaction_seconds_bucket{le=\"0.5\"} 1", Lines());
    }

    [Fact]
    public void Forget_takes_every_series_of_the_object()
    {
        _metrics.Published(Key, new() { Phase = "Healthy", Weight = 100, Sla = [Latency("Pass", 0)] }, [], Start);
        _metrics.Published(Key, new() { Phase = "Healthy", History = [Entry(1, "Installed", 1)] }, [], Start);
        _metrics.Published(Key with { Name = "other" }, new() { Phase = "Healthy" }, [], Start);

        _metrics.Forget(Key);

        Assert.DoesNotContain(Lines(), l => l.Contains("\"assistant\"", StringComparison.Ordinal));
        Assert.Contains(Lines(), l => l.Contains("\"other\"", StringComparison.Ordinal));
    }

    private static MetricStatus Latency(string verdict, int streak) => new()
    {
        Name = "p95",
        Verdict = verdict,
        Streak = streak,
        FailAfter = 3,
        Value = "0.61",
        StableValue = "0.31",
        Baseline = "0.3",
        Limit = "max 500ms, maxIncrease 50ms, maxIncreasePercent 10%",
    };

    private static HistoryEntry Entry(long release, string outcome, int minutes) =>
        new() { Release = release, Revision = $"r{release}", Outcome = outcome, StartedAt = Start, FinishedAt = Start.AddMinutes(minutes) };

    private string[] Lines() => _exporter.Write().Split('\n');
}
