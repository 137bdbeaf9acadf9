using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Sla;

namespace RagOperator.Engine.Rollout;

// Before the first weight: what each metric answers for stable, and which of them have to.
internal sealed partial class RolloutPass
{
    private bool BaselineDone() => Metrics.Count == 0 || _s.Attempt!.Undo == true || _s.Attempt.BaselineTaken == true;

    /// <summary>Whether the first weight waits for stable's answer. A canary that nobody can judge must get no request, and a relative part needs
    /// something to compare with. What is judged later, or not at all, may be what stable cannot have.</summary>
    private bool NeedsBaseline(ResolvedMetric metric) =>
        metric.OnBreach != BreachAction.Report && IsAskedOfStable(metric) && !IsShared(metric.Component)
        && (metric.Limit.IsRelative || IsOfFirstStep(metric));

    private bool IsAskedOfStable(ResolvedMetric metric) => Stable!.Record.Component(metric.Component)?.Revision is not null;

    /// <summary>Whether it is judged from the first weight on. One that names a first step with flags that stable does not serve may be about the flags.</summary>
    private bool IsOfFirstStep(ResolvedMetric metric) =>
        metric.Steps is not { } named
        || (named.Contains(_spec!.Policy.Steps[0].Name) && FlagsOfStep(Canary!.Record, 0).Count == 0);

    private void JudgeBaseline()
    {
        if (BaselineDone())
        {
            return;
        }

        var done = true;
        foreach (var metric in Metrics)
        {
            var index = _s.Sla!.FindIndex(s => Is(s.Name, metric.Name));
            var status = _s.Sla[index];
            if (SampleOf(metric.Name) is { Baseline: true } sample
                && Is(sample.Release, _s.StableRevision) && !(sample.At <= status.EvaluatedAt) && sample.At >= _s.Attempt!.StartedAt)
            {
                status = TakeBaseline(metric, status, sample);
                _s.Sla[index] = status;
            }

            // What need not answer is still asked once: people are to see what stable has, and what it has not.
            done &= status.Baseline is not null || status.Verdict == nameof(Verdict.TooFew)
                || metric.OnBreach == BreachAction.Report || !IsAskedOfStable(metric)
                || (status.Verdict is not null && !NeedsBaseline(metric));
        }

        if (done)
        {
            _s.Attempt!.BaselineTaken = true;
        }
    }

    private MetricStatus TakeBaseline(ResolvedMetric metric, MetricStatus status, MetricSample sample)
    {
        // Too few requests on stable are no obstacle: what is silent for that reason is not broken.
        var quiet = sample.Volume is { Kind: AnswerKind.NoData } || sample.Volume?.Number < _spec!.Policy.Sla!.VolumeMin;
        // A question for the number of requests that is wrong would leave the canary without a judge.
        var deafVolume = sample.Volume is { Kind: AnswerKind.Invalid or AnswerKind.Error };
        var asked = deafVolume ? sample.Volume! : sample.Value;
        var value = deafVolume ? null : sample.Value.Number;
        // 0/0 has its series and nothing in them: no requests by another name.
        var verdict = asked.Number is not null ? null
            : asked.Kind == AnswerKind.NoData && (quiet || asked.IsNaN) ? nameof(Verdict.TooFew)
            : asked.Kind.ToString();
        var hint = !deafVolume && asked is { Kind: AnswerKind.NoData, IsNaN: false } ? BaselineHints.OfSilence(metric, sample.Probe) : null;
        var why = deafVolume ? $"volume: {asked.Message}"
            : asked.IsNaN ? $"{asked.Message}: 0/0, as without requests"
            : hint is null ? asked.Message
            : asked.Message is null ? hint : $"{asked.Message}: {hint}";
        if (verdict is not null && !Is(verdict, status.Verdict))
        {
            var waits = verdict != nameof(Verdict.TooFew) && NeedsBaseline(metric);
            Tell($"Baseline{verdict}", $"Metric {metric.Name} does not answer for stable{(waits ? "" : ", and is not waited for")}: {why}", warning: waits || hint is not null);
        }

        var deaf = NeverBreached(metric, sample);
        if (deaf is not null && status.Message?.Contains(deaf, StringComparison.Ordinal) != true)
        {
            Tell("LimitOutOfReach", $"Metric {metric.Name}: {deaf}", warning: true);
        }

        // It waits for nobody: the release may be the one that mends it.
        var beyond = value is { } v && !quiet ? BaselineHints.OfBreach(metric.Limit, v) : null;
        if (beyond is not null && !(MetricText.Parse(status.Baseline) is { } before && BaselineHints.OfBreach(metric.Limit, before) is not null))
        {
            Tell("BaselineBreach", $"Metric {metric.Name}: {beyond}", warning: true);
        }

        return status with
        {
            Verdict = verdict,
            Since = Is(verdict, status.Verdict) ? status.Since : sample.At,
            Baseline = value is { } number ? MetricText.Number(number) : status.Baseline,
            Message = verdict is not null ? why : deaf is null || beyond is null ? deaf ?? beyond : $"{deaf}; {beyond}",
            EvaluatedAt = sample.At,
        };
    }

    // histogram_quantile answers at most the last finite bucket's bound: a limit there or beyond sleeps for ever, and nobody would notice.
    private static string? NeverBreached(ResolvedMetric metric, MetricSample sample) =>
        sample.LastBucket is { } bound && metric.Limit.Max >= bound
            ? $"the limit max {metric.Limit.Format(metric.Limit.Max.Value)} can never be exceeded: the histogram's last finite bucket is {metric.Limit.Format(bound)}"
            : null;

    private string? BaselineTrouble()
    {
        if (_s.Attempt!.FirstWeightAt is not null || IsToRecover || BaselineDone())
        {
            return null;
        }

        var bad = Metrics.Where(m => Sla(m.Name)?.Verdict is nameof(Verdict.Invalid) or nameof(Verdict.NoData) or nameof(Verdict.Error) && NeedsBaseline(m)).ToList();
        return bad.Count == 0 ? null : "before the first weight each metric that is judged then must answer for stable: " + string.Join("; ", bad.Select(m => $"{m.Name} {VerdictText(Sla(m.Name))}: {Sla(m.Name)!.Message}"));
    }
}
