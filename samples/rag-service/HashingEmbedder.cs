namespace RagOperator.SampleService;

/// <summary>Feature hashing: each word and each pair of neighbours adds to one of 256 dimensions, with a sign; then length 1. No model, yet real vectors.</summary>
internal static class HashingEmbedder
{
    private const int Dimensions = 256;

    public static float[] Embed(string text)
    {
        var vector = new float[Dimensions];
        var words = Words.Of(text);
        for (var i = 0; i < words.Count; i++)
        {
            Add(vector, words[i], 1f);
            if (i > 0)
                Add(vector, words[i - 1] + " " + words[i], 0.5f);
        }

        var length = MathF.Sqrt(vector.Sum(value => value * value));
        return length == 0 ? vector : [.. vector.Select(value => value / length)];
    }

    public static double Similarity(float[] left, float[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
            sum += left[i] * right[i];
        return sum;
    }

    private static void Add(float[] vector, string feature, float weight)
    {
        var hash = 2166136261u; // FNV-1a
        foreach (var letter in feature)
            hash = (hash ^ letter) * 16777619u;
        vector[hash % Dimensions] += (hash & 0x10000) == 0 ? weight : -weight;
    }
}
