using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>An HTTP/2 server over TLS that a script holds frame by frame: for what no well-behaved server, and no proxy, can be made to do.</summary>
internal sealed class WireServer : IAsyncDisposable
{
    private readonly TestCertificates _authority = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _running = [];
    private readonly Task _accepting;
    private long _activity;
    private int _busy;

    /// <summary>A server that answers each request by a script.</summary>
    public WireServer(Func<WireStream, Task> answer)
    {
        Answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Every connection so far, in order.</summary>
    public ConcurrentQueue<WireConnection> Connections { get; } = new();

    /// <summary>Every request so far, in order.</summary>
    public ConcurrentQueue<WireStream> Requests { get; } = new();

    public KubernetesClientConfiguration Configuration => new()
    {
        Host = new Uri($"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}"),
        CertificateAuthorityData = _authority.CaPem,
        AccessToken = "token",
    };

    /// <summary>Whether nothing moved for a while and nobody waits for an answer that the script is about to give.</summary>
    public bool IsQuiet =>
        Volatile.Read(ref _busy) == 0 && TimeProvider.System.GetElapsedTime(Volatile.Read(ref _activity)) > TimeSpan.FromMilliseconds(100);

    public CancellationToken Stopping => _stop.Token;

    internal Func<WireStream, Task> Answer { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        foreach (var connection in Connections) connection.Cut();
        await Task.WhenAll([_accepting, .. _running]).ContinueWith(static _ => { }, TaskScheduler.Default);
        foreach (var connection in Connections) await connection.DisposeAsync();
        _authority.Dispose();
        _stop.Dispose();
    }

    internal void Touch() => Volatile.Write(ref _activity, TimeProvider.System.GetTimestamp());

    internal void Busy(int by)
    {
        Interlocked.Add(ref _busy, by);
        Touch();
    }

    internal void Run(Task task) => _running.Add(task);

    private async Task AcceptAsync()
    {
        using var certificate = _authority.Server("127.0.0.1");
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                var connection = new WireConnection(this, socket);
                Connections.Enqueue(connection);
                Run(connection.RunAsync(certificate));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
        finally
        {
            // Handshakes under way may still need the certificate.
            await Task.WhenAll(_running).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }
}
