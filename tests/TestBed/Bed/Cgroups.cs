namespace RagOperator.TestBed.Bed;

/// <summary>
/// Control groups are the one thing of a bed that no namespace takes along. containerd makes one for each container; what killed
/// containers leave behind are empty groups, removed when a bed ends, and before one begins (for those that were killed themselves).
/// </summary>
internal static class Cgroups
{
    private const string Root = "/sys/fs/cgroup";

    /// <summary>
    /// Removes groups of containers that have no process. Another bed's container has none either between its group's creation and its
    /// first process: so only those go that are empty twice, half a second apart. (A group with a process cannot be removed at all.)
    /// </summary>
    public static void RemoveEmpty()
    {
        var empty = Containers().Where(IsEmpty).ToList();
        if (empty.Count == 0)
            return;
        TimeProvider.System.Delay(TimeSpan.FromMilliseconds(500)).GetAwaiter().GetResult();
        foreach (var group in empty.Where(IsEmpty))
            RemoveTree(group);
        foreach (var parent in Parents())
            _ = Signals.RemoveDirectory(parent); // goes only when the last one in it has gone
    }

    private static IEnumerable<string> Containers() =>
        Parents().SelectMany(Directory.EnumerateDirectories).Where(group => Path.GetFileName(group) is { Length: 64 } name && name.All(char.IsAsciiHexDigitLower));

    // Version 2 has one hierarchy, version 1 one for each controller. k8s.io is the name that containerd gives to the kubelet's containers.
    private static List<string> Parents() => !Directory.Exists(Root)
        ? []
        : [.. Directory.EnumerateDirectories(Root).Append(Root).Select(folder => Path.Combine(folder, "k8s.io")).Where(Directory.Exists)];

    private static bool IsEmpty(string group)
    {
        try
        {
            return Directory.EnumerateFiles(group, "cgroup.procs", SearchOption.AllDirectories).All(file => File.ReadAllText(file).Length == 0);
        }
        catch (IOException)
        {
            return false; // went away, or is not readable now: not ours to remove
        }
    }

    private static void RemoveTree(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var child in Directory.EnumerateDirectories(folder).ToList())
            RemoveTree(child);
        // Directory.Delete would look into it for files, which cannot be removed; rmdir(2) is what a group wants.
        _ = Signals.RemoveDirectory(folder);
    }
}
