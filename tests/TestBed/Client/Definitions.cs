using System.Text.Json;

namespace RagOperator.TestBed;

/// <summary>CustomResourceDefinitions, whose kinds are served a moment after they are applied.</summary>
public static class Definitions
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until a kind is served. <c>kubectl wait</c> does not do: where it looks before the server has written any condition
    /// (<c>conditions: null</c>), it fails at once.</summary>
    /// <param name="kubectl">Runs kubectl with these arguments.</param>
    /// <param name="definition">The definition's name: <c>ragdeployments.ragoperator.dev</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">Not within 30 s.</exception>
    public static async Task EstablishedAsync(Func<string[], Task<CommandResult>> kubectl, string definition, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(kubectl);
        var start = TimeProvider.System.GetTimestamp();
        while (!IsEstablished((await kubectl(["get", "crd", definition, "-o", "json"])).OrThrow().Out))
        {
            if (TimeProvider.System.GetElapsedTime(start) > s_deadline)
                throw new TimeoutException($"not within {s_deadline.TotalSeconds:0} s: {definition} is served");
            await TimeProvider.System.Delay(s_poll, cancellationToken);
        }
    }

    /// <summary>Whether a definition, as JSON, says that its kind is served.</summary>
    public static bool IsEstablished(string json) => JsonElement.Parse(json) is var definition
        && definition.TryGetProperty("status", out var status) && status.TryGetProperty("conditions", out var conditions) && conditions.ValueKind == JsonValueKind.Array
        && conditions.EnumerateArray().Any(static c => c.GetProperty("type").GetString() == "Established" && c.GetProperty("status").GetString() == "True");
}
