using System.Text.RegularExpressions;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Lifecycle;

/// <summary>The commands for kubectl in the sections Upgrade and Uninstall of docs/upgrade.md, as they stand there.</summary>
internal sealed partial class UpgradePage(ClusterBed bed)
{
    private readonly HashSet<string> _notRun = Read();

    /// <summary>Those that nobody ran.</summary>
    public IReadOnlyCollection<string> NotRun => _notRun;

    /// <summary>Runs the one that begins so.</summary>
    /// <param name="start">How it begins, after the word kubectl.</param>
    /// <param name="words">What the page leaves to its reader, and what is put there.</param>
    /// <param name="more">More arguments.</param>
    public Task<CommandResult> RunAsync(string start, IReadOnlyDictionary<string, string> words, params string[] more)
    {
        var command = Read().Single(c => c.StartsWith($"kubectl {start}", StringComparison.Ordinal));
        _notRun.Remove(command);
        foreach (var (word, value) in words)
        {
            Assert.Contains(word, command, StringComparison.Ordinal);
            command = command.Replace(word, value, StringComparison.Ordinal);
        }

        return bed.KubectlAsync([.. command.Split(' ')[1..], .. more]);
    }

    /// <summary>In blocks of their own and in the text.</summary>
    private static HashSet<string> Read()
    {
        var page = File.ReadAllText(Path.Combine(ClusterBed.Repository, "docs/upgrade.md")).Split("\n## ");
        var sections = page.Where(static s => s.StartsWith("Upgrade\n", StringComparison.Ordinal) || s.StartsWith("Uninstall\n", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, sections.Count);
        return [.. sections.SelectMany(static s => Command().Matches(s)).Select(static m => Space().Replace(m.Groups["command"].Value, " "))];
    }

    [GeneratedRegex("(^|`)(?<command>kubectl [^`]*?)(`|\n(?=```|kubectl ))", RegexOptions.ExplicitCapture | RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("\\s+")]
    private static partial Regex Space();
}
