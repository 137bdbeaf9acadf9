using RagOperator.Abstractions.Models;
using RagOperator.Engine.Sla;

namespace RagOperator.Engine.Rollout;

// Conditions, rewritten for each generation so that kubectl wait is right from the moment of an apply.
internal sealed partial class RolloutPass
{
    private bool HasCondition(string type, string reason) => _s.Conditions?.Exists(c => Is(c.Type, type) && Is(c.Reason, reason)) == true;

    private void SetConditions(Situation situation)
    {
        var healthy = situation.Phase == Phases.Healthy;
        var stalled = situation.Phase == Phases.Degraded;
        var rolledBack = stalled && Is(situation.Reason, "RolledBack");
        var conditions = new List<V1Condition>
        {
            Availability(),
            Condition(ConditionTypes.Promoted, healthy, situation),
            Condition(ConditionTypes.Ready, healthy, situation),
        };
        if (!healthy && !stalled)
        {
            conditions.Add(Condition(ConditionTypes.Reconciling, true, situation));
        }

        conditions.Add(Condition(ConditionTypes.RolledBack, rolledBack, situation));
        conditions.Add(SlaMet());
        if (stalled)
        {
            conditions.Add(Condition(ConditionTypes.Stalled, true, situation));
        }

        _s.Conditions = conditions;
    }

    private V1Condition Condition(string type, bool status, Situation situation) =>
        Condition(type, status ? "True" : "False", situation.Reason, situation.Message);

    private V1Condition Condition(string type, string status, string reason, string message)
    {
        var before = _s.Conditions?.Find(c => Is(c.Type, type));
        return new V1Condition
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = message,
            ObservedGeneration = _s.ObservedGeneration,
            LastTransitionTime = before is not null && Is(before.Status, status) ? before.LastTransitionTime : Seconds(_now),
        };
    }

    private V1Condition Availability()
    {
        if (IsUnknown(_s.StableRevision))
        {
            var serves = StableServiceByPointer is { } service && World.ReadyAddresses.GetValueOrDefault(service) > 0;
            return Condition(
                ConditionTypes.Available, serves ? "True" : "Unknown", "RecordLost", $"The ControllerRevision of stable release {_s.StableRevision} is gone; "
                    + (serves ? "its Service has ready addresses" : "nothing is known of its Service"));
        }

        if (Stable is not { } stable)
        {
            return Condition(ConditionTypes.Available, "False", "NotInstalled", "No release is stable yet");
        }

        var addresses = ReadyAddresses(stable.Record);
        if (addresses == 0 && IsAsleep)
        {
            return Condition(ConditionTypes.Available, "False", "ScaledToZero", $"Stable {Called(stable.Record)} is scaled to 0");
        }

        return Condition(
            ConditionTypes.Available, addresses > 0 ? "True" : "False", addresses > 0 ? "StableServes" : "NoReadyAddress",
            addresses > 0 ? $"Stable {Called(stable.Record)} has ready addresses" : $"Stable {Called(stable.Record)} has no ready address");
    }

    /// <summary>What is said of the SLA of a release that this very pass made stable: the pass before may have said that nobody knew.</summary>
    private V1Condition? _slaAtPromotion;

    private V1Condition SlaMet()
    {
        if (_spec is not null && Metrics.Count == 0)
        {
            return Condition(ConditionTypes.SlaMet, "Unknown", "NoMetrics", "spec.sla names no metrics: only availability is watched");
        }

        if (!IsRollout)
        {
            // The last word on what is stable now stays, and any word while the spec could not be read; of a release that is gone none does.
            var before = _slaAtPromotion ?? _s.Conditions?.Find(static c => Is(c.Type, ConditionTypes.SlaMet));
            return _s.FailedRevision is not null && Is(_s.Rollback?.Cause, RollbackCauses.SlaBreach)
                ? Condition(ConditionTypes.SlaMet, "False", "MetricBreach", _s.Rollback!.Message ?? "")
                : before is not null && (before.Status == "True" || _spec is null)
                ? Condition(ConditionTypes.SlaMet, before.Status ?? "Unknown", before.Reason ?? "NotWatched", before.Message ?? "")
                : Condition(ConditionTypes.SlaMet, "Unknown", "NotWatched", "Metrics are watched while a release is rolled out beside another");
        }

        var judged = JudgedNow().ToList();
        var breached = judged.Where(m => Is(Sla(m.Name)?.Verdict, nameof(Verdict.Breach))).Select(static m => m.Name).ToList();
        var open = judged.Where(m => !Is(Sla(m.Name)?.Verdict, nameof(Verdict.Pass))).Select(static m => m.Name).ToList();
        return breached.Count > 0 ? Condition(ConditionTypes.SlaMet, "False", "MetricBreach", $"Beyond the limit: {string.Join(", ", breached)}")
            : open.Count > 0 ? Condition(ConditionTypes.SlaMet, "Unknown", "NotAllPass", $"Without a verdict: {string.Join(", ", open)}")
            : judged.Count == 0 ? Condition(ConditionTypes.SlaMet, "Unknown", "NothingJudged", "No metric is judged in this step")
            : Condition(ConditionTypes.SlaMet, "True", "AllPass", "Every judged metric passes");
    }

    private static DateTimeOffset Seconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
