namespace RagOperator.GitOps.Tests;

/// <summary>Where the project's files are.</summary>
internal static class Repository
{
    /// <summary>The project's folder.</summary>
    public static string Root { get; } = Find();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "RagOperator.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("not inside the repository");
        return folder.FullName;
    }
}
