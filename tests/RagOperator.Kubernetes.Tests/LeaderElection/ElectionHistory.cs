namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>What is done to the processes of an <see cref="ElectionWorld"/>, in order of time.</summary>
/// <param name="Seed">Draws all else, for each process apart: its clock, what its messages take, which are lost, when another takes its place.</param>
/// <param name="Nodes">How many processes there are; who ends is born again.</param>
/// <param name="Mixed">Whether they are configured with different durations.</param>
/// <param name="Disturbances">In their order. One that is left out moves no other.</param>
internal sealed record ElectionHistory(int Seed, int Nodes, bool Mixed, Disturbance[] Disturbances)
{
    public override string ToString() => $"{Nodes} processes{(Mixed ? " of different durations" : "")}, drawn by {Seed}: {string.Join("; ", Disturbances.Select(static d => d.ToString()))}";
}

/// <summary>Something that happens to one process.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="OfLeader">Of the leader, if there is one.</param>
/// <param name="Choice">Says which process else.</param>
/// <param name="At">Seconds from the beginning.</param>
/// <param name="Length">Seconds, of those that last.</param>
internal sealed record Disturbance(DisturbanceKind Kind, bool OfLeader, int Choice, double At, double Length)
{
    public override string ToString() => $"at {At} s {Kind} of {(OfLeader ? "the leader, or else " : "")}process {Choice}{(Kind is DisturbanceKind.Freeze or DisturbanceKind.CutOff ? $" for {Length} s" : "")}";
}

internal enum DisturbanceKind
{
    Freeze,
    CutOff,
    Kill,
    Stop,
    BreakWatch,
}
