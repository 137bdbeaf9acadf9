using System.Text.Json;
using RagOperator.Abstractions;

namespace RagOperator.Kubernetes;

/// <summary>What names an object whose rest cannot be read, whatever that is.</summary>
/// <param name="Key">Its namespace and name; empty where even these cannot be read.</param>
/// <param name="ResourceVersion">Its version; empty where it has none.</param>
internal readonly record struct ObjectHead(NamespacedName Key, string ResourceVersion)
{
    // No object is as deep: the size of what is read is bounded before.
    private static readonly JsonReaderOptions s_anyDepth = new() { MaxDepth = int.MaxValue };

    public static ObjectHead Of(ReadOnlySpan<byte> body)
    {
        string ns = "", name = "", version = "";
        try
        {
            var reader = new Utf8JsonReader(body, s_anyDepth);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return default;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMetadata = reader.ValueTextEquals("metadata"u8);
                reader.Read();
                if (!isMetadata || reader.TokenType != JsonTokenType.StartObject)
                {
                    reader.Skip();
                    continue;
                }

                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    if (reader.ValueTextEquals("namespace"u8)) ns = Text(ref reader);
                    else if (reader.ValueTextEquals("name"u8)) name = Text(ref reader);
                    else if (reader.ValueTextEquals("resourceVersion"u8)) version = Text(ref reader);
                    else Text(ref reader);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not even JSON, or no text: what was found so far names it, if anything does.
        }

        return new(new(ns, name), version);
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        reader.Skip();
        return text;
    }
}
