using FsCheck.Fluent;
using RagOperator.Api.Values;
using RagOperator.Tests.Shared;

namespace RagOperator.Api.Tests;

public class RagDurationTests
{
    [Theory]
    [InlineData("30s", 30)]
    [InlineData("10m", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("7d", 604800)]
    [InlineData("500ms", 0.5)]
    [InlineData("1m1s1ms", 61.001)]
    [InlineData("1d1ms", 86400.001)]
    [InlineData("0s", 0)]
    [InlineData("90m", 5400)]
    [InlineData("3650d", 315360000)]
    public void TryParse_duration_gives_seconds(string text, double seconds)
    {
        Assert.True(RagDuration.TryParse(text, out var value));
        Assert.Equal(TimeSpan.FromSeconds(seconds), value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("1.5h")]
    [InlineData("-1s")]
    [InlineData("+1s")]
    [InlineData("1 s")]
    [InlineData("1s ")]
    [InlineData("1s\n")]
    [InlineData("1S")]
    [InlineData("1w")]
    [InlineData("1s1m")]
    [InlineData("1m1m")]
    [InlineData("3651d")]
    [InlineData("9999999999s")]
    [InlineData("00000001d")] // the pattern has no room for it
    [InlineData("PT1H")]
    [InlineData("00:01:00")]
    [InlineData("٣s")]
    public void TryParse_anything_else_is_refused(string? text)
    {
        Assert.False(RagDuration.TryParse(text, out var value));
        Assert.Equal(TimeSpan.Zero, value);
    }

    [Theory]
    [InlineData(5400, "1h30m")]
    [InlineData(0, "0s")]
    [InlineData(-5, "0s")]
    [InlineData(0.0004, "0s")]
    [InlineData(0.5, "500ms")]
    [InlineData(86400, "1d")]
    [InlineData(90061.001, "1d1h1m1s1ms")]
    [InlineData(604800, "7d")]
    public void Format_duration_is_brief(double seconds, string text)
    {
        Assert.Equal(text, RagDuration.Format(TimeSpan.FromSeconds(seconds)));
    }

    [Fact]
    public void Format_then_TryParse_gives_the_same_milliseconds()
    {
        var milliseconds = Gen.Choose(0, int.MaxValue).SelectMany(low => Gen.Choose(0, 146).Select(high => (((long)high * int.MaxValue) + low) % ((long)RagDuration.Longest.TotalMilliseconds + 1))).ToArbitrary();
        Seeded.Holds(100, milliseconds, static ms =>
            RagDuration.TryParse(RagDuration.Format(TimeSpan.FromMilliseconds(ms)), out var again) && again == TimeSpan.FromMilliseconds(ms));
    }

    [Fact]
    public void TryParse_any_text_agrees_with_the_pattern_of_the_crd()
    {
        var pieces = Gen.Elements("1", "0", "12345678", "d", "h", "m", "s", "ms", "-", ".", " ", "x", "\n");
        var texts = pieces.ListOf().Select(static p => string.Concat(p)).ToArbitrary();
        Seeded.Holds(2000, texts, static text =>
        {
            var parsed = RagDuration.TryParse(text, out _);
            var matches = text.Length is >= 2 and <= RagDuration.MaxLength
                && System.Text.RegularExpressions.Regex.IsMatch(text, RagDuration.Pattern.Replace("$", "\\z", StringComparison.Ordinal));
            // The pattern does not know the longest duration.
            return matches ? parsed == (Milliseconds(text) <= (long)RagDuration.Longest.TotalMilliseconds) : !parsed;
        });
    }

    [Fact]
    public void TryParse_any_duration_is_the_sum_of_its_parts() => Seeded.Each(5000, static random =>
    {
        var text = string.Concat(((string[])["d", "h", "m", "s", "ms"]).Where(_ => random.Next(2) == 0)
            .Select(unit => new string([.. Enumerable.Range(0, random.Next(1, unit.EndsWith('s') ? 10 : 8)).Select(_ => (char)('0' + (random.Next(3) == 0 ? random.Next(10) : 0)))]) + unit));
        var expected = Milliseconds(text);
        var allowed = text.Length is > 0 and <= RagDuration.MaxLength && expected <= 3650L * 24 * 3600 * 1000;
        Assert.True(allowed == RagDuration.TryParse(text, out var value), text);
        Assert.Equal(allowed ? expected : 0, value.TotalMilliseconds);
    });

    [Fact]
    public void TryParse_random_text_never_throws() =>
        Seeded.Holds(1000, ArbMap.Default.ArbFor<string?>(), static text =>
        {
            var read = RagDuration.TryParse(text, out var value);
            return read ? value >= TimeSpan.Zero && value <= RagDuration.Longest : value == TimeSpan.Zero;
        });

    /// <summary>The sum of all parts, whatever their order; an own reading of the form.</summary>
    private static long Milliseconds(string text)
    {
        long sum = 0;
        foreach (System.Text.RegularExpressions.Match part in System.Text.RegularExpressions.Regex.Matches(text, "(?<n>[0-9]+)(?<unit>[a-z]+)"))
        {
            sum += long.Parse(part.Groups["n"].Value, System.Globalization.CultureInfo.InvariantCulture) * part.Groups["unit"].Value switch
            {
                "d" => 86_400_000L,
                "h" => 3_600_000L,
                "m" => 60_000L,
                "s" => 1000L,
                _ => 1L,
            };
        }

        return sum;
    }
}
