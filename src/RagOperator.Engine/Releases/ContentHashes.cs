using System.Text;
using System.Text.Json;
using RagOperator.Api;
using RagOperator.Api.Resolved;

namespace RagOperator.Engine.Releases;

/// <summary>The contents of a spec's components: a Merkle hash over the graph, so that a change of one component renews it and everything
/// above it and leaves the rest alone. Taken over what the user wrote, never over typed classes: a newer operator starts no rollout.</summary>
public static class ContentHashes
{
    /// <summary>The algorithm of this build. Objects keep the one that their releases were made with.</summary>
    public const int Algorithm = 1;

    private static readonly string[] s_notContent = ["replicas", "canaryReplicas", "progressDeadline", "metadata", "minReadySeconds"];

    /// <summary>The hash of each component, by name.</summary>
    /// <param name="spec">The spec; its components come in dependency order.</param>
    public static IReadOnlyDictionary<string, string> Of(ResolvedSpec spec)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var component in spec.Components)
        {
            var parts = new List<byte[]> { CanonicalJson.Bytes(component.Raw, s_notContent) };
            foreach (var dependency in component.DependsOn.Order(StringComparer.Ordinal))
            {
                parts.Add(Encoding.UTF8.GetBytes(dependency));
                parts.Add(Encoding.UTF8.GetBytes(hashes[dependency]));
            }

            hashes[component.Name] = ShortHash.Full(parts);
        }

        return hashes;
    }

    /// <summary>What the user wrote for a component, without what is no content.</summary>
    /// <param name="raw">The component as written.</param>
    public static JsonElement ContentOf(JsonElement raw)
    {
        using var document = JsonDocument.Parse(CanonicalOrder(raw), new JsonDocumentOptions { MaxDepth = 2 * SpecLimits.Levels });
        return document.RootElement.Clone();
    }

    /// <summary>Whether what the user wrote for a component is the same, but for what is no content.</summary>
    /// <param name="one">The component as written.</param>
    /// <param name="other">The component as written otherwise.</param>
    public static bool SameContent(JsonElement one, JsonElement other) =>
        CanonicalJson.Bytes(one, s_notContent).AsSpan().SequenceEqual(CanonicalJson.Bytes(other, s_notContent));

    // Order inside lists is kept here: the pods get what the user wrote, only the hash looks at the sorted form.
    private static byte[] CanonicalOrder(JsonElement raw)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in raw.EnumerateObject().Where(static m => !s_notContent.Contains(m.Name)))
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
