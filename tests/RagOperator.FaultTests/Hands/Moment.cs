using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Hands;

/// <summary>Where in a rollout something happens: in a step that waits for its approval, or in a rollback that the gateway has not taken yet.</summary>
/// <param name="Name">For people.</param>
/// <param name="Step">The step of <see cref="ServiceSpec"/>.</param>
/// <param name="Weight">Its weight.</param>
/// <param name="Before">The step before it; empty for the first.</param>
public sealed record Moment(string Name, string Step, int Weight, string Before)
{
    public static Moment Few { get; } = new("few", "few", 10, "");

    public static Moment Half { get; } = new("half", "half", 50, "few");

    public static Moment Full { get; } = new("full", "full", 100, "half");

    /// <summary>In a rollback from half.</summary>
    public static Moment Back { get; } = new("rollback", "half", 50, "few");

    public static IReadOnlyList<Moment> Steps { get; } = [Few, Half, Full];

    public static IReadOnlyList<Moment> All { get; } = [Few, Half, Full, Back];

    /// <summary>What the step before gives the canary.</summary>
    public int WeightBefore => Steps.SingleOrDefault(m => m.Step == Before)?.Weight ?? 0;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
