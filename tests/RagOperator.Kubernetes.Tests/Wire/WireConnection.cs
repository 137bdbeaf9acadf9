using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>The frames of HTTP/2 that are needed here (RFC 9113).</summary>
internal enum Frame : byte
{
    Data = 0,
    Headers = 1,
    Reset = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
}

/// <summary>One connection of a <see cref="WireServer"/>.</summary>
internal sealed class WireConnection(WireServer server, Socket socket) : IAsyncDisposable
{
    private const byte Ack = 1, EndStream = 1, EndHeaders = 4, Padded = 8, Priority = 0x20;

    private readonly SslStream _tls = new(new NetworkStream(socket, ownsSocket: true));
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentDictionary<int, WireStream> _streams = new();
    private int _pings;

    /// <summary>The greatest stream that was begun.</summary>
    public int LastStream { get; private set; }

    /// <summary>From then on the connection is dead without a word: nothing comes through, pings neither.</summary>
    public bool IsDead { get; set; }

    /// <summary>Pings that came from the client.</summary>
    public int Pings => Volatile.Read(ref _pings);

    public async Task RunAsync(X509Certificate2 certificate)
    {
        var isNew = true;
        server.Busy(1);
        try
        {
            await _tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http2] }, server.Stopping);
            await _tls.ReadExactlyAsync(new byte[24], server.Stopping); // the preface
            await WriteAsync(Frame.Settings, 0, 0, default);
            var head = new byte[9];
            while (true)
            {
                await _tls.ReadExactlyAsync(head, server.Stopping);
                var body = new byte[(head[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1))];
                await _tls.ReadExactlyAsync(body, server.Stopping);
                if (IsDead) continue;
                var stream = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue;
                if ((Frame)head[3] == Frame.Headers && isNew)
                {
                    isNew = false;
                    server.Busy(-1);
                }

                await TakeAsync((Frame)head[3], head[4], stream, body);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or AuthenticationException)
        {
            // Ended by one side or the other.
        }
        finally
        {
            if (isNew) server.Busy(-1);
            foreach (var stream in _streams.Values) stream.Cancel();
            await _tls.DisposeAsync();
        }
    }

    /// <summary>No new streams after this one; those begun go on.</summary>
    public Task GoAwayAsync(int lastStream)
    {
        var body = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(body, lastStream);
        return WriteAsync(Frame.GoAway, 0, 0, body);
    }

    /// <summary>Ends the connection as a killed process does.</summary>
    public void Cut()
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // Ended already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _tls.DisposeAsync();
        _writing.Dispose();
    }

    internal async Task WriteAsync(Frame type, byte flags, int stream, ReadOnlyMemory<byte> body)
    {
        if (IsDead) return;
        var frame = new byte[9 + body.Length];
        frame[0] = (byte)(body.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)body.Length);
        frame[3] = (byte)type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        body.CopyTo(frame.AsMemory(9));
        await _writing.WaitAsync();
        try
        {
            await _tls.WriteAsync(frame, server.Stopping);
        }
        finally
        {
            _writing.Release();
        }

        if (type != Frame.Ping) server.Touch();
    }

    private async Task TakeAsync(Frame type, byte flags, int id, byte[] body)
    {
        switch (type)
        {
            case Frame.Settings when (flags & Ack) == 0:
                await WriteAsync(Frame.Settings, Ack, 0, default);
                break;
            case Frame.Ping when (flags & Ack) == 0:
                Interlocked.Increment(ref _pings);
                await WriteAsync(Frame.Ping, Ack, 0, body);
                break;
            case Frame.Headers:
                var end = body.Length - ((flags & Padded) != 0 ? body[0] : 0);
                var start = ((flags & Padded) != 0 ? 1 : 0) + ((flags & Priority) != 0 ? 5 : 0);
                Assert.True((flags & EndHeaders) != 0, "headers in several frames");
                var stream = new WireStream(server, this, id, body.AsSpan(start, end - start));
                LastStream = id;
                _streams[id] = stream;
                if ((flags & EndStream) != 0) Begin(stream);
                break;
            case Frame.Data when (flags & EndStream) != 0 && _streams.TryGetValue(id, out var sent):
                Begin(sent);
                break;
            case Frame.Reset when _streams.TryGetValue(id, out var reset):
                reset.Cancel();
                break;
        }
    }

    private void Begin(WireStream stream)
    {
        server.Requests.Enqueue(stream);
        server.Run(stream.RunAsync());
    }
}
