using System.Text.Json;

namespace RagOperator.FaultTests.Worlds;

/// <summary>A RagDeployment's status as a user reads it: raw JSON, without the operator's own types.</summary>
public sealed record StatusView(JsonElement? Object)
{
    private JsonElement? Status => Object is { } o && o.TryGetProperty("status", out var status) ? status : null;

    public bool Exists => Object is not null;

    public bool IsCurrent => Object is { } o && Number("observedGeneration") == o.GetProperty("metadata").GetProperty("generation").GetInt64();

    /// <summary>Whether spec switches a flag off for everybody.</summary>
    public bool DisablesFlag => Object is { } o && o.TryGetProperty("spec", out var spec) && spec.TryGetProperty("featureFlags", out var features)
        && features.TryGetProperty("flags", out var flags) && flags.EnumerateArray().Any(static f => f.TryGetProperty("enabled", out var enabled) && enabled.ValueKind == JsonValueKind.False);

    public string Phase => Text("phase");

    public string Message => Text("message");

    public int Weight => (int)(Number("weight") ?? 0);

    public string Stable => Text("stableRevision");

    public string Canary => Text("canaryRevision");

    public string Failed => Text("failedRevision");

    public string StepName => Within("step", "name");

    public string StepState => Within("step", "state");

    public int StepIndex => Status?.TryGetProperty("step", out var step) == true ? step.GetProperty("index").GetInt32() : -1;

    public int StepWeight => Status?.TryGetProperty("step", out var step) == true ? step.GetProperty("weight").GetInt32() : 0;

    /// <summary>How long the step was held so far; empty at its beginning.</summary>
    public string HeldFor => Within("step", "heldFor");

    /// <summary>When the hold ends if nothing stops its clock; empty while it stands.</summary>
    public string HoldUntil => Within("step", "holdUntil");

    public bool IsRetiring => Status?.TryGetProperty("retiring", out var retiring) == true && retiring.GetArrayLength() > 0;

    public bool IsPaused => Status?.TryGetProperty("paused", out _) == true;

    public bool RollbackDecided => Status?.TryGetProperty("rollback", out _) == true;

    /// <summary>The hash of the release that the newest rollback took back; empty without one.</summary>
    public string RolledBack => Within("rollback", "release");

    public string RollbackCause => Within("rollback", "cause");

    public string RollbackStep => Within("rollback", "step");

    public string LastRequestOutcome => Within("lastRequest", "outcome");

    /// <summary>The first metric's member.</summary>
    public JsonElement? Metric(string name) => Status?.TryGetProperty("sla", out var sla) == true && sla.GetArrayLength() > 0 && sla[0].TryGetProperty(name, out var value) ? value : null;

    public string Verdict => Metric("verdict")?.GetString() ?? "";

    public int Streak => Metric("streak")?.GetInt32() ?? 0;

    /// <summary>A condition's status, or empty.</summary>
    public string Condition(string type) => ConditionMember(type, "status");

    public string Reason(string type) => ConditionMember(type, "reason");

    public string ConditionMessage(string type) => ConditionMember(type, "message");

    public override string ToString() => $"{Phase}, step {StepName} {StepState}, weight {Weight}, stable {Stable}, canary {Canary}, failed {Failed}: {Message}";

    private string ConditionMember(string type, string member) => Status?.TryGetProperty("conditions", out var conditions) == true
        ? conditions.EnumerateArray().Where(c => c.GetProperty("type").GetString() == type).Select(c => c.GetProperty(member).GetString()).FirstOrDefault() ?? ""
        : "";

    private string Text(string name) => Status?.TryGetProperty(name, out var value) == true ? value.GetString() ?? "" : "";

    private long? Number(string name) => Status?.TryGetProperty(name, out var value) == true ? value.GetInt64() : null;

    private string Within(string parent, string name) =>
        Status?.TryGetProperty(parent, out var found) == true && found.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
