using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Sees to it that the objects of one namespace take no more than its share of a cache's memory. Used by one reflector, so by one thread.</summary>
internal sealed class NamespaceShare<T>(CacheOptions<T> options)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Dictionary<NamespacedName, long> _weights = [];
    private readonly Dictionary<string, long> _sums = new(StringComparer.Ordinal);

    /// <summary>Takes from an object that is to be kept what is not to be, and what there is no room for.</summary>
    /// <returns>Whether there was no room.</returns>
    public bool Fit(T item)
    {
        if (!options.KeepManagedFields) item.Metadata.ManagedFields = null;
        options.Trim?.Invoke(item);
        if (options.Weigh is not { } weigh || options.Lighten is not { } lighten) return false;
        var key = item.Key();
        Remove(key);
        var sum = _sums.GetValueOrDefault(key.Namespace);
        var weight = weigh(item);
        var isTooMuch = sum + weight > options.Share;
        if (isTooMuch)
        {
            lighten(item);
            weight = weigh(item);
        }

        (_weights[key], _sums[key.Namespace]) = (weight, sum + weight);
        return isTooMuch;
    }

    /// <summary>An object is gone.</summary>
    public void Remove(NamespacedName key)
    {
        if (!_weights.Remove(key, out var weight)) return;
        if ((_sums[key.Namespace] -= weight) <= 0) _sums.Remove(key.Namespace);
    }
}
