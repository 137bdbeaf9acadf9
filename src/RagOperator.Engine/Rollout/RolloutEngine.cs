using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

/// <summary>The decisions of the operator. Pure: the same input always gives the same output; no I/O, no clock, no logging.</summary>
public static class RolloutEngine
{
    /// <summary>Decides one step for one object.</summary>
    /// <param name="input">Everything that the decision may look at.</param>
    public static EngineOutput Decide(EngineInput input) => new RolloutPass(input).Run();
}
