namespace RagOperator.SampleService;

/// <summary>Words as both the embedder and the reranker see them.</summary>
internal static class Words
{
    private static readonly HashSet<string> s_stop = new(StringComparer.Ordinal)
    {
        "a", "an", "the", "of", "to", "and", "or", "in", "on", "is", "are", "it", "for", "with", "as", "at", "by", "be", "do", "does", "how", "what", "when", "why", "my", "i",
    };

    public static List<string> Of(string text)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
            if (i < text.Length && char.IsLetterOrDigit(text[i]))
            {
                start = start < 0 ? i : start;
            }
            else if (start >= 0)
            {
                var word = Stem(text[start..i].ToLowerInvariant());
                if (!s_stop.Contains(word))
                    words.Add(word);
                start = -1;
            }

        return words;
    }

    private static string Stem(string word) =>
        word.Length > 5 && word.EndsWith("ing", StringComparison.Ordinal) ? word[..^3]
        : word.Length > 3 && word.EndsWith('s') && !word.EndsWith("ss", StringComparison.Ordinal) ? word[..^1]
        : word;
}
