using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using RagOperator.Abstractions.Models;

namespace RagOperator.Abstractions;

/// <summary>Source-generated JSON of the built-in kinds: camelCase, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimestampConverter)])]
[JsonSerializable(typeof(V1ObjectMeta))]
[JsonSerializable(typeof(V1ListMeta))]
[JsonSerializable(typeof(V1Status))]
[JsonSerializable(typeof(V1Deployment))]
[JsonSerializable(typeof(V1StoredDeployment))]
[JsonSerializable(typeof(V1ControllerRevision))]
[JsonSerializable(typeof(V1Service))]
[JsonSerializable(typeof(V1Endpoints))]
[JsonSerializable(typeof(V1EndpointSlice))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1Pod))]
[JsonSerializable(typeof(V1Secret))]
[JsonSerializable(typeof(V1ValidatingWebhookConfiguration))]
[JsonSerializable(typeof(V1MutatingWebhookConfiguration))]
[JsonSerializable(typeof(V1HTTPRoute))]
[JsonSerializable(typeof(Eventsv1Event))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
public sealed partial class AbstractionsJsonContext : JsonSerializerContext;
