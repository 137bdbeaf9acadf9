namespace RagOperator.SampleService;

/// <param name="Id">The file's name.</param>
/// <param name="Title">Its first line.</param>
/// <param name="Text">The rest.</param>
internal sealed record Passage(string Id, string Title, string Text)
{
    public string Whole => $"{Title}. {Text}";
}

/// <summary>The passages that answers are taken from.</summary>
internal static class Corpus
{
    public static IReadOnlyList<Passage> Load()
    {
        var folder = Environment.GetEnvironmentVariable("RAG_CORPUS_DIR") ?? Path.Combine(AppContext.BaseDirectory, "corpus");
        return [.. Directory.EnumerateFiles(folder, "*.md").Order(StringComparer.Ordinal).Select(file =>
        {
            var lines = File.ReadAllLines(file);
            return new Passage(Path.GetFileNameWithoutExtension(file), lines[0].TrimStart('#', ' '), string.Join(' ', lines.Skip(1).Where(line => line.Length > 0)));
        })];
    }
}
