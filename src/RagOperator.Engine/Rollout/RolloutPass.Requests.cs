using System.Globalization;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// What people ask for by annotation. Each request is handled once: recorded with its outcome, then the annotation goes, then that is recorded.
internal sealed partial class RolloutPass
{
    private void ReadRequest()
    {
        var open = _s.LastRequest is { Removed: not true };
        if (_in.Request is not { } text)
        {
            if (open)
            {
                _s.LastRequest = _s.LastRequest! with { Removed = true };
            }

            return;
        }

        _after.Add(new RemoveRequest(text));
        if (open && Is(_s.LastRequest!.Request, text))
        {
            Tell("RequestRepeated", $"Request {text} was handled already; removing it again");
            return;
        }

        var parts = text.Split('/');
        var (release, refusal) = _in.Persisted is null or { ObservedGeneration: < 0 }
            ? (null, "it was found on an object seen for the first time")
            : parts.Length is < 2 or > 3 ? (null, "a request reads verb/release or verb/release/step") : Resolve(parts[1]);
        // What makes things safer is done for whoever asks.
        refusal ??= parts[0] is "abort" or "pause" ? null : _in.Unidentified;
        var outcome = refusal is null ? Handle(parts[0], release!, parts.ElementAtOrDefault(2)) : new Answer(false, refusal);
        _s.LastRequest = new RequestStatus
        {
            Request = text,
            Release = release,
            Outcome = outcome.Accepted ? "Accepted" : "Refused",
            Message = outcome.Message,
            At = _now,
            By = _in.RequestedBy,
        };
        if (!outcome.Accepted)
        {
            Tell("RequestRefused", $"Request {Short(text)} is refused: {outcome.Message}", warning: true);
        }
    }

    /// <summary>For people: whose doing it is.</summary>
    private string ByWhom => _in.RequestedBy is { } user ? $"by {Short(user)}" : "by request";

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "...";

    /// <summary>The release that a hash, a number or <c>current</c> stands for.</summary>
    private (string? Hash, string? Refusal) Resolve(string text)
    {
        var found = string.Equals(text, "current", StringComparison.Ordinal)
            ? _book.All.FirstOrDefault(r => r.Record.Number == _in.Persisted?.Release)
            : _book.Find(text) ?? (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? _book.All.FirstOrDefault(r => r.Record.Number == number)
                : null);
        return found is null ? (null, $"there is no release \"{Short(text)}\"") : (found.Record.Hash, null);
    }

    private Answer Handle(string verb, string release, string? step) => verb switch
    {
        not ("abort" or "pause") when LostRelease is { } lost => new Answer(false, $"the ControllerRevision of release {lost} is gone: only abort and pause are carried out"),
        "approve" => Approve(release, step),
        "pause" => OfCanary(release) ?? Pause(),
        "resume" => OfCanary(release) ?? Resume(),
        "abort" => OfCanary(release) ?? Abort(),
        "promote" => OfCanary(release) ?? Promoting(),
        "retry" => Retry(release),
        _ => new Answer(false, $"\"{Short(verb)}\" is not one of approve, pause, resume, abort, retry, promote"),
    };

    private Answer? OfCanary(string release) =>
        Is(release, _s.CanaryRevision) ? null : new Answer(false, $"release {release} is not being rolled out");

    private Answer Approve(string release, string? step)
    {
        if (OfCanary(release) is { } refused)
        {
            return refused;
        }

        if (step is null || !Is(step, _s.Step?.Name))
        {
            return new Answer(false, $"approve names the step that it approves, and the rollout is in step \"{_s.Step?.Name}\"");
        }

        if (_enteredAnew)
        {
            return new Answer(false, $"spec has just made another step of {step}; look at it and approve it again");
        }

        _s.Step!.Approved = true;
        Tell("Approved", $"Step {step} is approved{(_in.RequestedBy is null ? "" : $" {ByWhom}")}");
        return new Answer(true, $"step {step} is approved");
    }

    private Answer Pause()
    {
        _s.Paused ??= new PausedStatus { By = _in.RequestedBy ?? "request", Since = _now };
        Tell("Paused", $"Paused {ByWhom}: nothing rises until resume; judging and rollback go on");
        return new Answer(true, "paused");
    }

    private Answer Resume()
    {
        if (_s.Paused is null)
        {
            return new Answer(false, _spec is { Policy.Paused: true } ? "it is paused by spec.rollout.paused, which only spec lifts" : "it is not paused");
        }

        if (_s.Step is { LoweredTo: not null, Index: >= 0 } && _spec is null)
        {
            return new Answer(false, "a hand lowered the weight, and the policy that says how it rises again cannot be read at the moment; ask again later");
        }

        _s.Paused = null;
        Tell("Resumed", $"Resumed {ByWhom}");
        if (_s.Step is { LoweredTo: not null, Index: >= 0 } step)
        {
            // From here on the step's own way up counts.
            EnterStep(step.Index);
        }

        return new Answer(true, "resumed");
    }

    private Answer Abort()
    {
        if (_s.StableRevision is null)
        {
            return new Answer(false, "a first install has nothing to go back to");
        }

        RollBack(RollbackCauses.Aborted, $"aborted {ByWhom}", sampleAt: null);
        return new Answer(true, "aborted");
    }

    private Answer Promoting()
    {
        if (Stable is null)
        {
            return new Answer(false, "a first install has no steps");
        }

        _s.Promoting = true;
        Tell("Promoting", $"Walking the remaining steps without holds and approvals, {ByWhom}");
        return new Answer(true, "walking the remaining steps without holds and approvals");
    }

    private Answer Retry(string release)
    {
        if (!Is(release, _s.FailedRevision))
        {
            return new Answer(false, $"release {release} has not been rolled back, or spec names another one now");
        }

        if (_refused is not null || _pending)
        {
            return new Answer(false, "spec is refused at the moment");
        }

        if (Is(MarkOnRoute()?.Release, release))
        {
            return new Answer(false, "the mark of its rollback is still on the route; ask again in a moment");
        }

        Begin(_book.Find(release)!);
        return new Answer(true, "trying again");
    }

    private sealed record Answer(bool Accepted, string Message);
}
