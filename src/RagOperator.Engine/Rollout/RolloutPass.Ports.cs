using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Rollout;

// Whether the program listens where requests come in. Ready pods do not tell: their readiness probe may ask another port.
internal sealed partial class RolloutPass
{
    private const string PortRefused = "PortRefused";

    /// <summary>How many refusals in a row count; they are spread over ten seconds.</summary>
    private const int RefusalsNeeded = 3;

    /// <summary>What is to be asked; null where this pass has no use for an answer.</summary>
    private PortLook? _portLook;

    /// <summary>Asks for a connection before the first requests, once all else that is the release's own is there. True: nothing is known to speak against
    /// them. What nobody can tell holds nothing: the operator may not be let through to the pods.</summary>
    private bool TakesConnections(ReleaseRecord canary)
    {
        if (PortLookOf(canary) is not { } look)
        {
            return true;
        }

        _portLook = look;
        var step = _s.Step!;
        switch (World.Port)
        {
            case { Kind: PortAnswerKind.Off }:
                step.PortRefusedSince = null;
                return true;
            case { Kind: PortAnswerKind.Open } open when open.Look == look:
                if (step.PortRefusedSince is not null)
                {
                    Tell("PortOpen", $"Service {look.Service} takes connections on port {PortOf(canary)} now");
                }

                step.PortRefusedSince = null;
                return true;
            case { Kind: PortAnswerKind.Unknown } unknown when unknown.Look == look:
                step.PortRefusedSince = null;
                return true;
            case var answer:
                // Not answered, or not often enough: what status says of it stays.
                WatchPort(canary, step, answer is { Kind: PortAnswerKind.Refused, Rounds: >= RefusalsNeeded } && answer.Look == look);
                return false;
        }
    }

    /// <summary>The first requests are on their way: says so where nobody knows whether they are answered.</summary>
    private void TellUnknownPort(ReleaseRecord canary)
    {
        if (_portLook is { } look && World.Port is { Kind: PortAnswerKind.Unknown } unknown)
        {
            Tell("PortUnknown", $"Whether Service {look.Service} takes connections on port {PortOf(canary)} is not known: {unknown.Message}. Nothing waits for that");
        }
    }

    private void WatchPort(ReleaseRecord canary, StepStatus step, bool isRefused)
    {
        if (isRefused && step.PortRefusedSince is null)
        {
            step.PortRefusedSince = _now;
            Tell(PortRefused, $"{Called(canary)} gets no requests: {PortText(canary)}", warning: true);
        }

        var allowed = AllowedTime(canary, []);
        var deadline = step.PortRefusedSince + allowed;
        if (!(deadline <= _now))
        {
            LookAt(deadline);
        }
        else if (Stable is null)
        {
            _installLate = PortText(canary);
        }
        else if (isRefused)
        {
            // It was asked just now: there is nothing to look at once more.
            RollBack(RollbackCauses.Deadline, $"not available within {RagDuration.Format(allowed)}: {PortText(canary)}", null);
        }
    }

    /// <summary>Without the question nothing is known, and no clock runs; what could not be looked at in this pass is as it was.</summary>
    private void ForgetPort()
    {
        if (_portLook is null && !_in.MayNotRaise && _s.Step is { } step)
        {
            step.PortRefusedSince = null;
        }
    }

    private string PortText(ReleaseRecord canary) =>
        $"every ready address of Service {EntryService(canary)} refuses connections on port {PortOf(canary)}: does the program listen on another port?";

    private PortLook? PortLookOf(ReleaseRecord canary)
    {
        // What serves already is not asked whether it does.
        if (ReadyAddresses(canary) == 0 || PortNameOf(canary) is not { } port || (Stable is { } same && Is(EntryService(same.Record), EntryService(canary))))
        {
            return null;
        }

        return Stable is { } stable && PortNameOf(stable.Record) is { } other
            ? new PortLook(EntryService(canary), port, EntryService(stable.Record), other)
            : new PortLook(EntryService(canary), port, null, null);
    }

    /// <summary>The name of the port that requests come in by; null where it is not one of connections.</summary>
    private static string? PortNameOf(ReleaseRecord release)
    {
        if (release.Component(release.Entry) is not { HasService: true } entry)
        {
            return null;
        }

        var port = entry.Content.GetProperty("ports")[0];
        return port.TryGetProperty("protocol", out var protocol) && protocol.GetString() is not (null or "TCP") ? null : port.GetProperty("name").GetString();
    }
}
