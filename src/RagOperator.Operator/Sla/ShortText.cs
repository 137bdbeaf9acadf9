using System.Text;
using System.Text.RegularExpressions;

namespace RagOperator.Operator.Sla;

/// <summary>Text from outside, made fit for a status, an event or a log.</summary>
internal static partial class ShortText
{
    /// <summary>The most characters that are kept.</summary>
    public const int MaxLength = 200;

    /// <summary>One line of at most <see cref="MaxLength"/> characters, without control characters, without user names and passwords in
    /// addresses, and without any of the secrets given: a proxy may well echo the token that it refuses.</summary>
    public static string Clean(string text, params IReadOnlyList<string> secrets)
    {
        foreach (var secret in secrets)
        {
            // Shorter ones would tear holes into innocent words, and guard nothing.
            if (secret.Length >= 4) text = text.Replace(secret, "***", StringComparison.Ordinal);
        }

        text = UserInfo().Replace(text, "//***@");
        var line = new StringBuilder(Math.Min(text.Length, MaxLength + 1));
        foreach (var c in text)
        {
            var space = char.IsControl(c) || char.IsWhiteSpace(c);
            if (space && (line.Length == 0 || line[^1] == ' ')) continue;
            line.Append(space ? ' ' : c);
            if (line.Length > MaxLength) return Cut(line);
        }

        return line.ToString().TrimEnd();
    }

    private static string Cut(StringBuilder line)
    {
        line.Length = MaxLength - 3;
        if (char.IsHighSurrogate(line[^1])) line.Length--;
        return line.Append("...").ToString();
    }

    // Bounded on both sides: the input is the source's.
    [GeneratedRegex("//[^/@\\s]{1,256}@", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial Regex UserInfo();
}
