using System.Text.Json.Serialization;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine;

/// <summary>Source-generated JSON of what the engine keeps in ControllerRevisions.</summary>
[JsonSourceGenerationOptions(
    // More than a spec's levels and what is around them.
    MaxDepth = 2 * RagOperator.Api.SpecLimits.Levels,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ReleaseRecord))]
public sealed partial class EngineJsonContext : JsonSerializerContext;
