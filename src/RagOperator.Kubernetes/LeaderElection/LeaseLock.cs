using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes.LeaderElection;

/// <summary>The Lease on the server. Every answer is a value; a cancelled token throws <see cref="OperationCanceledException"/>.</summary>
internal interface ILeaseLock
{
    /// <summary>Reads it, live.</summary>
    Task<ApiResult<LeaseRecord>> GetAsync(CancellationToken cancellationToken);

    /// <summary>Creates it; a taken name is <see cref="ApiReason.AlreadyExists"/>.</summary>
    Task<ApiResult<LeaseRecord>> CreateAsync(JsonObject body, CancellationToken cancellationToken);

    /// <summary>Replaces it, if it is still at the version that the body names; else <see cref="ApiReason.Conflict"/>.</summary>
    Task<ApiResult<LeaseRecord>> UpdateAsync(JsonObject body, CancellationToken cancellationToken);

    /// <summary>Watches it until the watch ends by itself.</summary>
    /// <param name="seen">Told each state, the current one first; null when it was deleted.</param>
    /// <param name="opened">Told once, when the server has begun to send.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>Why it ended; null at a clean end.</returns>
    Task<ApiResult?> WatchAsync(Action<LeaseRecord?> seen, Action opened, CancellationToken cancellationToken);
}

/// <summary>The Lease on a real server, over connections that nothing else uses.</summary>
internal sealed class LeaseLock(KubernetesClient client, LeaderElectionConfig config) : ILeaseLock, IDisposable
{
    // Long enough that its end costs nothing, short enough for a connection that died without a word.
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(5);

    private readonly string _path = ResourcePath.Object(V1Lease.EntityMetadata, config.Lease);
    private readonly string _collection = ResourcePath.Collection(V1Lease.EntityMetadata, config.Lease.Namespace);
    private readonly KubernetesClient _watching = client.WithOwnConnections();
    private KubernetesClient _asking = client.WithOwnConnections();

    public Task<ApiResult<LeaseRecord>> GetAsync(CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, _path, null, cancellationToken);

    public Task<ApiResult<LeaseRecord>> CreateAsync(JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, _collection, body, cancellationToken);

    public Task<ApiResult<LeaseRecord>> UpdateAsync(JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, _path, body, cancellationToken);

    public async Task<ApiResult?> WatchAsync(Action<LeaseRecord?> seen, Action opened, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(WatchTime * 1.1, _watching.Watches.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var path = ResourcePath.WithQuery(
            _collection, ("watch", "true"), ("fieldSelector", $"metadata.name={config.Lease.Name}"), ("timeoutSeconds", $"{WatchTime.TotalSeconds}"));
        var call = new ApiCall("watch", V1Lease.EntityMetadata.PluralName, config.Lease);
        try
        {
            var (response, failure) = await _watching.Watches.OpenAsync(new ApiRequest(call, HttpMethod.Get, path), either.Token);
            if (response is null) return failure;
            using (response)
            {
                opened();
                await using var stream = new WatchStream(
                    await response.Content.ReadAsStreamAsync(either.Token), _watching.Watches.Config.MaxWatchEventBytes);
                while (await stream.ReadAsync(either.Token) is { } line)
                {
                    switch (line.Type)
                    {
                        case WatchEventType.Added or WatchEventType.Modified:
                            seen(LeaseRecord.Parse(line.Object.Span));
                            break;
                        case WatchEventType.Deleted:
                            seen(null);
                            break;
                        case WatchEventType.Error:
                            return Ended(call, RequestSender.StatusOf(line.Object.Span)?.Message ?? "the watch ended with an error", null);
                    }
                }
            }

            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or WatchFormatException or JsonException)
        {
            return Ended(call, e.Message, e);
        }
    }

    public void Dispose()
    {
        _watching.Dispose();
        _asking.Dispose();
    }

    private async Task<ApiResult<LeaseRecord>> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        var bytes = body is null ? default : (ReadOnlyMemory<byte>)JsonSerializer.SerializeToUtf8Bytes(body, AbstractionsJsonContext.Default.JsonObject);
        var answer = await _asking.SendAsync(method, path, body: bytes, timeout: config.RequestTimeout, cancellationToken: cancellationToken);
        if (answer.Reason == ApiReason.Transport) Reconnect();
        var call = new ApiCall(answer.Call.Verb, V1Lease.EntityMetadata.PluralName, config.Lease);
        if (!answer.IsSuccess) return answer.Failed<LeaseRecord>(call);
        try
        {
            return new ApiResult<LeaseRecord> { Call = call, StatusCode = answer.StatusCode, AuditId = answer.AuditId, Value = LeaseRecord.Parse(answer.Value) };
        }
        catch (JsonException e)
        {
            return new ApiResult<LeaseRecord> { Call = call, StatusCode = answer.StatusCode, Reason = ApiReason.Malformed, Message = e.Message, Error = e };
        }
    }

    // A connection that swallows requests would swallow the next, too, until its pings give up: later than a lease lasts.
    private void Reconnect()
    {
        _asking.Dispose();
        _asking = client.WithOwnConnections();
    }

    private static ApiResult<LeaseRecord> Ended(ApiCall call, string message, Exception? error) =>
        new() { Call = call, Reason = ApiReason.Transport, Message = message, Error = error };
}
