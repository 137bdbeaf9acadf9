using System.Globalization;
using System.Text;

namespace RagOperator.Api.Values;

/// <summary>Durations as users write them: <c>30s</c>, <c>10m</c>, <c>1h30m</c>, <c>7d</c>, <c>500ms</c>. Whole numbers, each unit at most
/// once, the greater one first; a day is 24 hours.</summary>
public static class RagDuration
{
    /// <summary>The pattern that a text must match; the CRD carries it too.</summary>
    public const string Pattern = "^([0-9]{1,7}d)?([0-9]{1,7}h)?([0-9]{1,7}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$";

    /// <summary>The most characters that a text may have.</summary>
    public const int MaxLength = 32;

    /// <summary>The longest duration: ten years.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>What is allowed, for people.</summary>
    public const string Form = "a duration like 30s, 10m, 1h30m or 7d";

    private static readonly (string Suffix, long Milliseconds, int Digits)[] _units =
        [("d", 86_400_000, 7), ("h", 3_600_000, 7), ("m", 60_000, 7), ("s", 1_000, 9), ("ms", 1, 9)];

    /// <summary>Reads a duration.</summary>
    /// <param name="text">The text; null, empty and anything malformed gives false.</param>
    /// <param name="value">The duration, zero to <see cref="Longest"/>.</param>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
            return false;
        long total = 0;
        var nextUnit = 0;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || digits > 9)
                return false;
            var number = long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var suffix = letters < 0 ? rest : rest[..letters];
            var unit = UnitFrom(nextUnit, suffix);
            if (unit < 0 || digits > _units[unit].Digits)
                return false;
            total += number * _units[unit].Milliseconds;
            nextUnit = unit + 1;
            rest = rest[suffix.Length..];
        }

        if (total > (long)Longest.TotalMilliseconds)
            return false;
        value = TimeSpan.FromMilliseconds(total);
        return true;
    }

    /// <summary>Writes a duration as briefly as it can be read back: <c>1h30m</c>. Parts of a millisecond are dropped, and what is not
    /// positive is <c>0s</c>.</summary>
    /// <param name="value">The duration.</param>
    public static string Format(TimeSpan value)
    {
        var rest = value.Ticks / TimeSpan.TicksPerMillisecond;
        if (rest <= 0)
            return "0s";
        var text = new StringBuilder();
        foreach (var (suffix, milliseconds, _) in _units)
        {
            if (rest < milliseconds)
                continue;
            text.Append(CultureInfo.InvariantCulture, $"{rest / milliseconds}{suffix}");
            rest %= milliseconds;
        }

        return text.ToString();
    }

    private static int UnitFrom(int first, ReadOnlySpan<char> suffix)
    {
        for (var i = first; i < _units.Length; i++)
        {
            if (suffix.SequenceEqual(_units[i].Suffix))
                return i;
        }

        return -1;
    }
}
