using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Reads a list object by object, as it arrives: one that the model cannot hold is named, and does not take the others with it; and of a list of
/// a hundred large objects no more than one is in memory as text.</summary>
/// <param name="type">The kind.</param>
/// <param name="largest">Bytes of one object at most.</param>
/// <param name="trim">Takes from an object what is not to be kept of it; null: nothing.</param>
internal sealed class ListReader<T>(JsonTypeInfo<T> type, int largest, Action<object>? trim = null)
    where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
{
    private const int FirstBuffer = 65536;

    private Place _place = Place.Before;
    private V1ListMeta? _metadata;

    private enum Place
    {
        Before,
        InList,
        InItems,
        After,
    }

    /// <summary>The objects that could be read.</summary>
    public List<T> Items { get; } = [];

    /// <summary>Those that are there and could not.</summary>
    public List<NamespacedName> Undecodable { get; } = [];

    /// <summary>Reads the list to its end.</summary>
    /// <exception cref="JsonException">It is not a list, or is cut off.</exception>
    public async Task<V1ListMeta> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = int.MaxValue });
            var filled = 0;
            for (var isEnd = false; !isEnd;)
            {
                // Filled to the brim before it is looked at: an object that does not fit is begun anew, each time with twice the room.
                while (filled < buffer.Length && !isEnd)
                {
                    var count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken);
                    filled += count;
                    isEnd = count == 0;
                }

                var used = Take(buffer.AsSpan(0, filled), isEnd, ref state);
                if (used == 0 && !isEnd) buffer = Grown(buffer, filled);
                else buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (_place != Place.After) throw new JsonException("the list is cut off");
        return _metadata ?? throw new JsonException("the list has no metadata");
    }

    private byte[] Grown(byte[] buffer, int filled)
    {
        if (filled >= largest) throw new JsonException($"an object of the list is larger than {largest} bytes");
        var next = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, filled).CopyTo(next);
        ArrayPool<byte>.Shared.Return(buffer);
        return next;
    }

    /// <summary>Takes what is complete. Returns how many bytes that were.</summary>
    private int Take(ReadOnlySpan<byte> bytes, bool isEnd, ref JsonReaderState state)
    {
        var reader = new Utf8JsonReader(bytes, isEnd, state);
        var whole = reader;
        while (TakeOne(bytes, ref reader)) whole = reader;
        state = whole.CurrentState;
        return (int)whole.BytesConsumed;
    }

    /// <summary>Takes one member of the list, or one item. False where it is not all there yet.</summary>
    private bool TakeOne(ReadOnlySpan<byte> bytes, ref Utf8JsonReader reader)
    {
        if (_place == Place.After || !reader.Read()) return false;
        if (_place == Place.Before)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("a list was expected");
            _place = Place.InList;
            return true;
        }

        if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            _place = reader.TokenType == JsonTokenType.EndArray ? Place.InList : Place.After;
            return true;
        }

        if (_place == Place.InItems)
        {
            if (!TryValue(bytes, ref reader, out var item)) return false;
            ReadItem(item);
            return true;
        }

        var isMetadata = reader.ValueTextEquals("metadata"u8);
        var isItems = reader.ValueTextEquals("items"u8);
        if (!reader.Read()) return false;
        if (isItems && reader.TokenType != JsonTokenType.Null)
        {
            if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("items is not a list");
            _place = Place.InItems;
            return true;
        }

        if (!TryValue(bytes, ref reader, out var value)) return false;
        if (isMetadata) _metadata = JsonSerializer.Deserialize(value, AbstractionsJsonContext.Default.V1ListMeta);
        return true;
    }

    private static bool TryValue(ReadOnlySpan<byte> bytes, ref Utf8JsonReader reader, out ReadOnlySpan<byte> value)
    {
        var start = (int)reader.TokenStartIndex;
        value = default;
        if (!reader.TrySkip()) return false;
        value = bytes[start..(int)reader.BytesConsumed];
        return true;
    }

    private void ReadItem(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (JsonSerializer.Deserialize(bytes, type) is not { } item) return;
            trim?.Invoke(item);
            Items.Add(item.Complete());
        }
        catch (JsonException)
        {
            Undecodable.Add(ObjectHead.Of(bytes).Key);
        }
    }
}
