using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Gateway;

/// <summary>
/// What a test makes the gateway do wrong, in <c>$BED_DIR/gateway/control.json</c>:
/// <c>{"refuse": ["ns/name"], "freeze": true, "lagSeconds": 5}</c>.
/// </summary>
/// <param name="Refuse">Routes that it does not accept (Accepted=False) and does not serve anew: what it served before stays.</param>
/// <param name="Freeze">It takes no notice of anything, neither routes nor pods.</param>
/// <param name="Lag">How long after a change of a route it takes notice of that.</param>
internal sealed record GatewayControl(IReadOnlySet<string> Refuse, bool Freeze, TimeSpan Lag)
{
    public const string FileName = "control.json";

    public static GatewayControl None { get; } = new(new HashSet<string>(StringComparer.Ordinal), false, TimeSpan.Zero);

    public static GatewayControl Read(string folder)
    {
        try
        {
            var file = Path.Combine(folder, FileName);
            if (!File.Exists(file) || JsonNode.Parse(File.ReadAllText(file)) is not JsonObject json)
                return None;
            return new(
                (json["refuse"]?.AsArray() ?? []).Select(route => route!.GetValue<string>()).ToHashSet(StringComparer.Ordinal),
                json["freeze"]?.GetValue<bool>() ?? false,
                TimeSpan.FromSeconds(json["lagSeconds"]?.GetValue<double>() ?? 0));
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException)
        {
            return None; // half-written: read again in a moment
        }
    }

    public void Write(string folder)
    {
        var json = new JsonObject { ["refuse"] = new JsonArray([.. Refuse.Select(route => (JsonNode)route)]), ["freeze"] = Freeze, ["lagSeconds"] = Lag.TotalSeconds };
        File.WriteAllText(Path.Combine(folder, FileName + ".new"), json.ToJsonString());
        File.Move(Path.Combine(folder, FileName + ".new"), Path.Combine(folder, FileName), overwrite: true);
    }
}
