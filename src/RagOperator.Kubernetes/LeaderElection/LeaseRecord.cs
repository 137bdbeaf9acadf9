using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.Kubernetes.LeaderElection;

/// <summary>A Lease as it was read: what decides, and all the rest for writing it back, as an update replaces the whole object.</summary>
internal sealed record LeaseRecord
{
    private readonly JsonObject _body;

    private LeaseRecord(JsonObject body) => _body = body;

    /// <summary>The version that an update must still find.</summary>
    public required string ResourceVersion { get; init; }

    /// <summary>Whose it is; empty when nobody's.</summary>
    public required string Holder { get; init; }

    /// <summary>How long its holder may be silent; null where the Lease does not say.</summary>
    public required TimeSpan? Duration { get; init; }

    /// <summary>How often it changed hands.</summary>
    public required int Transitions { get; init; }

    /// <summary>The spec as text. Two equal ones mean that nobody renewed in between.</summary>
    public required string Spec { get; init; }

    /// <summary>The Lease's uid.</summary>
    public required string Uid { get; init; }

    /// <summary>Whether anybody may take it at once.</summary>
    public bool IsFree => Holder.Length == 0;

    /// <summary>Whether another is certainly newer. Versions are compared as numbers where both are; else nothing is certain.</summary>
    public bool IsOlderThan(LeaseRecord other) =>
        ulong.TryParse(ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var own)
        && ulong.TryParse(other.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var others) && own < others;

    /// <summary>Reads a Lease.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static LeaseRecord Parse(ReadOnlySpan<byte> json)
    {
        var body = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("a Lease is an object");
        var spec = body["spec"] as JsonObject;
        return new LeaseRecord(body)
        {
            ResourceVersion = Text(body["metadata"]?["resourceVersion"]),
            Uid = Text(body["metadata"]?["uid"]),
            Holder = Text(spec?["holderIdentity"]),
            Duration = Number(spec?["leaseDurationSeconds"]) is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null,
            Transitions = Number(spec?["leaseTransitions"]) ?? 0,
            Spec = spec?.ToJsonString() ?? "",
        };
    }

    /// <summary>A Lease that is not there yet.</summary>
    /// <param name="config">Its name and its holder.</param>
    /// <param name="now">The wall clock's time: for people, nobody decides by it.</param>
    public static JsonObject New(LeaderElectionConfig config, DateTimeOffset now) => new()
    {
        ["apiVersion"] = "coordination.k8s.io/v1",
        ["kind"] = "Lease",
        ["metadata"] = new JsonObject { ["name"] = config.Lease.Name, ["namespace"] = config.Lease.Namespace },
        ["spec"] = new JsonObject
        {
            ["holderIdentity"] = config.Identity,
            ["leaseDurationSeconds"] = (int)config.LeaseDuration.TotalSeconds,
            ["acquireTime"] = EventText.MicroTime(now),
            ["renewTime"] = EventText.MicroTime(now),
            ["leaseTransitions"] = 0,
        },
    };

    /// <summary>This Lease, taken or renewed; everything else as it was.</summary>
    public JsonObject Held(LeaderElectionConfig config, DateTimeOffset now)
    {
        var isOurs = string.Equals(Holder, config.Identity, StringComparison.Ordinal);
        return With(spec =>
        {
            spec["holderIdentity"] = config.Identity;
            spec["leaseDurationSeconds"] = (int)config.LeaseDuration.TotalSeconds;
            spec["renewTime"] = EventText.MicroTime(now);
            if (isOurs) return;
            spec["acquireTime"] = EventText.MicroTime(now);
            spec["leaseTransitions"] = Transitions + 1;
        });
    }

    /// <summary>This Lease, given back: as client-go, with a second's duration, for those who would wait for it although it is nobody's.</summary>
    public JsonObject Released(DateTimeOffset now) => With(spec =>
    {
        spec["holderIdentity"] = "";
        spec["leaseDurationSeconds"] = 1;
        spec["renewTime"] = EventText.MicroTime(now);
        spec["acquireTime"] = EventText.MicroTime(now);
    });

    private JsonObject With(Action<JsonObject> change)
    {
        var copy = _body.DeepClone().AsObject();
        if (copy["spec"] is not JsonObject spec) copy["spec"] = spec = [];
        change(spec);
        return copy;
    }

    private static string Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    private static int? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
}
