using Microsoft.Extensions.Logging;

namespace RagOperator.Kubernetes;

/// <summary>A bearer token in a file that somebody else rotates. A read that fails, or an empty file, keeps the token that is known.</summary>
internal sealed partial class TokenFile(string path, string? initial, TimeProvider time, ILogger logger) : ICredentialSource
{
    // client-go reads again after a minute, 10 s early.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(50);

    private readonly Lock _lock = new();
    private Credential? _current = initial is null ? null : Credential.Bearer(initial);
    private long? _readAt;

    public ValueTask<Credential> GetAsync(CancellationToken cancellationToken)
    {
        // Reading a small local file under the lock is cheaper than coordinating readers.
        lock (_lock)
        {
            if (_current is null || _readAt is not { } at || time.GetElapsedTime(at) >= MaxAge) Read();
            return new(_current ?? throw new KubeConfigException($"{path}: holds no token, and none was read before."));
        }
    }

    public void Reject(Credential refused)
    {
        lock (_lock)
        {
            // Only the token that is still ours makes the file stale: another request may have seen the new one already.
            if (ReferenceEquals(refused, _current)) _readAt = null;
        }
    }

    public void Dispose()
    {
    }

    private void Read()
    {
        try
        {
            var token = File.ReadAllText(path).Trim();
            if (token.Length == 0)
            {
                LogEmpty(logger, path);
                return;
            }

            if (!string.Equals(_current?.Header?.Parameter, token, StringComparison.Ordinal)) _current = Credential.Bearer(token);
            _readAt = time.GetTimestamp();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, e, path);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Token file {Path} is empty; the token known before stays in use")]
    private static partial void LogEmpty(ILogger logger, string path);

    [LoggerMessage(2, LogLevel.Warning, "Token file {Path} cannot be read; the token known before stays in use")]
    private static partial void LogUnreadable(ILogger logger, Exception e, string path);
}
