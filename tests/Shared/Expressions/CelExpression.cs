using System.Text.Json;
using System.Text.Json.Nodes;
using Cel;

namespace RagOperator.Tests.Shared.Expressions;

/// <summary>An expression of the Common Expression Language that is true or false, evaluated as Kubernetes and Flux do. What can be neither is an
/// error: Kubernetes refuses the object then.</summary>
public sealed class CelExpression
{
    private readonly CelProgramDelegate _program;

    public CelExpression(string text)
    {
        Text = text;
        var environment = new CelEnvironment(null, null) { StrictTypeComparison = true };
        // To the package an empty text, list or object is absent, as in protocol buffers. In JSON it is there.
        foreach (var type in (Type[])[typeof(string), typeof(object[]), typeof(Dictionary<string, object?>)]) environment.RegisterFunction("has", [type], static _ => true);
        _program = environment.Compile(text);
    }

    public string Text { get; }

    /// <summary>Whether it is true where <paramref name="variable"/> is <paramref name="value"/>.</summary>
    public bool Holds(string variable, JsonNode value) => _program(new Dictionary<string, object?>(StringComparer.Ordinal) { [variable] = Value(value) }) is bool holds
        ? holds
        : throw new InvalidOperationException($"neither true nor false: {Text}");

    private static object? Value(JsonNode? node) => node switch
    {
        JsonObject o => o.Where(static m => m.Value is not null).ToDictionary(static m => m.Key, static m => Value(m.Value), StringComparer.Ordinal),
        JsonArray list => list.Select(Value).ToArray(),
        _ => node!.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => node.GetValue<string>(),
            _ => Number(JsonElement.Parse(node.ToJsonString())),
        },
    };

    private static object Number(JsonElement number)
    {
        if (number.TryGetInt64(out var whole)) return whole;
        // 2.0 is an integer, too; only a pod template has others.
        var real = number.GetDouble();
        return double.IsInteger(real) ? (object)(long)real : real;
    }
}
