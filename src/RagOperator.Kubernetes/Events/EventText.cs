using System.Globalization;
using System.Text;

namespace RagOperator.Kubernetes;

/// <summary>The limits and formats that the server holds events to.</summary>
internal static class EventText
{
    /// <summary>Bytes of UTF-8, not characters: so the server counts.</summary>
    public const int MaxNote = 1024;

    public const int MaxWord = 128;

    // A name has at most 253 characters; a dot and 16 hex digits follow the object's.
    private const int MaxObjectName = 253 - 17;

    /// <summary>MicroTime: exactly six digits and Z; the server refuses any other count.</summary>
    public static string MicroTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Events of one object sort by name as they happened: kubectl lists them so where it has nothing better to sort by.</summary>
    public static string Name(string objectName, DateTimeOffset time)
    {
        var nanoseconds = (ulong)(time - DateTimeOffset.UnixEpoch).Ticks * 100;
        var prefix = objectName.Length > MaxObjectName ? objectName[..MaxObjectName].TrimEnd('.', '-') : objectName;
        return $"{prefix}.{nanoseconds:x16}";
    }

    /// <summary>The beginning that fits, with dots in place of the rest; never half a character.</summary>
    public static string Cut(string text, int maxBytes)
    {
        if (Encoding.UTF8.GetByteCount(text) <= maxBytes) return text;
        const string dots = "...";
        var room = maxBytes - dots.Length;
        var end = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Utf8SequenceLength > room) break;
            room -= rune.Utf8SequenceLength;
            end += rune.Utf16SequenceLength;
        }

        return text[..end] + dots;
    }
}
