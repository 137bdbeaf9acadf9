using RagOperator.Api.Resolved;

namespace RagOperator.Api;

/// <summary>What holds where a spec says nothing. Defaults are filled in when a spec is read, not by the CRD's schema: a later build may add
/// one without changing any object.</summary>
public static class SpecDefaults
{
    /// <summary>Pods of a component.</summary>
    public const int Replicas = 1;

    /// <summary>The metric source's name.</summary>
    public const string Source = "default";

    /// <summary>Breaches in a row before they count.</summary>
    public const int FailAfter = 3;

    /// <summary>How long each step is held.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromMinutes(10);

    /// <summary>How long a release may take to become available.</summary>
    public static readonly TimeSpan ProgressDeadline = TimeSpan.FromMinutes(10);

    /// <summary>How long pods without traffic stay.</summary>
    public static readonly TimeSpan RetireDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long one pod of each failed component is kept.</summary>
    public static readonly TimeSpan KeepFailedPods = TimeSpan.FromHours(1);

    /// <summary>For how long a promoted release can be gone back to without steps.</summary>
    public static readonly TimeSpan UndoWindow = TimeSpan.FromHours(72);

    /// <summary>How often the metrics are asked for.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>How long after the first weight nothing but availability counts.</summary>
    public static readonly TimeSpan WarmUp = TimeSpan.Zero;

    /// <summary>After how long without a usable answer the rollout is shown as Suspended.</summary>
    public static readonly TimeSpan NoDataTimeout = TimeSpan.FromMinutes(30);

    /// <summary>The time that a query looks back over.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>The steps.</summary>
    public static IReadOnlyList<ResolvedStep> Steps { get; } =
    [
        new("canary-5", 5, Hold, ApprovalRequired: false, []),
        new("canary-10", 10, Hold, ApprovalRequired: false, []),
        new("canary-50", 50, Hold, ApprovalRequired: false, []),
        new("full", 100, Hold, ApprovalRequired: false, []),
    ];
}
