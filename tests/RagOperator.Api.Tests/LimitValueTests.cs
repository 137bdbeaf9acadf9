using System.Globalization;
using System.Numerics;
using FsCheck.Fluent;
using RagOperator.Api.Values;
using RagOperator.Tests.Shared;

namespace RagOperator.Api.Tests;

public class LimitValueTests
{
    [Theory]
    [InlineData("0.01", 0.01)]
    [InlineData("1%", 0.01)]
    [InlineData("0.1%", 0.001)]
    [InlineData("85%", 0.85)]
    [InlineData("500ms", 0.5)]
    [InlineData("2s", 2)]
    [InlineData("3.5s", 3.5)]
    [InlineData("5M", 5e6)]
    [InlineData("512Mi", 536870912)]
    [InlineData("1G", 1e9)]
    [InlineData("2Ki", 2048)]
    [InlineData("1k", 1000)]
    [InlineData("8Ei", 9.223372036854775808e18)]
    [InlineData("-1", -1)]
    [InlineData("0", 0)]
    [InlineData("100", 100)]
    [InlineData("999999999999999999E", 1e36)]
    public void TryParse_limit_gives_base_units(string text, double expected)
    {
        Assert.True(LimitValue.TryParse(text, out var value));
        Assert.Equal(expected, value, Math.Abs(expected) * 1e-15);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("5 %x")]
    [InlineData("5 %")]
    [InlineData("%")]
    [InlineData("1%%")]
    [InlineData("NaN")]
    [InlineData("Inf")]
    [InlineData("Infinity")]
    [InlineData("0x10")]
    [InlineData("1e3")]
    [InlineData("1,5")]
    [InlineData("1,000")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("+1")]
    [InlineData("--1")]
    [InlineData(" 1")]
    [InlineData("1\n")]
    [InlineData("1MB")]
    [InlineData("1mi")]
    [InlineData("1K")]
    [InlineData("5m")] // milli or minutes?
    [InlineData("1h")]
    [InlineData("٣")]
    [InlineData("1.0000000001")]
    [InlineData("9999999999999999999")]
    public void TryParse_anything_else_is_refused(string? text)
    {
        Assert.False(LimitValue.TryParse(text, out _));
    }

    [Theory]
    [InlineData("10%", 0.1)]
    [InlineData("10", 0.1)]
    [InlineData("0.5%", 0.005)]
    [InlineData("0", 0)]
    [InlineData("250", 2.5)]
    public void TryParsePercent_with_and_without_sign_is_the_same(string text, double expected)
    {
        Assert.True(LimitValue.TryParsePercent(text, out var fraction));
        Assert.Equal(expected, fraction);
    }

    [Theory]
    [InlineData("-1%")]
    [InlineData("1M")]
    [InlineData("10 %")]
    [InlineData("%")]
    [InlineData("10%%")]
    public void TryParsePercent_anything_else_is_refused(string text)
    {
        Assert.False(LimitValue.TryParsePercent(text, out _));
    }

    [Theory]
    [InlineData(0.0123, "1%", "1.23%")]
    [InlineData(0.512, "500ms", "512ms")]
    [InlineData(1.5, "500ms", "1500ms")]
    [InlineData(0.85, "2s", "0.85s")]
    [InlineData(630194176, "512Mi", "601Mi")]
    [InlineData(1234567890, "1G", "1.23G")]
    [InlineData(0.0123, "0.01", "0.0123")]
    [InlineData(1234.5, "100", "1235")]
    [InlineData(0, "1%", "0%")]
    [InlineData(-0.5, "1", "-0.5")]
    [InlineData(0.5, "nonsense", "0.5")]
    [InlineData(0.5, null, "0.5")]
    [InlineData(double.NaN, "1%", "NaN")]
    [InlineData(double.PositiveInfinity, "1%", "+Inf")]
    [InlineData(double.NegativeInfinity, "1%", "-Inf")]
    [InlineData(0.010004, "1%", "1.0004%")] // not "1%", which would be no breach
    [InlineData(0.01, "1%", "1%")]
    [InlineData(0.0000000004, "1", "4e-10")]
    public void Format_value_reads_like_its_limit(double value, string? like, string expected)
    {
        Assert.Equal(expected, LimitValue.Format(value, like));
    }

    [Fact]
    public void TryParse_and_Format_are_the_same_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("", useUserOverride: false) { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "~" } };
            Assert.True(LimitValue.TryParse("-1.5", out var value));
            Assert.Equal("-1.5", LimitValue.Format(value, "1"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Format_then_TryParse_stays_within_three_digits()
    {
        var units = Gen.Elements("1", "1%", "1ms", "1s", "1M", "1Mi", "1G");
        var cases = units.SelectMany(static unit => Gen.Choose(1, 1_000_000_000).Select(n => (Unit: unit, Value: n / 1000.0))).ToArbitrary();
        Seeded.Holds(1000, cases, static c =>
        {
            Assert.True(LimitValue.TryParse(c.Unit, out var one));
            var value = c.Value * one;
            return LimitValue.TryParse(LimitValue.Format(value, c.Unit), out var again) && Math.Abs(again - value) <= Math.Abs(value) * 0.006;
        });
    }

    [Fact]
    public void TryParse_random_text_never_throws_and_is_finite() =>
        Seeded.Holds(1000, ArbMap.Default.ArbFor<string?>(), static text =>
        {
            var read = LimitValue.TryParse(text, out var value);
            var readPercent = LimitValue.TryParsePercent(text, out var fraction);
            return (read ? double.IsFinite(value) : value == 0) && (readPercent ? fraction >= 0 && double.IsFinite(fraction) : fraction == 0);
        });

    [Fact]
    public void TryParse_any_text_agrees_with_the_pattern_of_the_crd()
    {
        var pieces = Gen.Elements("1", "0", "-", ".", "5", "%", "ms", "s", "m", "M", "Mi", "i", "G", "k", "K", "E", "e", " ", "\n");
        var texts = pieces.ListOf().Select(static p => string.Concat(p)).ToArbitrary();
        Seeded.Holds(5000, texts, static text =>
        {
            var matches = text.Length <= LimitValue.MaxLength
                && System.Text.RegularExpressions.Regex.IsMatch(text, LimitValue.Pattern.Replace("$", "\\z", StringComparison.Ordinal));
            return LimitValue.TryParse(text, out _) == matches;
        });
    }

    [Fact]
    public void TryParse_any_limit_is_its_number_times_its_unit() => Seeded.Each(20000, static random =>
    {
        // Exact arithmetic: the digits without the point, times the unit as a whole number, over a power of ten.
        (string Suffix, BigInteger Factor, int Tens)[] units =
        [
            ("", 1, 0), ("%", 1, 2), ("ms", 1, 3), ("s", 1, 0), ("k", 1000, 0), ("M", 1000000, 0), ("G", 1000000000, 0),
            ("T", BigInteger.Pow(10, 12), 0), ("P", BigInteger.Pow(10, 15), 0), ("E", BigInteger.Pow(10, 18), 0), ("Ki", BigInteger.Pow(2, 10), 0), ("Mi", BigInteger.Pow(2, 20), 0),
            ("Gi", BigInteger.Pow(2, 30), 0), ("Ti", BigInteger.Pow(2, 40), 0), ("Pi", BigInteger.Pow(2, 50), 0), ("Ei", BigInteger.Pow(2, 60), 0),
        ];
        var unit = units[random.Next(units.Length)];
        var whole = Digits(random, random.Next(1, 19));
        var part = random.Next(2) == 0 ? "" : Digits(random, random.Next(1, 10));
        var minus = random.Next(4) == 0;
        var text = (minus ? "-" : "") + whole + (part.Length > 0 ? "." + part : "") + unit.Suffix;
        Assert.True(LimitValue.TryParse(text, out var value), text);

        var tens = BigInteger.Pow(10, part.Length + unit.Tens);
        var exact = BigInteger.Parse(whole + part, CultureInfo.InvariantCulture) * unit.Factor * (minus ? -1 : 1);
        Assert.Equal(exact.IsZero, value == 0);
        // At most two roundings away: of the number to a double, and of the product.
        Assert.True(IsWithin(value, exact, tens), $"{text}: {value:R}");
        // Below 1e9 the nearest double of all: 1% is 0.01 and not its neighbour.
        if (whole.Length <= 9 && BigInteger.Abs(exact) < new BigInteger(1L << 53) && tens <= BigInteger.Pow(10, 15)) Assert.Equal((double)exact / (double)tens, value);
    });

    private static string Digits(Random random, int count) =>
        new([.. Enumerable.Range(0, count).Select(_ => (char)('0' + (random.Next(3) == 0 ? 0 : random.Next(10))))]);

    /// <summary>Whether a double is within three units in the last place of exact / tens.</summary>
    private static bool IsWithin(double value, BigInteger exact, BigInteger tens)
    {
        var bits = BitConverter.DoubleToInt64Bits(Math.Abs(value));
        var exponent = (int)((bits >> 52) & 0x7ff) - 1075;
        var mantissa = (bits & 0xfffffffffffffL) | (value == 0 ? 0 : 1L << 52);
        var scale = BigInteger.Pow(2, Math.Abs(exponent));
        var (left, right, step) = exponent >= 0
            ? (mantissa * scale * tens, BigInteger.Abs(exact), scale * tens)
            : (mantissa * tens, BigInteger.Abs(exact) * scale, tens);
        return value == 0 ? exact.IsZero : Math.Sign(value) == exact.Sign && BigInteger.Abs(left - right) <= 3 * step;
    }
}
