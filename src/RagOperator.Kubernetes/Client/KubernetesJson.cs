using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using RagOperator.Abstractions;

namespace RagOperator.Kubernetes;

/// <summary>
/// Finds the source-generated JSON of a type. The built-in kinds are always there; an operator adds the contexts of its own kinds.
/// </summary>
public sealed class KubernetesJson
{
    /// <summary>Levels of JSON that are read: more than the 10,000 of an API server's own objects and what a list puts around them.</summary>
    public const int MaxDepth = 20_000;

    /// <summary>Combines the built-in kinds with contexts of the caller's.</summary>
    /// <param name="contexts">Source-generated contexts; the first that knows a type wins.</param>
    public KubernetesJson(params IEnumerable<IJsonTypeInfoResolver> contexts)
    {
        Options = new JsonSerializerOptions
        {
            MaxDepth = MaxDepth,
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            TypeInfoResolver = JsonTypeInfoResolver.Combine([.. contexts, AbstractionsJsonContext.Default]),
        };
        Options.MakeReadOnly();
    }

    /// <summary>The one instance of options that all kinds are read with.</summary>
    public JsonSerializerOptions Options { get; }

    /// <summary>The JSON contract of a type.</summary>
    /// <typeparam name="T">A type that one of the contexts knows.</typeparam>
    /// <exception cref="InvalidOperationException">No context knows the type.</exception>
    public JsonTypeInfo<T> TypeInfo<T>() => Options.TryGetTypeInfo(typeof(T), out var info)
        ? (JsonTypeInfo<T>)info
        : throw new InvalidOperationException(
            $"No JSON context knows {typeof(T)}. Add [JsonSerializable(typeof({typeof(T).Name}))] to a JsonSerializerContext and register it with AddJsonContext.");
}
