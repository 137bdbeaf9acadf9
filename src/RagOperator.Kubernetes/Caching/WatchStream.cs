using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace RagOperator.Kubernetes;

/// <summary>What one line of a watch says.</summary>
internal readonly record struct WatchLine(WatchEventType Type, ReadOnlyMemory<byte> Object);

internal enum WatchEventType
{
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
    Unknown,
}

/// <summary>The watch sent something that is not a watch event.</summary>
internal sealed class WatchFormatException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Reads a watch line by line, each as it arrives.</summary>
internal sealed class WatchStream(Stream stream, int maxLine) : IAsyncDisposable
{
    // Lines are bounded in length; how deep one is must not decide whether the others are read.
    private static readonly JsonReaderOptions s_anyDepth = new() { MaxDepth = int.MaxValue };

    private readonly PipeReader _pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16384, leaveOpen: false));

    /// <summary>The next event; null at a clean end.</summary>
    /// <exception cref="WatchFormatException">A line is too long, cut off, or not a watch event.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<WatchLine?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _pipe.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var next = buffer.GetPosition(1, end);
                var bytes = line.Length > maxLine ? throw TooLong() : line.ToArray();
                _pipe.AdvanceTo(next);
                if (bytes.AsSpan().Trim(" \r\t"u8).IsEmpty) continue;
                return Parse(bytes);
            }

            if (buffer.Length > maxLine) throw TooLong();
            if (read.IsCompleted)
            {
                var rest = buffer.ToArray();
                _pipe.AdvanceTo(buffer.End);
                // The last line may lack its line break, but not its end.
                return rest.AsSpan().Trim(" \r\t\n"u8).IsEmpty ? null : Parse(rest);
            }

            _pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    public ValueTask DisposeAsync() => _pipe.CompleteAsync();

    private WatchFormatException TooLong() => new($"a watch event is longer than {maxLine} bytes");

    private static WatchLine Parse(byte[] line)
    {
        try
        {
            var reader = new Utf8JsonReader(line, s_anyDepth);
            var type = WatchEventType.Unknown;
            ReadOnlyMemory<byte> body = default;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new WatchFormatException("a watch event is not an object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                var isObject = reader.ValueTextEquals("object"u8);
                reader.Read();
                if (isType && reader.TokenType == JsonTokenType.String) type = TypeOf(ref reader);
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isObject) body = line.AsMemory(start, (int)reader.BytesConsumed - start);
            }

            if (reader.TokenType != JsonTokenType.EndObject) throw new WatchFormatException("a watch event is cut off");
            return new(type, body);
        }
        catch (JsonException e)
        {
            throw new WatchFormatException("a watch event is not JSON", e);
        }
    }

    private static WatchEventType TypeOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("ADDED"u8) ? WatchEventType.Added
        : reader.ValueTextEquals("MODIFIED"u8) ? WatchEventType.Modified
        : reader.ValueTextEquals("DELETED"u8) ? WatchEventType.Deleted
        : reader.ValueTextEquals("BOOKMARK"u8) ? WatchEventType.Bookmark
        : reader.ValueTextEquals("ERROR"u8) ? WatchEventType.Error
        : WatchEventType.Unknown;
}
