using System.Net.Sockets;
using System.Text;

namespace RagOperator.TestBed.Bed;

/// <summary>How what runs inside commands the bed's parts: one line in, one line out, over a unix socket.</summary>
internal static class ControlSocket
{
    public static async Task ServeAsync(string path, Func<string, Task<string>> handle, CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(16);
        while (!cancellationToken.IsCancellationRequested)
        {
            var connection = await listener.AcceptAsync(cancellationToken);
            _ = AnswerAsync(connection, handle);
        }
    }

    public static async Task<string> SendAsync(string path, string line)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync() ?? "error: the bed hung up";
    }

    private static async Task AnswerAsync(Socket connection, Func<string, Task<string>> handle)
    {
        await using var stream = new NetworkStream(connection, ownsSocket: true);
        try
        {
            using var reader = new StreamReader(stream, leaveOpen: true);
            var answer = await reader.ReadLineAsync() is { } line ? await handle(line) : "error: empty";
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer + "\n"));
        }
        catch (IOException)
        {
            // whoever asked has gone
        }
    }
}
