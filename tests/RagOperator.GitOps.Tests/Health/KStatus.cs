using System.Text.Json;

namespace RagOperator.GitOps.Tests.Health;

/// <summary>
/// What kstatus makes of an object of a kind that it does not know: the rules of cli-utils' <c>pkg/kstatus</c>, in their order. Flux, kpt
/// and Helm go by them.
/// </summary>
public static class KStatus
{
    /// <summary>InProgress, Failed, Current or Terminating.</summary>
    public static string Of(JsonElement item)
    {
        var metadata = item.GetProperty("metadata");
        if (metadata.TryGetProperty("deletionTimestamp", out _))
            return "Terminating";
        if (!item.TryGetProperty("status", out var status))
            return "Current"; // the hole that a default of -1 for observedGeneration closes
        if (status.TryGetProperty("observedGeneration", out var observed) && observed.GetInt64() != metadata.GetProperty("generation").GetInt64())
            return "InProgress";
        var conditions = status.TryGetProperty("conditions", out var list) ? list.EnumerateArray().ToList() : [];
        foreach (var condition in conditions)
        {
            if (condition.GetProperty("status").GetString() != "True")
                continue;
            if (condition.GetProperty("type").GetString() == "Reconciling")
                return "InProgress";
            if (condition.GetProperty("type").GetString() == "Stalled")
                return "Failed";
        }

        // The newer half: Ready is asked where the two above say nothing.
        var ready = conditions.Where(static c => c.GetProperty("type").GetString() == "Ready").Select(static c => c.GetProperty("status").GetString()).FirstOrDefault();
        return ready is null or "True" ? "Current" : "InProgress";
    }
}
