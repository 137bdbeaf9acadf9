using RagOperator.Abstractions.Attributes;
using RagOperator.Abstractions.Models;

namespace RagOperator.Api.V1Alpha1;

/// <summary>Where things are. Written by the operator only.</summary>
public sealed record RagDeploymentStatus
{
    /// <summary>The newest generation of the spec that the operator has acted on; -1 before the first look.</summary>
    public long ObservedGeneration { get; set; } = -1;

    /// <summary>Healthy, Progressing, Suspended or Degraded.</summary>
    public string? Phase { get; set; }

    /// <summary>Where it is, why it waits, and until when.</summary>
    public string? Message { get; set; }

    /// <summary>The number of the release that spec names; counts up.</summary>
    public long? Release { get; set; }

    /// <summary>The hash of the release that serves as stable.</summary>
    public string? StableRevision { get; set; }

    /// <summary>The hash of the release that is being brought in.</summary>
    public string? CanaryRevision { get; set; }

    /// <summary>The hash of the release that failed and that spec still names.</summary>
    public string? FailedRevision { get; set; }

    /// <summary>Percent of the requests that go to the release that spec names, as verified.</summary>
    public int? Weight { get; set; }

    /// <summary>The step that the rollout is in.</summary>
    public StepStatus? Step { get; set; }

    /// <summary>The attempt to bring in the canary, over all its steps.</summary>
    public AttemptStatus? Attempt { get; set; }

    /// <summary>The newest rollback decision.</summary>
    public RollbackStatus? Rollback { get; set; }

    /// <summary>Since when stable has no ready address; absent while it has one, or is to have no pods.</summary>
    public DateTimeOffset? StableUnreadySince { get; set; }

    /// <summary>Set while the canary is to serve everything because stable serves nobody.</summary>
    public RecoveryStatus? Recovery { get; set; }

    /// <summary>Each flag as stable and canary have it.</summary>
    [XListType(XListType.Map)]
    [XListMapKeys("name")]
    public List<FlagStatus>? Flags { get; set; }

    /// <summary>Flags that were disabled in spec while these releases had them.</summary>
    public List<StruckStatus>? Struck { get; set; }

    /// <summary>The components of the release that spec names.</summary>
    [XListType(XListType.Map)]
    [XListMapKeys("name")]
    public List<ComponentStatus>? Components { get; set; }

    /// <summary>The metrics, as last judged.</summary>
    [XListType(XListType.Map)]
    [XListMapKeys("name")]
    public List<MetricStatus>? Sla { get; set; }

    /// <summary>Releases that lost their traffic and whose pods are about to go.</summary>
    public List<RetiringStatus>? Retiring { get; set; }

    /// <summary>The last 10 attempts, newest first.</summary>
    public List<HistoryEntry>? History { get; set; }

    /// <summary>The newest request by a person.</summary>
    public RequestStatus? LastRequest { get; set; }

    /// <summary>Set while somebody has paused the rollout.</summary>
    public PausedStatus? Paused { get; set; }

    /// <summary>True while the remaining steps are walked without holds and approvals.</summary>
    public bool? Promoting { get; set; }

    /// <summary>The ControllerRevision that keeps the last accepted policy.</summary>
    public string? PolicyRevision { get; set; }

    /// <summary>Available, Promoted, Ready, Reconciling, RolledBack, SlaMet and Stalled.</summary>
    [XListType(XListType.Map)]
    [XListMapKeys("type")]
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>The step that the rollout is in.</summary>
public sealed record StepStatus
{
    /// <summary>Its place among the steps, from 0; -1 in a first install.</summary>
    public int Index { get; set; }

    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Percent of the requests that it gives to the new release, 0 to 100.</summary>
    public int Weight { get; set; }

    /// <summary>Scaling, Shifting, Holding or Waiting.</summary>
    public string State { get; set; } = "";

    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When its weight was first seen to be verified.</summary>
    public DateTimeOffset? VerifiedAt { get; set; }

    /// <summary>For how long the clock of its hold has run.</summary>
    public string? HeldFor { get; set; }

    /// <summary>When the hold ends if nothing stops the clock. Shown, never read back.</summary>
    public DateTimeOffset? HoldUntil { get; set; }

    /// <summary>Whether somebody approved it.</summary>
    public bool? Approved { get; set; }

    /// <summary>Since when the canary is not available, for the progress deadline; moved on by the time in which it was.</summary>
    public DateTimeOffset? UnavailableSince { get; set; }

    /// <summary>Since when it is available again.</summary>
    public DateTimeOffset? AvailableSince { get; set; }

    /// <summary>Since when the canary's entry Service has no ready address.</summary>
    public DateTimeOffset? NoAddressSince { get; set; }

    /// <summary>Since when every ready address of the canary's entry Service refuses connections, before its first requests.</summary>
    public DateTimeOffset? PortRefusedSince { get; set; }

    /// <summary>Since when no request has come though stable gets many.</summary>
    public DateTimeOffset? NoRequestsSince { get; set; }

    /// <summary>Since when the weight waits to be verified.</summary>
    public DateTimeOffset? UnverifiedSince { get; set; }

    /// <summary>Whether the route was seen with this step's weight: less than that is somebody's hand from then on.</summary>
    public bool? Carried { get; set; }

    /// <summary>The canary's weight that somebody else lowered it to, while that is obeyed.</summary>
    public int? LoweredTo { get; set; }

    /// <summary>How often the canary became unavailable again before its deadline's clock was cleared.</summary>
    public int? Outages { get; set; }

    /// <summary>Set while the canary has lost its pods and gets no requests for that.</summary>
    public LossStatus? Lost { get; set; }

    /// <summary>How often it lost them in this step.</summary>
    public int? Losses { get; set; }

    /// <summary>The weight that it goes back to after a loss, while the step's own is still to come.</summary>
    public int? ReturnsTo { get; set; }
}

/// <summary>Pods that a canary lost for no fault that is known of.</summary>
public sealed record LossStatus
{
    /// <summary>When its weight was taken for that.</summary>
    public DateTimeOffset? Since { get; set; }

    /// <summary>The weight that it had.</summary>
    public int Weight { get; set; }
}

/// <summary>A decision to let the canary serve everything, because stable has no ready address.</summary>
public sealed record RecoveryStatus
{
    /// <summary>The hash of the release that serves.</summary>
    public string Release { get; set; } = "";

    /// <summary>Percent of the requests that it gets: 0 until it is available, then 100.</summary>
    public int Weight { get; set; }

    /// <summary>When its pods were asked for.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it was decided that it serves.</summary>
    public DateTimeOffset? DecidedAt { get; set; }
}

/// <summary>One attempt to bring in a release.</summary>
public sealed record AttemptStatus
{
    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When its first weight was decided; the warm-up counts from here.</summary>
    public DateTimeOffset? FirstWeightAt { get; set; }

    /// <summary>When the metric source last gave a usable answer.</summary>
    public DateTimeOffset? LastAnswerAt { get; set; }

    /// <summary>Whether each query has been seen to answer for stable.</summary>
    public bool? BaselineTaken { get; set; }

    /// <summary>Whether it goes back to a release promoted before, without steps.</summary>
    public bool? Undo { get; set; }
}

/// <summary>A decision to take a release back.</summary>
public sealed record RollbackStatus
{
    /// <summary>The hash of the release that was taken back.</summary>
    public string Release { get; set; } = "";

    /// <summary>SlaBreach, ProgressDeadlineExceeded, NoReadyAddress or Aborted.</summary>
    public string Cause { get; set; } = "";

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>The name of the step that it happened in.</summary>
    public string? Step { get; set; }

    /// <summary>When it was decided.</summary>
    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>The time of the sample that decided it.</summary>
    public DateTimeOffset? SampleAt { get; set; }

    /// <summary>When weight 0 was verified.</summary>
    public DateTimeOffset? VerifiedAt { get; set; }
}

/// <summary>One flag as the releases have it.</summary>
public sealed record FlagStatus
{
    /// <summary>The flag's name.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Whether stable has it on.</summary>
    public bool Stable { get; set; }

    /// <summary>Whether the canary has it on; absent without a canary.</summary>
    public bool? Canary { get; set; }
}

/// <summary>Flags that were disabled while a release had them.</summary>
public sealed record StruckStatus
{
    /// <summary>The release's hash.</summary>
    public string Release { get; set; } = "";

    /// <summary>The flags' names.</summary>
    public List<string> Flags { get; set; } = [];
}

/// <summary>One component of the release that spec names.</summary>
public sealed record ComponentStatus
{
    /// <summary>The component's name.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>The component revision's name; absent for external ones.</summary>
    public string? Revision { get; set; }

    /// <summary>Pods available / pods wanted, for instance 2/4.</summary>
    public string? Ready { get; set; }

    /// <summary>Whether stable uses the very same pods.</summary>
    public bool? Shared { get; set; }

    /// <summary>Why it is not ready, for machines: Capacity, SchedulingGated, Unavailable, Waiting.</summary>
    public string? Reason { get; set; }

    /// <summary>Why it is not ready, for people.</summary>
    public string? Message { get; set; }
}

/// <summary>One metric as last judged.</summary>
public sealed record MetricStatus
{
    /// <summary>The metric's name.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Pass, Breach, NoData, TooFew, Invalid or Error; Reported where it is not judged.</summary>
    public string? Verdict { get; set; }

    /// <summary>Breaches in a row.</summary>
    public int Streak { get; set; }

    /// <summary>How many breaches in a row it takes.</summary>
    public int FailAfter { get; set; }

    /// <summary>Since when the verdict is what it is.</summary>
    public DateTimeOffset? Since { get; set; }

    /// <summary>The time of the first breach of the streak.</summary>
    public DateTimeOffset? BreachedAt { get; set; }

    /// <summary>The canary's value.</summary>
    public string? Value { get; set; }

    /// <summary>Stable's value at the same time, or the last one seen while stable had traffic.</summary>
    public string? StableValue { get; set; }

    /// <summary>Stable's value before the rollout began.</summary>
    public string? Baseline { get; set; }

    /// <summary>The limit, for people.</summary>
    public string? Limit { get; set; }

    /// <summary>Answers without data, in this attempt.</summary>
    public int NoData { get; set; }

    /// <summary>Answers with too few requests, in this attempt.</summary>
    public int TooFew { get; set; }

    /// <summary>Questions that failed, in this attempt.</summary>
    public int Errors { get; set; }

    /// <summary>Answers that cannot be used, in this attempt.</summary>
    public int Invalid { get; set; }

    /// <summary>What the source said, where the verdict is not Pass.</summary>
    public string? Message { get; set; }

    /// <summary>The time of the newest answer that was judged; no look before this and the interval.</summary>
    public DateTimeOffset? EvaluatedAt { get; set; }
}

/// <summary>A release that lost its traffic and whose pods are about to go.</summary>
public sealed record RetiringStatus
{
    /// <summary>The release's hash.</summary>
    public string Revision { get; set; } = "";

    /// <summary>When its pods go; absent until the route is verified without it.</summary>
    public DateTimeOffset? Until { get; set; }

    /// <summary>Replaced, Superseded, Withdrawn or Failed; of a failed one a single pod of each component is kept.</summary>
    public string Reason { get; set; } = "";
}

/// <summary>One attempt that ended.</summary>
public sealed record HistoryEntry
{
    /// <summary>The release's number.</summary>
    public long Release { get; set; }

    /// <summary>The release's hash.</summary>
    public string Revision { get; set; } = "";

    /// <summary>Installed, Promoted, RolledBack, Superseded or Withdrawn.</summary>
    public string Outcome { get; set; } = "";

    /// <summary>The step that it ended in.</summary>
    public string? Step { get; set; }

    /// <summary>For machines.</summary>
    public string? Reason { get; set; }

    /// <summary>For people, with the query and its last values where a metric decided.</summary>
    public string? Message { get; set; }

    /// <summary>The query that decided.</summary>
    public string? Query { get; set; }

    /// <summary>Its last values, newest last.</summary>
    public List<string>? Values { get; set; }

    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>When another release replaced it as stable.</summary>
    public DateTimeOffset? ReplacedAt { get; set; }
}

/// <summary>A request by a person.</summary>
public sealed record RequestStatus
{
    /// <summary>As it was written in the annotation.</summary>
    public string Request { get; set; } = "";

    /// <summary>The hash of the release that it was resolved to.</summary>
    public string? Release { get; set; }

    /// <summary>Accepted or Refused.</summary>
    public string Outcome { get; set; } = "";

    /// <summary>What it did, or why it was refused.</summary>
    public string? Message { get; set; }

    /// <summary>When it was recorded.</summary>
    public DateTimeOffset? At { get; set; }

    /// <summary>Who asked, where the webhook has proven it: the user's name. Absent otherwise.</summary>
    public string? By { get; set; }

    /// <summary>Whether the annotation has been removed since.</summary>
    public bool? Removed { get; set; }
}

/// <summary>Who paused the rollout.</summary>
public sealed record PausedStatus
{
    /// <summary>Who did it.</summary>
    public string By { get; set; } = "";

    /// <summary>Since when.</summary>
    public DateTimeOffset? Since { get; set; }
}
