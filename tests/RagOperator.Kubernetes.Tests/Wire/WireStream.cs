using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>One request, and the frames of its answer.</summary>
internal sealed class WireStream
{
    private readonly WireServer _server;
    private readonly int _id;
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes the path and the token out of a header block. .NET writes header values as they are, neither in Huffman's code nor indexed.</summary>
    public WireStream(WireServer server, WireConnection connection, int id, ReadOnlySpan<byte> block)
    {
        (_server, Connection, _id) = (server, connection, id);
        var text = Encoding.Latin1.GetString(block);
        Path = Regex.Match(text, "/api[-A-Za-z0-9/._~%?&=:,+|]*").Value;
        Token = Regex.Match(text, "Bearer (?<token>[-a-z0-9]+)").Groups["token"].Value;
        Assert.NotEmpty(Path);
    }

    public WireConnection Connection { get; }

    public string Path { get; }

    public string Token { get; }

    public bool IsWatch => Path.Contains("watch=true", StringComparison.Ordinal);

    /// <summary>A parameter of the query; empty when it is not there.</summary>
    public string Query(string name) => Uri.UnescapeDataString(Regex.Match(Path, $"[?&]{name}=(?<value>[^&]*)").Groups["value"].Value);

    public Task HeadersAsync(int status = 200)
    {
        // HPACK: an indexed :status 200, or a literal one; then a literal content-type.
        byte[] code = status == 200 ? [0x88] : [0x08, 3, .. Encoding.ASCII.GetBytes(status.ToString(CultureInfo.InvariantCulture))];
        var type = "application/json"u8;
        return Connection.WriteAsync(Frame.Headers, 4, _id, (byte[])[.. code, 0x0f, 0x10, (byte)type.Length, .. type]);
    }

    public Task DataAsync(ReadOnlyMemory<byte> bytes, bool end = false) => Connection.WriteAsync(Frame.Data, (byte)(end ? 1 : 0), _id, bytes);

    public Task DataAsync(string text, bool end = false) => DataAsync(Encoding.UTF8.GetBytes(text), end);

    /// <summary>A whole answer.</summary>
    public async Task JsonAsync(string body, int status = 200)
    {
        await HeadersAsync(status);
        await DataAsync(body, end: true);
    }

    /// <summary>The server takes back this one stream.</summary>
    public Task ResetAsync() => Connection.WriteAsync(Frame.Reset, 0, _id, new byte[] { 0, 0, 0, 2 });

    /// <summary>Says nothing more until the other side has gone; meanwhile nobody waits for this script.</summary>
    public Task HoldAsync() => HoldAsync(_gone.Task);

    /// <summary>Says nothing until a sign is given or the other side has gone, which it says.</summary>
    public async Task<bool> HoldAsync(Task sign)
    {
        _server.Busy(-1);
        await Task.WhenAny(sign, _gone.Task);
        _server.Busy(1);
        return !_gone.Task.IsCompleted;
    }

    internal void Cancel()
    {
        _server.Touch();
        _gone.TrySetResult();
    }

    internal async Task RunAsync()
    {
        _server.Busy(1);
        try
        {
            await _server.Answer(this);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended meanwhile.
        }
        finally
        {
            _server.Busy(-1);
        }
    }
}
