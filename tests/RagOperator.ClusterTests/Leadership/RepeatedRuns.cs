using System.Globalization;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Leadership;

/// <summary>Runs of one class of faults: a few in CI, as many as <c>FAULT_RUNS</c> says in the long run. All are run, whatever some of them find;
/// their sum goes to the output and, as a line of tab-separated values, to the file that <c>FAULT_TABLE</c> names.</summary>
public sealed class RepeatedRuns(string className, int usual, ITestOutputHelper output)
{
    private readonly Dictionary<string, List<double>> _figures = new(StringComparer.Ordinal);

    private int Planned { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("FAULT_RUNS"), NumberStyles.None, CultureInfo.InvariantCulture, out var runs) && runs > 0 ? runs : usual;

    /// <summary>Keeps a figure of the current run, for the sum.</summary>
    public void Measured(string what, double value, string unit = "s")
    {
        var key = $"{what} [{unit}]";
        if (!_figures.TryGetValue(key, out var values)) _figures[key] = values = [];
        values.Add(value);
    }

    /// <summary>Runs them, one after the other.</summary>
    /// <param name="run">One run, given its number from 0.</param>
    /// <param name="recover">Makes the world ready for the next run, after a failed one, too.</param>
    public async Task RunAsync(Func<int, Task> run, Func<Task> recover)
    {
        var failures = new List<string>();
        for (var i = 0; i < Planned; i++)
        {
            try
            {
                await run(i);
            }
#pragma warning disable CA1031 // each run counts by itself; what failed is told at the end
            catch (Exception e)
#pragma warning restore CA1031
            {
                failures.Add($"run {i}: {e.Message}");
            }

            if (i + 1 < Planned) await recover();
        }

        var figures = string.Join(", ", _figures.Select(static f => $"{f.Key} {Sum(f.Value)}"));
        output.WriteLine($"{className} | {Planned} | {Planned - failures.Count} | {failures.Count} | {figures}");
        FaultTable.Tell(className, Planned, Planned - failures.Count, failures.Count, figures);
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
    }

    private static string Sum(List<double> values)
    {
        var sorted = values.Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[0]:0.00}/{sorted[sorted.Count / 2]:0.00}/{sorted[^1]:0.00}");
    }
}
