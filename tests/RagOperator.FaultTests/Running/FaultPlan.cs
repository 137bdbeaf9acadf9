using System.Text.Json;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Running;

/// <summary>A story and what goes wrong in it: a file in Plans/ once it has found something.</summary>
/// <param name="Scenario">The story's name.</param>
/// <param name="Faults">What goes wrong.</param>
public sealed record FaultPlan(string Scenario, IReadOnlyList<Fault> Faults)
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    /// <summary>Why it is kept; for files only.</summary>
    public string? Because { get; init; }

    public static FaultPlan Parse(string json) => JsonSerializer.Deserialize<FaultPlan>(json, s_json) ?? throw new JsonException("null");

    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    /// <inheritdoc/>
    public override string ToString() => $"{Scenario}: {string.Join("; ", Faults)}";
}
