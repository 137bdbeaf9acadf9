using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Scenarios;

/// <summary>A story that always ends the same way, whatever fails in it.</summary>
/// <param name="Name">Its name, as plans have it.</param>
/// <param name="First">What is installed before places are counted; null for nothing.</param>
/// <param name="Act">What users do. Waits only for what the story needs.</param>
/// <param name="HasEnded">Whether the story is over.</param>
public sealed record Scenario(string Name, ServiceSpec? First, Func<FaultWorld, Task> Act, Func<FaultWorld, Task<bool>> HasEnded)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}
