namespace RagOperator.Demo;

/// <summary>What a user changed from one file to the next. The files differ in a line or two, so a plain longest common subsequence does.</summary>
internal static class Diff
{
    public static IReadOnlyList<(char Sign, string Line)> Of(string before, string after)
    {
        var (left, right) = (Lines(before), Lines(after));
        var common = new int[left.Length + 1, right.Length + 1];
        for (var i = left.Length - 1; i >= 0; i--)
            for (var j = right.Length - 1; j >= 0; j--)
                common[i, j] = left[i] == right[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);

        var changes = new List<(char, string)>();
        var (l, r) = (0, 0);
        while (l < left.Length || r < right.Length)
            if (l < left.Length && r < right.Length && left[l] == right[r])
                (l, r) = (l + 1, r + 1);
            else if (l < left.Length && (r == right.Length || common[l + 1, r] >= common[l, r + 1]))
                changes.Add(('-', left[l++].Trim()));
            else
                changes.Add(('+', right[r++].Trim()));
        return changes;
    }

    private static string[] Lines(string text) => [.. text.Split('\n').Where(line => !line.TrimStart().StartsWith('#'))];
}
