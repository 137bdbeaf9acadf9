namespace RagOperator.Engine.Rollout;

/// <summary>Phases, as status shows them.</summary>
public static class Phases
{
    /// <summary>Stable is what spec names, and the route with one backend is verified.</summary>
    public const string Healthy = "Healthy";

    /// <summary>Steps, or a rollback that is not verified yet.</summary>
    public const string Progressing = "Progressing";

    /// <summary>Waits for somebody or something: approval, a pause, data, room in the cluster.</summary>
    public const string Suspended = "Suspended";

    /// <summary>Does not go on without a change: rolled back, or the spec is refused.</summary>
    public const string Degraded = "Degraded";
}

/// <summary>States of a step.</summary>
public static class StepStates
{
    /// <summary>Its pods are brought up.</summary>
    public const string Scaling = "Scaling";

    /// <summary>Its weight is written and not verified yet.</summary>
    public const string Shifting = "Shifting";

    /// <summary>Its weight is verified, its flags are on, its clock may run.</summary>
    public const string Holding = "Holding";

    /// <summary>Its hold is complete and it waits for approval.</summary>
    public const string Waiting = "Waiting";
}

/// <summary>Why a release was taken back.</summary>
public static class RollbackCauses
{
    /// <summary>A metric was beyond its limit for long enough.</summary>
    public const string SlaBreach = "SlaBreach";

    /// <summary>It was not available in time.</summary>
    public const string Deadline = "ProgressDeadlineExceeded";

    /// <summary>It had weight and no ready address.</summary>
    public const string NoReadyAddress = "NoReadyAddress";

    /// <summary>Somebody asked for it.</summary>
    public const string Aborted = "Aborted";
}

/// <summary>How an attempt ended.</summary>
public static class Outcomes
{
    /// <summary>A first install was complete.</summary>
    public const string Installed = "Installed";

    /// <summary>It became stable.</summary>
    public const string Promoted = "Promoted";

    /// <summary>It was taken back.</summary>
    public const string RolledBack = "RolledBack";

    /// <summary>A newer release took its place.</summary>
    public const string Superseded = "Superseded";

    /// <summary>Spec was turned back to stable.</summary>
    public const string Withdrawn = "Withdrawn";
}

/// <summary>Why a release retires.</summary>
public static class RetireReasons
{
    /// <summary>Another release was promoted over it.</summary>
    public const string Replaced = "Replaced";

    /// <summary>A newer release took its place midway.</summary>
    public const string Superseded = "Superseded";

    /// <summary>Spec was turned back to stable midway.</summary>
    public const string Withdrawn = "Withdrawn";

    /// <summary>It was taken back.</summary>
    public const string Failed = "Failed";
}

/// <summary>Types of conditions.</summary>
public static class ConditionTypes
{
    /// <summary>Everything is as spec wants it.</summary>
    public const string Ready = "Ready";

    /// <summary>Work is under way; absent otherwise.</summary>
    public const string Reconciling = "Reconciling";

    /// <summary>It does not go on without a change; absent otherwise.</summary>
    public const string Stalled = "Stalled";

    /// <summary>The release that spec names is stable.</summary>
    public const string Promoted = "Promoted";

    /// <summary>The release that spec names was taken back.</summary>
    public const string RolledBack = "RolledBack";

    /// <summary>Stable serves.</summary>
    public const string Available = "Available";

    /// <summary>Every judged metric passes.</summary>
    public const string SlaMet = "SlaMet";
}
