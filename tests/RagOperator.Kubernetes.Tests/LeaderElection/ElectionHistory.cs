namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>What is done to the processes of an <see cref="ElectionWorld"/>, one after the other.</summary>
/// <param name="Seed">Draws what each message takes and which are lost.</param>
/// <param name="Nodes">How many processes there are; who ends is born again.</param>
/// <param name="Mixed">Whether they are configured with different durations.</param>
/// <param name="Disturbances">In their order.</param>
internal sealed record ElectionHistory(int Seed, int Nodes, bool Mixed, Disturbance[] Disturbances)
{
    public override string ToString() => $"seed {Seed}, {Nodes} processes{(Mixed ? " of different durations" : "")}: {string.Join("; ", Disturbances)}";
}

/// <summary>Something that happens to one process.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="OfLeader">Of the leader, if there is one.</param>
/// <param name="Choice">Says which process else.</param>
/// <param name="After">Seconds since the last one.</param>
/// <param name="Length">Seconds, of those that last.</param>
internal sealed record Disturbance(DisturbanceKind Kind, bool OfLeader, int Choice, double After, double Length)
{
    public override string ToString() => $"{Kind} {(OfLeader ? "of the leader" : $"of process {Choice}")} after {After} s, {Length} s long";
}

internal enum DisturbanceKind
{
    Freeze,
    CutOff,
    Kill,
    Stop,
    BreakWatch,
}
