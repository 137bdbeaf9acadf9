namespace RagOperator.Operator.Controller;

/// <summary>Texts of errors that are shown in status.</summary>
internal static class ErrorText
{
    /// <summary>What is shown of an error: the text of before, where the two differ in numbers alone (ports, counts, times). Otherwise each try would
    /// write a status of its own, and each status would begin the next try.</summary>
    /// <param name="before">What is shown now; null for nothing.</param>
    /// <param name="now">The newest text.</param>
    public static string Steady(string? before, string now) => before is not null && Same(before, now) ? before : now;

    private static bool Same(string a, string b) => a.Where(static c => !char.IsAsciiDigit(c)).SequenceEqual(b.Where(static c => !char.IsAsciiDigit(c)));
}
