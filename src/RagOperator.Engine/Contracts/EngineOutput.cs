using RagOperator.Api.V1Alpha1;

namespace RagOperator.Engine.Contracts;

/// <summary>One decision. Order of acting: <see cref="Before"/>, then the status if <see cref="StatusDue"/>, then <see cref="After"/>. Where the
/// status write fails other than by conflict, only those of <see cref="After"/> that lower are carried out.</summary>
public sealed record EngineOutput
{
    /// <summary>The status that follows.</summary>
    public required RagDeploymentStatus Status { get; init; }

    /// <summary>Whether the status differs from the persisted one in a way that is worth a write.</summary>
    public required bool StatusDue { get; init; }

    /// <summary>What must be there at the very moment of the status write, where that names another release stable and the old one goes by it; null
    /// where nothing has to.</summary>
    public RaiseNeeds? StatusNeeds { get; init; }

    /// <summary>What a release lacks that is taken back for it by this very decision: where a live look finds all of it there, it is decided again with
    /// <see cref="EngineInput.MayNotCondemn"/>. Null where none is taken back for that.</summary>
    public RaiseNeeds? Condemns { get; init; }

    /// <summary>What to remember until the next decision.</summary>
    public required EngineMemory Memory { get; init; }

    /// <summary>Writes that come before the status: what status is going to name must exist.</summary>
    public IReadOnlyList<Write> Before { get; init; } = [];

    /// <summary>Writes that the status allows.</summary>
    public IReadOnlyList<Write> After { get; init; } = [];

    /// <summary>What happened, for people; published once the status is written.</summary>
    public IReadOnlyList<EngineEvent> Events { get; init; } = [];

    /// <summary>Questions to the metric source; null while none are wanted.</summary>
    public SlaLook? Look { get; init; }

    /// <summary>External Services whose ready addresses are wanted in the next look.</summary>
    public IReadOnlyList<string> Externals { get; init; } = [];

    /// <summary>The connections that are wanted to be asked for now; null: none.</summary>
    public PortLook? Port { get; init; }

    /// <summary>Those of <see cref="Observed.Taken"/> that were wanted: the others are nobody's business any more.</summary>
    public IReadOnlySet<string> Missed { get; init; } = new HashSet<string>();

    /// <summary>When to look again though nothing happened; null: only when something does.</summary>
    public DateTimeOffset? NextLook { get; init; }
}

/// <summary>Something that happened.</summary>
/// <param name="Reason">One CamelCase word, distinct for each transition.</param>
/// <param name="Message">For people.</param>
/// <param name="Warning">Whether it is a warning.</param>
public sealed record EngineEvent(string Reason, string Message, bool Warning = false);
