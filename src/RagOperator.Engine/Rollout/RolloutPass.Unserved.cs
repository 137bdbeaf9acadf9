using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// A canary that has weight and gets no request, though stable gets many: the gateway does not follow the route, and no metric of its own tells.
internal sealed partial class RolloutPass
{
    private const string NoRequests = "NoRequests";

    /// <summary>How many requests it must have missed, by what stable gets.</summary>
    private const double MissedRequests = 50;

    /// <summary>Over which time at least.</summary>
    private static readonly TimeSpan s_missedFor = TimeSpan.FromMinutes(5);

    private UnservedCount? _unserved;

    /// <summary>Counts what the canary should have got, look by look. What is counted is forgotten by a restart; what was found is not.</summary>
    private void CountRequests(MetricSample sample, TimeSpan window)
    {
        if (sample.Volume is not { Kind: AnswerKind.Number or AnswerKind.NoData } volume || sample.StableVolume?.Number is not { } stable || sample.At <= _unserved?.At)
        {
            return;
        }

        var step = _s.Step!;
        var weight = step.Weight;
        var holds = step is { State: StepStates.Holding or StepStates.Waiting, UnverifiedSince: null } && weight < 100 && sample.At >= step.VerifiedAt + window;
        if (!holds || volume.Number > 0)
        {
            _unserved = null;
            step.NoRequestsSince = null;
            return;
        }

        var known = _unserved ?? new UnservedCount(sample.At, sample.At, 0);
        // Each answer is about a whole window: only the time since the last look counts.
        var share = Math.Min(1, (sample.At - known.At) / window);
        _unserved = known with { At = sample.At, Missed = known.Missed + (stable * share * weight / (100 - weight)) };
        if (step.NoRequestsSince is null && _unserved.Missed >= MissedRequests && sample.At - _unserved.Since >= s_missedFor)
        {
            step.NoRequestsSince = _unserved.Since;
            Tell(NoRequests, $"{Called(Canary!.Record)} has had no request since {step.NoRequestsSince:HH:mm:ss}Z. By what stable gets, {weight}% are about {_unserved.Missed:0}: does the gateway follow the route?", warning: true);
        }
    }
}
