using System.Diagnostics.Metrics;
using System.Globalization;

namespace RagOperator.Operator.Hosting.Metrics;

/// <summary>The memory that this process' container may use, as the kernel's control group has it.</summary>
internal static class MemoryLimit
{
    // The second version of control groups, and the first; inside a container the own group is the root.
    private static readonly string[] Files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

    // The first version says "no limit" by a number near the greatest one.
    private const long NoLimit = 1L << 60;

    /// <summary>One measurement in bytes; none where there is no limit, or where nothing tells.</summary>
    public static IEnumerable<Measurement<long>> Read() => Read(Files);

    /// <summary>As <see cref="Read()"/>, from the first of these files that exists.</summary>
    internal static IEnumerable<Measurement<long>> Read(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            if (Text(file) is not { } text) continue;
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit < NoLimit ? [new Measurement<long>(limit)] : [];
        }

        return [];
    }

    private static string? Text(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
