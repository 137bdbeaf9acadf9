using System.Globalization;

namespace RagOperator.Api.Values;

/// <summary>The values of limits as users write them: a decimal, <c>1%</c> (= 0.01), <c>500ms</c> or <c>2s</c> (= seconds), <c>5M</c>,
/// <c>512Mi</c> or <c>1G</c> (as Kubernetes quantities). A lone <c>m</c> is refused: it could be milli or minutes.</summary>
public static class LimitValue
{
    /// <summary>The pattern that a text must match; the CRD carries it too.</summary>
    public const string Pattern = @"^-?[0-9]{1,18}(\.[0-9]{1,9})?(%|ms|s|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";

    /// <summary>The pattern of a distance from stable's value, which is not negative.</summary>
    public const string DistancePattern = @"^[0-9]{1,18}(\.[0-9]{1,9})?(%|ms|s|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";

    /// <summary>The pattern of a percentage.</summary>
    public const string PercentPattern = @"^[0-9]{1,9}(\.[0-9]{1,9})?%?$";

    /// <summary>The most characters that a text may have.</summary>
    public const int MaxLength = 32;

    /// <summary>What is allowed, for people.</summary>
    public const string Form = "a number like 0.01, 1%, 500ms, 2s, 5M or 512Mi";

    /// <summary>What is allowed for a percentage, for people.</summary>
    public const string PercentForm = "a percentage like 10% or 10, not below 0";

    /// <summary>Reads a limit in Prometheus' base units.</summary>
    /// <param name="text">The text; null, empty and anything malformed gives false.</param>
    /// <param name="value">The value, always finite.</param>
    public static bool TryParse(string? text, out double value) => TryParse(text, out value, out _);

    /// <summary>Reads a limit in Prometheus' base units, and the unit that it is written in.</summary>
    /// <param name="text">The text; null, empty and anything malformed gives false.</param>
    /// <param name="value">The value, always finite.</param>
    /// <param name="unit">The unit.</param>
    public static bool TryParse(string? text, out double value, out LimitUnit unit)
    {
        value = 0;
        unit = LimitUnit.None;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
            return false;
        var end = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        if (!TryNumber(text.AsSpan(0, end), out var number) || !TryUnit(text.AsSpan(end), out unit))
            return false;
        // Decimal, so that 1% is 0.01 and not its neighbour; what does not fit there keeps a double's precision.
        value = Math.Abs(number) < 1e9m ? (double)(number * unit.Factor) : (double)number * (double)unit.Factor;
        return true;
    }

    /// <summary>Reads a percentage as a fraction: <c>10%</c> and <c>10</c> are both 0.1.</summary>
    /// <param name="text">The text; null, empty, negative and anything malformed gives false.</param>
    /// <param name="fraction">The fraction, not negative, always finite.</param>
    public static bool TryParsePercent(string? text, out double fraction)
    {
        fraction = 0;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
            return false;
        var digits = text.EndsWith('%') ? text.AsSpan(0, text.Length - 1) : text.AsSpan();
        if (!TryNumber(digits, out var number) || number < 0)
            return false;
        fraction = (double)(number / 100m);
        return true;
    }

    /// <summary>Writes a value like the limit that it is compared with: 0.0123 beside <c>1%</c> is <c>1.23%</c>.</summary>
    /// <param name="value">The value in base units.</param>
    /// <param name="like">The limit as written; a bare number is written where it cannot be read.</param>
    public static string Format(double value, string? like) =>
        TryParse(like, out var limit, out var unit) ? Format(value, unit, limit) : Format(value, LimitUnit.None);

    /// <summary>Writes a value in a unit with three significant digits, and with more where it would else look equal to a limit that it
    /// differs from.</summary>
    /// <param name="value">The value in base units.</param>
    /// <param name="unit">The unit.</param>
    /// <param name="limits">Limits in base units that it is compared with.</param>
    public static string Format(double value, LimitUnit unit, params ReadOnlySpan<double> limits)
    {
        if (double.IsNaN(value))
            return "NaN";
        if (double.IsInfinity(value))
            return value > 0 ? "+Inf" : "-Inf";
        // default(LimitUnit) has no factor
        var factor = unit.Factor == 0m ? 1d : (double)unit.Factor;
        var digits = 3;
        while (digits < 12 && LooksLikeALimit(Round(value / factor, digits), value, factor, limits))
            digits++;
        return Text(Round(value / factor, digits)) + unit.Suffix;
    }

    private static bool LooksLikeALimit(double shown, double value, double factor, ReadOnlySpan<double> limits)
    {
        foreach (var limit in limits)
        {
            if (value != limit && Math.Abs(shown - (limit / factor)) <= Math.Abs(shown) * 1e-12)
                return true;
        }

        return false;
    }

    private static double Round(double value, int significant)
    {
        if (value == 0)
            return 0;
        // Digits before the point are never cut: 1234 stays 1234.
        var decimals = significant - 1 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        if (decimals <= 0)
            return Math.Round(value, MidpointRounding.AwayFromZero);
        return decimals <= 15 ? Math.Round(value, decimals, MidpointRounding.AwayFromZero) : value;
    }

    private static string Text(double value) => Math.Abs(value) is >= 1e15 or (> 0 and < 1e-6)
        ? value.ToString("0.##e+0", CultureInfo.InvariantCulture)
        : value.ToString("0.###############", CultureInfo.InvariantCulture);

    /// <summary>Digits, a point, digits, and a minus sign: no blanks, groups, exponents, hex or words, whatever the culture.</summary>
    private static bool TryNumber(ReadOnlySpan<char> text, out decimal number)
    {
        number = 0;
        var digits = text.StartsWith("-") ? text[1..] : text;
        var point = digits.IndexOf('.');
        var whole = point < 0 ? digits : digits[..point];
        var part = point < 0 ? default : digits[(point + 1)..];
        if (whole.IsEmpty || whole.Length > 18 || whole.ContainsAnyExceptInRange('0', '9'))
            return false;
        if (point >= 0 && (part.IsEmpty || part.Length > 9 || part.ContainsAnyExceptInRange('0', '9')))
            return false;
        return decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }

    private static bool TryUnit(ReadOnlySpan<char> suffix, out LimitUnit unit)
    {
        foreach (var known in LimitUnit.All)
        {
            if (suffix.SequenceEqual(known.Suffix))
            {
                unit = known;
                return true;
            }
        }

        unit = LimitUnit.None;
        return false;
    }
}
