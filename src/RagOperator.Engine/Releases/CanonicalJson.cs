using System.Buffers;
using System.Text.Json;

namespace RagOperator.Engine.Releases;

/// <summary>One text for all JSON that means the same to us: members without value dropped, keys sorted, lists of named things sorted by name.
/// It is part of content algorithm 1 and must never change its answer.</summary>
public static class CanonicalJson
{
    /// <summary>The canonical UTF-8 text.</summary>
    /// <param name="element">Any JSON.</param>
    /// <param name="without">Members left out of the outermost object.</param>
    public static byte[] Bytes(JsonElement element, params ReadOnlySpan<string> without)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, element, without);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element, ReadOnlySpan<string> without)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject().OrderBy(static m => m.Name, StringComparer.Ordinal))
                {
                    if (member.Value.ValueKind == JsonValueKind.Null || without.Contains(member.Name))
                    {
                        continue;
                    }

                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value, []);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in InOrder(element))
                {
                    Write(writer, item, []);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.Undefined:
                writer.WriteNullValue();
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    private static IEnumerable<JsonElement> InOrder(JsonElement array)
    {
        var names = new List<string>();
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
            {
                return array.EnumerateArray();
            }

            names.Add(name.GetString()!);
        }

        // Two things of one name are no set: their order may matter, so it is left as it is.
        return names.Distinct(StringComparer.Ordinal).Count() == names.Count
            ? array.EnumerateArray().OrderBy(static i => i.GetProperty("name").GetString(), StringComparer.Ordinal)
            : array.EnumerateArray();
    }
}
