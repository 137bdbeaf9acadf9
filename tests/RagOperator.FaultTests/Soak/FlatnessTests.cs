namespace RagOperator.FaultTests.Soak;

/// <summary>What grows is told, whatever came before the second half.</summary>
public sealed class FlatnessTests
{
    [Fact]
    public void Same_all_the_time_is_flat() => Assert.Empty(Flatness.Growths(Run(static _ => 150), 20));

    [Fact]
    public void Warm_up_and_deaths_in_the_first_half_are_no_growth() =>
        Assert.Empty(Flatness.Growths(Run(static minute => minute < 10 ? 50 + (minute * 10) : 150, static minute => minute < 8 ? 1 : 2), 20));

    [Fact]
    public void Leak_is_told() => Assert.Contains("memory", Assert.Single(Flatness.Growths(Run(static minute => 100 + (minute * 10)), 20)), StringComparison.Ordinal);

    [Fact]
    public void Leak_of_the_one_that_stands_by_is_told_too() =>
        Assert.StartsWith("second", Assert.Single(Flatness.Growths([.. Run(static _ => 150), .. Run(static minute => 100 + (minute * 10), name: "second")], 20)), StringComparison.Ordinal);

    [Fact]
    public void Who_died_in_the_second_half_cannot_be_judged() => Assert.Contains("did not live", Assert.Single(Flatness.Growths(Run(static _ => 150, static minute => minute < 15 ? 1 : 2), 20)), StringComparison.Ordinal);

    [Fact]
    public void Nothing_seen_is_not_flat() => Assert.NotEmpty(Flatness.Growths([], 20));

    private static List<ProcessGauge> Run(Func<double, double> memory, Func<double, int>? pid = null, string name = "first") =>
        [.. Enumerable.Range(0, 120).Select(i => i / 6.0).Select(minute => new ProcessGauge(name, pid?.Invoke(minute) ?? 1, minute, memory(minute), 100, 30, 500))];
}
