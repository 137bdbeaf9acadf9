namespace RagOperator.SampleService;

/// <summary>Okapi BM25 over the passages at hand (k1 = 1.2, b = 0.75, the usual values).</summary>
internal static class Bm25
{
    private const double K1 = 1.2;
    private const double B = 0.75;

    public static double[] Score(string query, string[] passages)
    {
        var documents = passages.Select(Words.Of).ToList();
        var average = Math.Max(1, documents.Count == 0 ? 1 : documents.Average(words => words.Count));
        var terms = Words.Of(query).Distinct(StringComparer.Ordinal).ToList();
        var frequency = terms.ToDictionary(term => term, term => documents.Count(words => words.Contains(term)), StringComparer.Ordinal);
        return [.. documents.Select(words => terms.Sum(term =>
        {
            var count = words.Count(word => word == term);
            var rarity = Math.Log(1 + ((documents.Count - frequency[term] + 0.5) / (frequency[term] + 0.5)));
            return rarity * count * (K1 + 1) / (count + (K1 * (1 - B + (B * words.Count / average))));
        }))];
    }
}
