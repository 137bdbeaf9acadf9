using System.Globalization;

namespace RagOperator.FaultTests.Soak;

/// <summary>What a process holds at one moment.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="Pid">Which life of it.</param>
/// <param name="Minute">Since the start.</param>
/// <param name="Memory">Resident, MiB.</param>
/// <param name="Handles">Open file descriptors.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Series">Metric series at /metrics.</param>
public sealed record ProcessGauge(string Name, int Pid, double Minute, double Memory, int Handles, int Threads, int Series)
{
    public static async Task<ProcessGauge> ReadAsync(string name, int pid, HttpClient http, Uri metrics, TimeSpan since)
    {
        ArgumentNullException.ThrowIfNull(http);
        var status = await File.ReadAllLinesAsync($"/proc/{pid}/status");
        var text = await http.GetStringAsync(metrics);
        return new ProcessGauge(
            name, pid, since.TotalMinutes, Number(status, "VmRSS:") / 1024.0, Directory.GetFiles($"/proc/{pid}/fd").Length, Number(status, "Threads:"),
            text.Split('\n').Count(line => line.Length > 0 && line[0] != '#'));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"minute {Minute,5:0.0}: {Name,-6} {Pid,7} {Memory,6:0.0} MiB, {Handles,4} handles, {Threads,3} threads, {Series,5} series");

    private static int Number(string[] lines, string name) =>
        int.Parse(lines.Single(l => l.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
}
