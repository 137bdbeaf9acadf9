using System.Net;
using System.Net.Sockets;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Probing;

/// <summary>Makes a TCP connection, sends nothing and closes it. Ends by an exception where it is not made.</summary>
internal delegate Task Connect(IPEndPoint address, CancellationToken cancellationToken);

/// <summary>Asks one address for a connection, for a second at most.</summary>
internal sealed class Connector(Connect connect, TimeProvider time)
{
    /// <summary>How long one address may take to answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static async Task ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, cancellationToken);
    }

    /// <summary>What came of it, and why where nobody can tell. Throws only where <paramref name="stop"/> is cancelled.</summary>
    public async Task<(PortAnswerKind Kind, string? Message)> AskAsync(IPEndPoint address, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await connect(address, both.Token);
            return (PortAnswerKind.Open, null);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return (PortAnswerKind.Refused, null);
        }
        catch (SocketException e) when (!stop.IsCancellationRequested)
        {
            // No way there, no right to go: says something of the network and nothing of the program.
            return (PortAnswerKind.Unknown, $"{address}: {e.SocketErrorCode}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (PortAnswerKind.Unknown, $"{address}: no answer within {Patience.TotalSeconds:0} s");
        }
    }
}
