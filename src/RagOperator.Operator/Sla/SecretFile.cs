namespace RagOperator.Operator.Sla;

/// <summary>A small secret in a file that somebody else rotates. Read each time that it is needed: there is no moment at which an old one
/// is still used. While the file cannot be read, or is empty, the one known before stays in use.</summary>
internal sealed class SecretFile(string path)
{
    private const int MaxBytes = 64 * 1024;
    private volatile string? _known;

    /// <summary>The secret without white space around it; null where none was ever read.</summary>
    public async ValueTask<string?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            var buffer = new byte[MaxBytes];
            var length = await file.ReadAtLeastAsync(buffer, MaxBytes, throwOnEndOfStream: false, cancellationToken);
            var text = System.Text.Encoding.UTF8.GetString(buffer, 0, length).Trim();
            if (text.Length > 0) _known = text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Mounted Secrets vanish for a moment while they are swapped.
        }

        return _known;
    }
}
