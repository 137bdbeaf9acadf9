namespace RagOperator.FaultTests.Soak;

/// <summary>Whether processes hold no more and more, judged of those that lived through the second half of a run: its first half against its second.</summary>
public static class Flatness
{
    /// <summary>How many figures have to be flat: four of each of the two processes.</summary>
    public const int Figures = 8;

    private const int Fewest = 3;

    /// <summary>What grew, one sentence each; and that somebody cannot be judged, which is no better.</summary>
    /// <param name="gauges">All gauges of the run.</param>
    /// <param name="minutes">How long it was.</param>
    public static IReadOnlyList<string> Growths(IReadOnlyList<ProcessGauge> gauges, double minutes) => Judge(gauges, minutes).Growths;

    /// <summary>As <see cref="Growths"/>, with the number of figures that were compared and found flat.</summary>
    /// <param name="gauges">All gauges of the run.</param>
    /// <param name="minutes">How long it was.</param>
    public static (int Flat, IReadOnlyList<string> Growths) Judge(IReadOnlyList<ProcessGauge> gauges, double minutes)
    {
        var growths = new List<string>();
        var flat = 0;
        foreach (var lives in gauges.Where(g => g.Minute >= minutes / 2).GroupBy(static g => g.Name, StringComparer.Ordinal))
        {
            var before = lives.Where(g => g.Minute < minutes * 3 / 4).ToList();
            var after = lives.Where(g => g.Minute >= minutes * 3 / 4).ToList();
            if (lives.Select(static g => g.Pid).Distinct().Count() > 1 || before.Count < Fewest || after.Count < Fewest)
            {
                growths.Add($"{lives.Key} did not live through the second half: {before.Count} and {after.Count} gauges");
                continue;
            }

            void Flat(string what, Func<ProcessGauge, double> of, double slack)
            {
                var (was, now) = (Median(before.Select(of)), Median(after.Select(of)));
                if (now <= (was * 1.1) + slack)
                    flat++;
                else
                    growths.Add($"{lives.Key}: {what} grew from {was:0.0} to {now:0.0}");
            }

            Flat("memory (MiB)", static g => g.Memory, 10);
            Flat("handles", static g => g.Handles, 20);
            Flat("threads", static g => g.Threads, 10);
            Flat("series", static g => g.Series, 20);
        }

        return (flat, gauges.Any(g => g.Minute >= minutes / 2) ? growths : ["nobody was looked at in the second half"]);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
