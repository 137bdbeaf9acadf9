using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Tests.World;

/// <summary>What every child in the simulated cluster has.</summary>
internal abstract class SimChild
{
    public required string Name { get; init; }

    /// <summary>The owner's uid, null for none, "somebody" for a stranger.</summary>
    public string? OwnerUid { get; set; }

    public string Uid { get; } = Guid.NewGuid().ToString("N");

    public int Version { get; set; } = 1;
}

internal sealed class SimDeployment : SimChild
{
    public required string Component { get; init; }

    public required string Revision { get; init; }

    public required string Image { get; init; }

    public List<SimPod> Pods { get; } = [];

    public int Replicas => Pods.Count;
}

internal sealed class SimPod
{
    public DateTimeOffset? ReadyAt { get; set; }

    public DateTimeOffset Born { get; init; }
}

internal sealed class SimService : SimChild
{
    public string Component { get; set; } = "";

    public string Revision { get; set; } = "";

    public string? Release { get; set; }
}

internal sealed class SimFlags : SimChild
{
    public required string Component { get; init; }

    public required string Revision { get; init; }

    public required IReadOnlyDictionary<string, bool> Flags { get; set; }
}

internal sealed class SimRecord : SimChild
{
    public ReleaseRecord? Release { get; init; }

    public System.Text.Json.JsonElement Policy { get; init; }

    public string? Failed { get; set; }

    public IReadOnlyList<string> Struck { get; set; } = [];
}

internal sealed class SimRoute : SimChild
{
    public List<Backend> Backends { get; set; } = [];

    /// <summary>Backends of a second rule, where a hand gave it others.</summary>
    public IReadOnlyList<Backend> Differing { get; set; } = [];

    /// <summary>When the gateway has taken the newest generation; null: never, as things are.</summary>
    public DateTimeOffset? VerifiedAt { get; set; }

    public long Generation { get; set; }

    public string? ForeignWriter { get; set; }

    public string? RolledBack { get; set; }

    public bool Drifted { get; set; }
}

/// <summary>How pods of one image behave.</summary>
internal sealed class PodBehavior
{
    public TimeSpan Start { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Why they do not become ready; null: they do.</summary>
    public string? Fails { get; set; }

    /// <summary>When a container ended with an error; null: none did.</summary>
    public DateTimeOffset? FailedAt { get; set; }

    /// <summary>What comes of asking for a connection on the Service's port.</summary>
    public PortAnswerKind Port { get; set; }

    /// <summary>Why they find no room; null: they do.</summary>
    public string? NoRoom { get; set; }

    /// <summary>How many of each Deployment find room all the same.</summary>
    public int RoomFor { get; set; }

    /// <summary>Whether it is a scheduling gate that keeps them, and not room.</summary>
    public bool IsGate { get; set; }
}
