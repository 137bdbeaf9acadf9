using System.Text.Json;
using RagOperator.Api.Values;

namespace RagOperator.Api.Resolved;

/// <summary>A spec that passed validation, with every default filled in and every text parsed. Only this goes into decisions.</summary>
public sealed record ResolvedSpec
{
    /// <summary>The components, each one after all that it depends on; ties in the order that the user wrote.</summary>
    public required IReadOnlyList<ResolvedComponent> Components { get; init; }

    /// <summary>The name of the component that requests enter by.</summary>
    public required string Entry { get; init; }

    /// <summary>The HTTPRoute spec as the user wrote it, without backendRefs.</summary>
    public required JsonElement GatewayApi { get; init; }

    /// <summary>How long after the route's last change the word of a gateway counts that names no generation; null: it never does.</summary>
    public TimeSpan? Settle { get; init; }

    /// <summary>Labels and annotations for the HTTPRoute and the Service that is called like the object. No content.</summary>
    public ResolvedMetadata Metadata { get; init; } = ResolvedMetadata.None;

    /// <summary>Names of the components that get flag files, sorted.</summary>
    public required IReadOnlyList<string> DeliverTo { get; init; }

    /// <summary>Names of the flags that are enabled, sorted.</summary>
    public required IReadOnlyList<string> EnabledFlags { get; init; }

    /// <summary>Names of the flags that are listed and not enabled, sorted.</summary>
    public required IReadOnlyList<string> DisabledFlags { get; init; }

    /// <summary>How a new release takes over.</summary>
    public required ResolvedPolicy Policy { get; init; }

    /// <summary>The component of this name, or null.</summary>
    /// <param name="name">The component's name.</param>
    public ResolvedComponent? Component(string name) =>
        Components.FirstOrDefault(c => string.Equals(c.Name, name, StringComparison.Ordinal));
}

/// <summary>One component of a <see cref="ResolvedSpec"/>.</summary>
public sealed record ResolvedComponent
{
    /// <summary>The component's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the user wrote for it, untouched; the content's hash is taken over this.</summary>
    public required JsonElement Raw { get; init; }

    /// <summary>The external Service's name, or null where the component is ours.</summary>
    public string? ExternalService { get; init; }

    /// <summary>The external Service's port.</summary>
    public int ExternalPort { get; init; }

    /// <summary>Names of the components that it depends on.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }

    /// <summary>Pods wanted for stable.</summary>
    public required int Replicas { get; init; }

    /// <summary>A fixed number of pods for a canary below 100 percent.</summary>
    public int? CanaryReplicas { get; init; }

    /// <summary>Labels and annotations for what is made of it. No content.</summary>
    public ResolvedMetadata Metadata { get; init; } = ResolvedMetadata.None;

    /// <summary>How long it may take to become available, where it has a deadline of its own. No content.</summary>
    public TimeSpan? ProgressDeadline { get; init; }

    /// <summary>For how many seconds a pod must be ready before it is available; null where nothing is said. No content.</summary>
    public int? MinReadySeconds { get; init; }

    /// <summary>Whether it is ours to run.</summary>
    public bool IsWorkload => ExternalService is null;
}

/// <summary>Everything of a spec that no release depends on: changing it starts no rollout.</summary>
public sealed record ResolvedPolicy
{
    /// <summary>Whether spec.rollout.paused is set.</summary>
    public required bool Paused { get; init; }

    /// <summary>How long a release may take to become available.</summary>
    public required TimeSpan ProgressDeadline { get; init; }

    /// <summary>How long pods without traffic stay.</summary>
    public required TimeSpan RetireDelay { get; init; }

    /// <summary>The steps; at least one, weights never fall, the last is 100.</summary>
    public required IReadOnlyList<ResolvedStep> Steps { get; init; }

    /// <summary>How long one pod of each failed component is kept.</summary>
    public required TimeSpan KeepFailedPods { get; init; }

    /// <summary>For how long a promoted release can be gone back to without steps.</summary>
    public required TimeSpan UndoWindow { get; init; }

    /// <summary>What a new release is held to; null where only availability is watched.</summary>
    public ResolvedSla? Sla { get; init; }
}

/// <summary>One step.</summary>
/// <param name="Name">The step's name.</param>
/// <param name="Weight">Percent, 1 to 100.</param>
/// <param name="Hold">How long its clock must run.</param>
/// <param name="ApprovalRequired">Whether somebody must approve.</param>
/// <param name="Flags">Flags that it turns on.</param>
public sealed record ResolvedStep(string Name, int Weight, TimeSpan Hold, bool ApprovalRequired, IReadOnlyList<string> Flags);

/// <summary>What a new release is held to.</summary>
public sealed record ResolvedSla
{
    /// <summary>The metric source's name.</summary>
    public required string Source { get; init; }

    /// <summary>How often the metrics are asked for.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>How long after the first weight nothing but availability counts.</summary>
    public required TimeSpan WarmUp { get; init; }

    /// <summary>After how long without a usable answer the rollout is shown as Suspended.</summary>
    public required TimeSpan NoDataTimeout { get; init; }

    /// <summary>The query that counts requests, variables not yet put in; null where no number is asked for.</summary>
    public string? VolumeQuery { get; init; }

    /// <summary>The least number of requests.</summary>
    public long VolumeMin { get; init; }

    /// <summary>The metrics; may be empty.</summary>
    public required IReadOnlyList<ResolvedMetric> Metrics { get; init; }
}

/// <summary>What a breach leads to.</summary>
public enum BreachAction
{
    /// <summary>The release is taken back.</summary>
    Rollback,

    /// <summary>The rollout stops until the metric passes again.</summary>
    Hold,

    /// <summary>It is only shown.</summary>
    Report,
}

/// <summary>One metric.</summary>
public sealed record ResolvedMetric
{
    /// <summary>The metric's name.</summary>
    public required string Name { get; init; }

    /// <summary>The component that it is about.</summary>
    public required string Component { get; init; }

    /// <summary>The query, variables not yet put in.</summary>
    public required string Query { get; init; }

    /// <summary>What is put in for $(window).</summary>
    public required TimeSpan Window { get; init; }

    /// <summary>The limit.</summary>
    public required ResolvedLimit Limit { get; init; }

    /// <summary>How many breaches in a row it takes.</summary>
    public required int FailAfter { get; init; }

    /// <summary>Names of the steps in which it is judged; null for all.</summary>
    public IReadOnlyList<string>? Steps { get; init; }

    /// <summary>What a breach leads to.</summary>
    public required BreachAction OnBreach { get; init; }
}

/// <summary>A limit in Prometheus' base units. Each part is judged alone; a value equal to it is no breach.</summary>
public sealed record ResolvedLimit
{
    /// <summary>Highest value allowed.</summary>
    public double? Max { get; init; }

    /// <summary>Lowest value allowed.</summary>
    public double? Min { get; init; }

    /// <summary>Highest value allowed above stable's.</summary>
    public double? MaxIncrease { get; init; }

    /// <summary>Lowest value allowed, as a distance below stable's.</summary>
    public double? MaxDecrease { get; init; }

    /// <summary>Highest increase allowed as a fraction of stable's value: 0.1 for 10%.</summary>
    public double? MaxIncreaseFraction { get; init; }

    /// <summary>Lowest increase asked for as a fraction of stable's value.</summary>
    public double? MinIncreaseFraction { get; init; }

    /// <summary>The limit as the user wrote it, for people: <c>max 500ms, maxIncrease 50ms</c>.</summary>
    public required string Text { get; init; }

    /// <summary>The unit that the limit is written in; a bare number where only percentages are.</summary>
    public LimitUnit Unit { get; init; } = LimitUnit.None;

    /// <summary>Writes a value of this metric like the limit: <c>512ms</c> beside <c>max 500ms</c>.</summary>
    /// <param name="value">The value in Prometheus' base units.</param>
    public string Format(double value) => LimitValue.Format(value, Unit, Max ?? double.NaN, Min ?? double.NaN);

    /// <summary>Whether a part needs stable's value.</summary>
    public bool IsRelative => MaxIncrease is not null || MaxDecrease is not null || MaxIncreaseFraction is not null || MinIncreaseFraction is not null;

    /// <summary>Whether a part needs no other value.</summary>
    public bool IsAbsolute => Max is not null || Min is not null;
}
