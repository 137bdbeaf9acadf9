using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Reads a list object by object: one that the model cannot hold is named, and does not take the others with it.</summary>
internal static class ListReader
{
    public static V1ListMeta Read<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type, List<T> items, List<NamespacedName> undecodable)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var reader = new Utf8JsonReader(body);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("a list was expected");
        V1ListMeta? metadata = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("metadata"u8))
            {
                reader.Read();
                metadata = JsonSerializer.Deserialize(ref reader, AbstractionsJsonContext.Default.V1ListMeta);
            }
            else if (reader.ValueTextEquals("items"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.Null) continue;
                if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("items is not a list");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) ReadItem(ref reader, type, items, undecodable);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return metadata ?? throw new JsonException("the list has no metadata");
    }

    private static void ReadItem<T>(ref Utf8JsonReader reader, JsonTypeInfo<T> type, List<T> items, List<NamespacedName> undecodable)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var start = reader;
        try
        {
            if (JsonSerializer.Deserialize(ref reader, type) is { } item) items.Add(Complete(item));
        }
        catch (JsonException)
        {
            reader = start;
            var whole = JsonElement.ParseValue(ref reader);
            undecodable.Add(KeyOf(whole));
        }
    }

    /// <summary>Items of a list do not say what they are.</summary>
    public static T Complete<T>(T item)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        item.ApiVersion ??= T.EntityMetadata.ApiVersion;
        item.Kind ??= T.EntityMetadata.Kind;
        return item;
    }

    public static NamespacedName KeyOf(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
            return default;
        return new(Text(metadata, "namespace"), Text(metadata, "name"));

        static string Text(JsonElement e, string name) =>
            e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
    }
}
