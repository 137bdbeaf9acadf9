using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Controller;

/// <summary>The decisions: <c>RolloutEngine.Decide</c>, or a test's.</summary>
/// <param name="input">Everything that the decision may look at.</param>
public delegate EngineOutput Decide(EngineInput input);
