using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed;

namespace RagOperator.FaultTests.Restores;

/// <summary>The commands of docs/upgrade.md that dump and restore: what people are told is what runs.</summary>
public static class UpgradePage
{
    private const string Namespace = "-n rag";
    private const string Selector = "-l ragoperator.dev/name ";
    private const string Objects = "get ragd ";

    /// <summary>What dumps a namespace.</summary>
    public static IReadOnlyList<string> Dump { get; } = Commands("## Backup");

    /// <summary>What brings it back: first a line that says what is stripped, then one for each file, the RagDeployments' last.</summary>
    public static IReadOnlyList<string> Restore { get; } = Commands("## Restore");

    /// <summary>The page's commands for another namespace, and for one object alone where one is given, as the page says.</summary>
    /// <param name="commands">Commands of the page.</param>
    /// <param name="ns">The namespace.</param>
    /// <param name="name">The RagDeployment's name; null for all of the namespace.</param>
    public static string For(IEnumerable<string> commands, string ns, string? name = null)
    {
        var script = string.Join('\n', commands).Replace(Namespace, $"-n {ns}", StringComparison.Ordinal);
        return name is null ? script
            : script.Replace(Selector, $"{Selector.TrimEnd()}={name} ", StringComparison.Ordinal).Replace(Objects, $"{Objects}{name} ", StringComparison.Ordinal);
    }

    private static List<string> Commands(string heading)
    {
        var block = File.ReadLines(Path.Combine(ClusterBed.Repository, "docs/upgrade.md"))
            .SkipWhile(l => l != heading).SkipWhile(static l => !l.StartsWith("```", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(static l => !l.StartsWith("```", StringComparison.Ordinal)).ToList();
        return block.Count > 1 ? block : throw new NotReachedException($"docs/upgrade.md has no commands under {heading}");
    }
}
