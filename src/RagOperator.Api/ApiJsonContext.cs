using System.Text.Json.Serialization;
using RagOperator.Abstractions;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api;

/// <summary>Source-generated JSON of what users write and read: camelCase, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimestampConverter)])]
[JsonSerializable(typeof(RagDeployment))]
[JsonSerializable(typeof(RagDeploymentSpec))]
[JsonSerializable(typeof(RagDeploymentStatus))]
public sealed partial class ApiJsonContext : JsonSerializerContext;
