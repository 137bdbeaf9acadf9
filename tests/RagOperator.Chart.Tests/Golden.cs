namespace RagOperator.Chart.Tests;

using RagOperator.Tests.Shared;

/// <summary>Files that are made here and kept in the repository: compared, or with UPDATE_GOLDEN=1 (<c>make charts</c>) written again.</summary>
internal static class Golden
{
    public static bool Update => Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    public static void Hold(string path, string text)
    {
        var file = Path.Combine(HelmChart.Repository, path);
        if (Update)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
            return;
        }

        Assert.True(File.Exists(file), $"{path} is missing: `make charts` writes it");
        var (was, now) = (File.ReadAllText(file).Split('\n'), text.Split('\n'));
        for (var i = 0; i < Math.Max(was.Length, now.Length); i++)
        {
            var (old, line) = (i < was.Length ? was[i] : "(end)", i < now.Length ? now[i] : "(end)");
            Assert.True(old == line, $"{path}:{i + 1} says\n  {old}\nand what is made now says\n  {line}\n`make charts` writes it again; then look at the difference.");
        }
    }
}
