using System.Text;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.Caching;

public sealed class WatchStreamTests
{
    [Fact]
    public Task Events_are_the_same_however_the_bytes_are_cut() => Seeded.EachAsync(300, static async random =>
    {
        string[] types = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "SOMETHING"];
        var expected = new List<string>();
        var text = new StringBuilder();
        for (var i = random.Next(1, 8); i > 0; i--)
        {
            var (type, body) = (types[random.Next(types.Length)], $$$"""{"metadata":{"name":"ü€😀{{{new string('x', random.Next(40_000) * random.Next(2))}}}"},"n":[{{{random.Next()}}}, {"type": "x"}]}""");
            expected.Add($"{type} {body}");
            text.Append(random.Next(2) == 0 ? $$"""{"type":"{{type}}","object":{{body}}}""" : $$"""{ "object" : {{body}}, "other":[1], "type":"{{type}}" }""");
            if (i > 1 || random.Next(2) == 0) text.Append(random.Next(3) == 0 ? "\r\n\n" : "\n");
        }

        await using var stream = new WatchStream(new Pieces(Encoding.UTF8.GetBytes(text.ToString()), random), maxLine: 1 << 20);
        var got = new List<string>();
        while (await stream.ReadAsync(CancellationToken.None) is { } line)
            got.Add($"{(line.Type == WatchEventType.Unknown ? "SOMETHING" : line.Type.ToString().ToUpperInvariant())} {Encoding.UTF8.GetString(line.Object.Span)}");
        Assert.Equal(expected, got);
    });

    [Fact]
    public Task Cut_off_event_is_never_taken_for_a_whole_one() => Seeded.EachAsync(300, static async random =>
    {
        var line = Encoding.UTF8.GetBytes("""{"type":"ADDED","object":{"metadata":{"name":"ü€😀"},"list":[1,2,{}]}}""");
        var cut = random.Next(1, line.Length);
        await using var stream = new WatchStream(new Pieces([.. line, (byte)'\n', .. line[..cut]], random), maxLine: 1 << 20);
        Assert.NotNull(await stream.ReadAsync(CancellationToken.None));
        await Assert.ThrowsAsync<WatchFormatException>(async () => await stream.ReadAsync(CancellationToken.None));
    });

    /// <summary>A stream that hands out a few bytes at a time, often just one.</summary>
    private sealed class Pieces(byte[] bytes, Random random) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var size = Math.Min(Math.Min(count, bytes.Length - _at), random.Next(3) == 0 ? random.Next(1, 20_000) : 1);
            bytes.AsSpan(_at, size).CopyTo(buffer.AsSpan(offset, size));
            _at += size;
            return size;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var array = new byte[buffer.Length];
            var read = Read(array, 0, array.Length);
            array.AsMemory(0, read).CopyTo(buffer);
            return new(read);
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
