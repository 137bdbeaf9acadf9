namespace RagOperator.Kubernetes;

/// <summary>Uniform random numbers from a seed, for several threads.</summary>
internal sealed class Jitter(int seed)
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);

    /// <summary>In [0, 1).</summary>
    public double Next()
    {
        lock (_lock) return _random.NextDouble();
    }
}
