using System.Text.Json;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Api.Values;

namespace RagOperator.Engine.Rollout;

/// <summary>Tells when a status is worth a write: at once for what means something, now and then for a hold that goes on, never for mere values.</summary>
internal static class StatusDiff
{
    public static bool IsDue(RagDeploymentStatus? persisted, RagDeploymentStatus status, TimeSpan cadence, DateTimeOffset now)
    {
        if (persisted is null || !Meaning(persisted).AsSpan().SequenceEqual(Meaning(status)))
        {
            return true;
        }

        var held = Held(status) - Held(persisted);
        var looked = (status.Sla ?? []).Select(m => m.EvaluatedAt - (persisted.Sla?.Find(p => string.Equals(p.Name, m.Name, StringComparison.Ordinal))?.EvaluatedAt ?? now))
            .Max() ?? TimeSpan.Zero;
        // What only waits has nothing to save: it is silent until something changes.
        return held >= cadence || (looked >= cadence && status.Step?.HoldUntil is not null);
    }

    private static TimeSpan Held(RagDeploymentStatus status) => RagDuration.TryParse(status.Step?.HeldFor, out var held) ? held : TimeSpan.Zero;

    private static byte[] Meaning(RagDeploymentStatus status)
    {
        var copy = StatusCopy.Of(status);
        if (copy.Step is { } step)
        {
            step.HeldFor = null;
        }

        if (copy.Attempt is { } attempt)
        {
            attempt.LastAnswerAt = null;
        }

        copy.Sla = copy.Sla?.ConvertAll(static m => m with
        {
            Value = null,
            StableValue = null,
            Message = null,
            EvaluatedAt = null,
            // A streak beyond what it takes means nothing more, and a metric that only holds may be in breach for days.
            Streak = Math.Min(m.Streak, m.FailAfter),
            NoData = 0,
            TooFew = 0,
            Errors = 0,
            Invalid = 0,
        });
        return JsonSerializer.SerializeToUtf8Bytes(copy, ApiJsonContext.Default.RagDeploymentStatus);
    }
}
