using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Sla;

namespace RagOperator.Engine.Rollout;

// The SLA: each metric's verdict on the canary.
internal sealed partial class RolloutPass
{
    /// <summary>How many values of a metric in breach the history tells.</summary>
    private const int ValuesKept = 10;

    private IReadOnlyList<ResolvedMetric> Metrics => _spec?.Policy.Sla?.Metrics ?? [];

    private MetricStatus? Sla(string metric) => _s.Sla?.Find(m => Is(m.Name, metric));

    /// <summary>Whether stable and canary use the very same pods for a component: then it says nothing about the canary.</summary>
    private bool IsShared(string component) =>
        Stable?.Record.Component(component)?.Revision is { } a && Is(a, Canary?.Record.Component(component)?.Revision);

    private bool IsJudged(ResolvedMetric metric) =>
        metric.OnBreach != BreachAction.Report
        && Canary?.Record.Component(metric.Component)?.Revision is not null
        && !IsShared(metric.Component)
        && IsOfLiveStep(metric)
        && IsComparable(metric);

    /// <summary>Whether a metric is for what the canary serves now. Where the step's weight is on the route and not all its flags are served, one of this step
    /// alone goes on being judged if it was before, and is not begun with: it may need the flag.</summary>
    private bool IsOfLiveStep(ResolvedMetric metric)
    {
        if (metric.Steps is not { } named || _s.Step is not { Index: >= 0 } step || Canary is not { } canary)
        {
            return true;
        }

        var ofWeight = HasWeightOf(canary, step) ? step.Index : step.Index - 1;
        var live = Math.Min(ofWeight, StepsServed(canary.Record, step.Index) - 1);
        return (_spec!.Policy.Steps.ElementAtOrDefault(live) is { } now && named.Contains(now.Name))
            || (ofWeight == step.Index && named.Contains(step.Name) && WasJudged(metric));
    }

    /// <summary>Whether the canary has the weight of its step, or more than the step before has. One that begins anew, as spec raised it or a hand had lowered it,
    /// was live already: that its flags are on shows it.</summary>
    private bool HasWeightOf(ReleaseView canary, StepStatus step) =>
        (step.State != StepStates.Scaling && !IsUnwritten(canary))
        || _spec!.Policy.Steps.ElementAtOrDefault(step.Index - 1) is not { } before
        || (_s.Weight ?? 0) == 0 || _s.Weight > before.Weight
        || FlagsOfStep(canary.Record, step.Index).Exists(f => IsServed(canary.Record, f));

    private bool WasJudged(ResolvedMetric metric) => Sla(metric.Name)?.Verdict is { } verdict && !Is(verdict, SlaBook.Reported);

    /// <summary>Whether the flags of the step, or of one before, were on for less than a window when a sample was taken: what a metric of flagged steps tells is of
    /// the time before, too. One that was judged already goes on.</summary>
    private bool IsTooEarly(ResolvedMetric metric, DateTimeOffset at) => metric.Steps is not null && !WasJudged(metric)
        && _s.Step is { Index: >= 0, State: StepStates.Holding or StepStates.Waiting } step
        && Enumerable.Range(0, step.Index + 1).Any(i => FlagsOfStep(Canary!.Record, i).Count > 0)
        && !(at >= step.VerifiedAt + metric.Window);

    /// <summary>Going back to an earlier release at once, or serving in stable's place, there is no value of stable to compare with: only absolute parts can
    /// be judged.</summary>
    private bool IsComparable(ResolvedMetric metric) =>
        metric.Limit.IsAbsolute || (!IsRecovery && (!IsUndo || Sla(metric.Name)?.StableValue is not null));

    private bool IsUndo => _s.Attempt?.Undo == true;

    private IEnumerable<ResolvedMetric> JudgedNow() => IsRollout ? Metrics.Where(IsJudged) : [];

    private void Judge()
    {
        if (!IsRollout)
        {
            return;
        }

        if (Metrics.Count == 0)
        {
            _s.Sla = null;
            return;
        }

        _s.Sla = [.. Metrics.Select(m => Sla(m.Name) ?? new MetricStatus { Name = m.Name, FailAfter = m.FailAfter, Limit = m.Limit.Text })];
        if (_s.Attempt!.FirstWeightAt is null)
        {
            JudgeBaseline();
        }
        else
        {
            JudgeCanary();
        }
    }

    /// <summary>The first weight is decided: from here on the canary is asked about, at once unless it warms up.</summary>
    private void StartJudging() =>
        _s.Sla = _s.Sla?.ConvertAll(static m => m with { Verdict = null, Message = null, Since = null, EvaluatedAt = null });

    private void JudgeCanary()
    {
        // What has no requests has no errors either, and what the gateway answered while its pods were gone is not its doing.
        if (_s.Step!.Lost is not null)
        {
            return;
        }

        var judgedFrom = _s.Attempt!.FirstWeightAt + _spec!.Policy.Sla!.WarmUp;
        foreach (var metric in Metrics)
        {
            var index = _s.Sla!.FindIndex(s => Is(s.Name, metric.Name));
            var before = _s.Sla[index];
            if (SampleOf(metric.Name) is not { Baseline: false } sample
                || !Is(sample.Release, _s.CanaryRevision) || sample.At < judgedFrom)
            {
                continue;
            }

            CountRequests(sample, metric.Window);
            var isFull = (_s.Weight ?? 0) >= 100;
            // What stable answers without traffic is not compared with, so at full weight it helps nobody either.
            var alone = IsRecovery || (IsUndo && before.StableValue is null && (isFull || sample.Stable?.Number is null));
            var after = SlaBook.Fold(before, alone ? Absolute(metric) : metric, _spec.Policy.Sla.VolumeMin, sample, IsJudged(metric) && !IsTooEarly(metric, sample.At), isFull);
            if (ReferenceEquals(after, before))
            {
                continue;
            }

            _s.Sla[index] = after;
            RememberBreach(after);
            if (after.Verdict is nameof(Verdict.Pass) or nameof(Verdict.Breach) or nameof(Verdict.TooFew)
                || (Is(after.Verdict, SlaBook.Reported) && after.Value is not null))
            {
                _s.Attempt.LastAnswerAt = sample.At;
            }

            TellVerdict(metric, before, after);
            if (SlaBook.Failed(after, metric) && metric.OnBreach == BreachAction.Rollback)
            {
                RollBackFor(metric, after);
                return;
            }
        }
    }

    private static ResolvedMetric Absolute(ResolvedMetric metric) => metric with
    {
        Limit = metric.Limit with { MaxIncrease = null, MaxDecrease = null, MaxIncreaseFraction = null, MinIncreaseFraction = null },
    };

    private void TellVerdict(ResolvedMetric metric, MetricStatus before, MetricStatus after)
    {
        if (Is(before.Verdict, after.Verdict))
        {
            return;
        }

        switch (after.Verdict)
        {
            case nameof(Verdict.Breach):
                Tell("MetricBreach", $"Metric {metric.Name}: {after.Message} ({after.Streak} of {after.FailAfter} before {metric.OnBreach})", warning: true);
                break;
            case nameof(Verdict.Pass) when before.Verdict is not null:
                Tell("MetricPass", $"Metric {metric.Name} passes now: {(MetricText.Parse(after.Value) is { } value ? metric.Limit.Format(value) : "")}, limit {after.Limit}");
                break;
            case nameof(Verdict.NoData) or nameof(Verdict.Invalid) or nameof(Verdict.Error) or nameof(Verdict.TooFew):
                // Right after the first weight there is nothing to see yet: no reason to alarm anybody.
                var usual = Is(after.Verdict, nameof(Verdict.TooFew)) || (Is(after.Verdict, nameof(Verdict.NoData)) && before.Verdict is null);
                Tell($"Metric{after.Verdict}", $"Metric {metric.Name}: {after.Message}; the hold's clock stands, nothing is rolled back for that", warning: !usual);
                break;
        }
    }

    private void RollBackFor(ResolvedMetric metric, MetricStatus status)
    {
        var query = SlaQuestions.Render(metric.Query, _in.Key, Canary!.Record, metric.Component, metric.Window);
        RollBack(
            RollbackCauses.SlaBreach,
            $"metric {metric.Name}: {status.Message}, {status.Streak} times in a row",
            status.EvaluatedAt, query, [.. _breaches.GetValueOrDefault(metric.Name, [])]);
    }

    private void RememberBreach(MetricStatus status)
    {
        if (status.Streak == 0)
        {
            _breaches.Remove(status.Name);
        }
        else if (Is(status.Verdict, nameof(Verdict.Breach)) && status.Value is { } value)
        {
            _breaches[status.Name] = [.. _breaches.GetValueOrDefault(status.Name, []).TakeLast(ValuesKept - 1), value];
        }
    }

    /// <summary>The questions that are wanted now.</summary>
    private SlaLook? Look()
    {
        if (!IsRollout || Metrics.Count == 0 || _waitFirst is not null)
        {
            return null;
        }

        var sla = _spec!.Policy.Sla!;
        // Before the route gives it something nobody can tell anything of it.
        if (_s.Step!.Lost is not null || (_s.Attempt!.FirstWeightAt is not null && Canary is { } unserved && IsUnserved(unserved)))
        {
            return null;
        }

        if (_s.Attempt!.FirstWeightAt is not { } first)
        {
            return BaselineDone() ? null
                : SlaQuestions.Of(sla, _in.Key, Stable!.Record, null, _spec.Entry, Metrics.Select(m => (m, Due(m, _s.Attempt.StartedAt ?? _now))));
        }

        return SlaQuestions.Of(sla, _in.Key, Canary!.Record, Stable!.Record, Canary.Record.Entry, Metrics.Select(m => (m, Due(m, first + sla.WarmUp))));

        DateTimeOffset Due(ResolvedMetric metric, DateTimeOffset earliest) =>
            Sla(metric.Name)?.EvaluatedAt is { } at && at + sla.Interval > earliest ? at + sla.Interval : earliest;
    }
}
