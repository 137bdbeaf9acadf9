using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Controller;

/// <summary>How the writes of one pass went.</summary>
internal sealed class ActReport
{
    /// <summary>Whether the status that was decided is persisted.</summary>
    public bool StatusStands { get; set; }

    /// <summary>Whether something changed meanwhile, so that the pass is to be repeated at once.</summary>
    public ApiResult? Conflict { get; set; }

    /// <summary>The first write that was refused or got no answer.</summary>
    public ApiResult? Failure { get; set; }

    /// <summary>Children whose writes were refused or got no answer, by <see cref="WriteTargets"/>.</summary>
    public Dictionary<string, ApiResult> Unwritten { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether the status was tried to be written, and not taken for another reason than a conflict.</summary>
    public bool StatusRefused { get; set; }

    /// <summary>What kept a record from being made that the decided status would name: a release, a policy.</summary>
    public ApiResult? RecordFailure { get; set; }

    /// <summary>What a greater weight lacks by a live look, for people; null where nothing is known to be lacking.</summary>
    public string? Lack { get; set; }

    /// <summary>The first adoption that was refused for good.</summary>
    public ApiResult? Unadopted { get; set; }

    /// <summary>Why the status that names another release stable was not sent: what that lacks by a live look, or why nobody could look.</summary>
    public string? Unpromoted { get; set; }

    /// <summary>Whether weight was not lowered for what stable lacks by a live look.</summary>
    public bool Withheld { get; set; }

    /// <summary>Whether something has to go before the next write.</summary>
    public bool Waits { get; set; }

    /// <summary>Whether to look again at once, because there is news that no cache tells.</summary>
    public bool News { get; set; }

    /// <summary>Whether the world was not what the pass was decided from, with or without an answer that says so.</summary>
    public bool Stale { get; set; }
}

/// <summary>Carries out what was decided, in the order that makes it safe: what status names, then status, then what status allows.</summary>
/// <remarks>Raising needs the decision in status first, which is the journal. Lowering needs none: where the status cannot be written, what
/// lowers is carried out anyway, and the route then tells of the rollback.</remarks>
internal sealed class PassActor(ChildWriter writer, LiveLook look, StatusWriter statusWriter, Preflighter preflighter, IRolloutMetrics metrics, TimeProvider time)
{
    private static readonly TimeSpan s_patienceWithLooks = TimeSpan.FromSeconds(30);

    public async Task<ActReport> ActAsync(Pass pass, EngineInput input, EngineOutput output, CancellationToken cancellationToken)
    {
        var report = new ActReport();
        var recorded = await RecordAsync(pass, output, report, cancellationToken);
        report.StatusStands = recorded;
        // After a conflict nothing of the decision holds any more; it is made again at once.
        if (!recorded && report.Stale) return report;

        foreach (var write in output.After)
        {
            if (write.Way != Direction.Lowers && !MayFollow(report, write)) continue;
            var due = recorded && write is ApplyRoute { UnrecordedRollback: not null } route ? route with { UnrecordedRollback = null } : write;
            var result = await writer.CarryOutAsync(pass, due, cancellationToken);
            // A refused adoption is no reason to look less often: what runs is judged on.
            if (due is Adopt or DescribeChild && result is { Outcome: WriteOutcome.Failed, Answer: { } no } && IsRefusal(no)) report.Unadopted ??= no;
            else Note(report, result);
            report.Lack ??= result.Lack;
            report.Withheld |= result.Outcome == WriteOutcome.Withheld;
            if (result is { Outcome: WriteOutcome.Failed, Answer: { } answer } && WriteTargets.Of(pass.Owner.Name, due) is { } target) report.Unwritten[target] = answer;
            if (result.Outcome == WriteOutcome.Done && due is ApplyRoute lowered) TellReaction(pass, lowered, output.Status);
        }

        // Last: its many requests must not hold up a rollback, and status names nothing by it.
        foreach (var preflight in output.Before.OfType<Preflight>())
        {
            var (answer, failure) = await preflighter.AskAsync(pass, preflight, input.Reading.Spec, cancellationToken);
            if (answer is not null)
            {
                pass.Memory.Preflight = answer;
                report.News = true;
            }

            report.Failure ??= failure;
        }

        return report;
    }

    private async Task<bool> RecordAsync(Pass pass, EngineOutput output, ActReport report, CancellationToken cancellationToken)
    {
        pass.Patience = output.After.Any(static w => w.Way == Direction.Lowers) ? Lowering.Patience : null;
        try
        {
            return await RecordPatientlyAsync(pass, output, report, cancellationToken);
        }
        finally
        {
            pass.Patience = null;
        }
    }

    private async Task<bool> RecordPatientlyAsync(Pass pass, EngineOutput output, ActReport report, CancellationToken cancellationToken)
    {
        foreach (var write in output.Before)
        {
            if (write is Preflight) continue;
            var result = await writer.CarryOutAsync(pass, write, cancellationToken);
            if (write is CreateRelease or CreatePolicy && result.Outcome is WriteOutcome.Failed or WriteOutcome.Taken) report.RecordFailure = result.Answer;
            // Somebody else's name is free again when it is tried again, or not: nothing tells of it.
            if (result.Outcome == WriteOutcome.Taken) report.Waits = true;
            else Note(report, result);
            if (result.Outcome != WriteOutcome.Done) return false;
        }

        // The old release goes by this status, so whether the new one is there is asked of the server, not of the caches.
        if (output.StatusNeeds is { } needs && await look.LackAsync(pass, needs, "not stable yet", cancellationToken) is { } lack)
        {
            Note(report, lack);
            report.Unpromoted = lack.Lack ?? lack.Answer?.Message;
            return false;
        }

        if (!output.StatusDue) return true;
        var written = await statusWriter.WriteAsync(pass, output.Status, OnlyLowers(output), cancellationToken);
        Note(report, written);
        report.StatusRefused = written.Outcome == WriteOutcome.Failed;
        return written.Outcome == WriteOutcome.Done;
    }

    private static bool OnlyLowers(EngineOutput output) =>
        output.After.Any(static w => w.Way == Direction.Lowers) && output.After.All(static w => w.Way != Direction.Raises);

    /// <summary>Whether a release really lacks what it would be taken back for. Where nobody can tell for now it is not, for half a minute: then, and where a look
    /// is refused for good, the caches are believed.</summary>
    public async Task<bool> IsLackingAsync(Pass pass, RaiseNeeds blamed, CancellationToken cancellationToken)
    {
        var lack = await look.LackInTimeAsync(pass, blamed, "taken back", cancellationToken);
        var isAnswered = lack is not { Outcome: WriteOutcome.Failed } || lack.Value.Answer is { } answer && IsRefusal(answer);
        if (!isAnswered) return time.GetElapsedTime(pass.Memory.UnansweredSince ??= time.GetTimestamp()) > s_patienceWithLooks;
        pass.Memory.UnansweredSince = null;
        return lack is not null;
    }

    /// <summary>Whether a write that does not lower may be sent after what happened before it in this pass.</summary>
    private static bool MayFollow(ActReport report, Write write)
    {
        // What is adopted is this object's by its labels, whatever status tells.
        if (write is Adopt) return !report.Stale;
        if (!report.StatusStands || report.Stale) return false;
        // A clear refusal of one write says nothing about the others, which were decided from what is there. With no clear answer to be
        // had, and with something in the way, only requests that are dealt with are taken away.
        var inTheWay = report.Waits || report.Failure is { } failure && !IsRefusal(failure);
        return !inTheWay || write is RemoveRequest;
    }

    /// <summary>Whether an answer refuses the request for good, as far as the server is concerned.</summary>
    internal static bool IsRefusal(ApiResult answer) =>
        answer.StatusCode is >= 400 and < 500 && answer.Reason is not (ApiReason.TooManyRequests or ApiReason.Unauthorized or ApiReason.Expired or ApiReason.Gone);

    private static void Note(ActReport report, WriteResult result)
    {
        switch (result.Outcome)
        {
            case WriteOutcome.Conflict:
                report.Stale = true;
                report.Conflict ??= result.Answer;
                break;
            case WriteOutcome.Failed:
                report.Failure ??= result.Answer;
                break;
            case WriteOutcome.Waiting:
                report.Waits = true;
                break;
            case WriteOutcome.Taken:
                report.News = true;
                report.Waits = true;
                break;
            default:
                break;
        }
    }

    private void TellReaction(Pass pass, ApplyRoute route, RagDeploymentStatus status)
    {
        if (status.Rollback is not { VerifiedAt: null, DecidedAt: { } decided } rollback || pass.Memory.ToldRollback == decided) return;
        var record = pass.Seen.Observed.Releases.FirstOrDefault(r => string.Equals(r.Record.Hash, rollback.Release, StringComparison.Ordinal))?.Record;
        if (record?.Component(record.Entry)?.Revision is not { } revision) return;
        var service = ChildNames.Revision(pass.Owner.Name, record.Entry, revision);
        if (route.Backends.Any(b => b.Weight > 0 && string.Equals(b.Service, service, StringComparison.Ordinal))) return;
        pass.Memory.ToldRollback = decided;
        metrics.RolledBack(pass.Owner.Key, time.GetUtcNow() - (rollback.SampleAt ?? decided));
    }
}
