using System.Globalization;

namespace RagOperator.TestBed.Faults;

/// <summary>The table that <c>make faults</c> prints, and to which <c>make soak</c> adds: a line of tab-separated values for each class of faults (class, plans there are, passed, failed,
/// note), added to the file that <c>FAULT_TABLE</c> names. Without that variable nothing is kept.</summary>
public static class FaultTable
{
    private static readonly Lock s_lock = new();

    /// <summary>Adds a line. Plans that are neither passed nor failed have shown nothing.</summary>
    /// <param name="name">The class.</param>
    /// <param name="planned">How many plans there are.</param>
    /// <param name="passed">How many of them passed.</param>
    /// <param name="failed">How many of them failed.</param>
    /// <param name="note">What else there is to know.</param>
    public static void Tell(string name, int planned, int passed, int failed, string note)
    {
        if (Environment.GetEnvironmentVariable("FAULT_TABLE") is not { Length: > 0 } file)
            return;
        lock (s_lock)
            File.AppendAllText(file, string.Create(CultureInfo.InvariantCulture, $"{name}\t{planned}\t{passed}\t{failed}\t{note}\n"));
    }

    /// <summary>Runs a class that is a single case, and adds its line however it ends. One that is skipped has none.</summary>
    /// <param name="name">The class.</param>
    /// <param name="run">The case; it throws where it fails.</param>
    /// <param name="note">What else there is to know.</param>
    public static async Task CaseAsync(string name, Func<Task> run, string note = "")
    {
        ArgumentNullException.ThrowIfNull(run);
        try
        {
            await run();
        }
        // The test framework's way to say so, by its name: the bed does without it.
        catch (Exception e) when (!string.Equals(e.GetType().Name, "SkipException", StringComparison.Ordinal))
        {
            Tell(name, 1, 0, 1, note);
            throw;
        }

        Tell(name, 1, 1, 0, note);
    }
}
