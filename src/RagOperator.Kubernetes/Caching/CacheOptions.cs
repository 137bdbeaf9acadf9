namespace RagOperator.Kubernetes;

/// <summary>What a cache holds and how it keeps it. The defaults suit an operator that sees all namespaces.</summary>
/// <typeparam name="T">The kind.</typeparam>
public sealed class CacheOptions<T>
    where T : class
{
    /// <summary>The only namespace to hold; null for all.</summary>
    public string? Namespace { get; set; }

    /// <summary>Only objects with these labels, for instance <c>app.kubernetes.io/managed-by=x</c>; null for all.</summary>
    public string? LabelSelector { get; set; }

    /// <summary>Only objects with these fields, for instance <c>metadata.name=x</c>, which RBAC can limit to that name; null for all.</summary>
    public string? FieldSelector { get; set; }

    /// <summary>Whether the kind may go from the cluster while it is watched. Where it may not, a 404 comes from something between, and the cache keeps
    /// what it has. Off by default; on where a controller watches the kind as an optional one.</summary>
    public bool MayBeMissing { get; set; }

    /// <summary>Whether the server itself serves the kind, in some of its versions: where it says that it does not, no definition is about to appear. It is
    /// believed at once, and asked again only each ten minutes. Off by default.</summary>
    public bool IsBuiltIn { get; set; }

    /// <summary>What must end before the first list; null: nothing. For a kind that is only needed where the server does not serve another.</summary>
    public Func<CancellationToken, Task>? StartAfter { get; set; }

    /// <summary>Keep <c>metadata.managedFields</c>, which is often half of an object. Off by default.</summary>
    public bool KeepManagedFields { get; set; }

    /// <summary>Takes from an object, as soon as it is read, what nobody asks for; null: nothing.</summary>
    public Action<T>? Trim { get; set; }

    /// <summary>What an object takes of its namespace's <see cref="Share"/>; null: nothing is bounded.</summary>
    public Func<T, long>? Weigh { get; set; }

    /// <summary>What the objects of one namespace may weigh together. An object that there is no room for is kept as <see cref="Lighten"/> leaves it.</summary>
    public long Share { get; set; } = long.MaxValue;

    /// <summary>Takes from an object what is heavy.</summary>
    public Action<T>? Lighten { get; set; }

    /// <summary>Objects per page of a list; 500 by default, as client-go.</summary>
    public int PageSize { get; set; } = 500;

    /// <summary>Labels whose values are indexed; see <see cref="CacheIndex.Label"/>.</summary>
    public ISet<string> LabelIndexes { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Further indexes: name, and what keys an object is filed under. The functions must be pure and must not throw.</summary>
    public IDictionary<string, Func<T, IEnumerable<string>>> Indexes { get; } =
        new Dictionary<string, Func<T, IEnumerable<string>>>(StringComparer.Ordinal);

    /// <summary>Shortest time that the server is asked to keep a watch open; 300 s, as client-go. The longest is twice that.</summary>
    public TimeSpan MinWatchTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long after the server's own limit a watch is given up as dead; 30 s.</summary>
    public TimeSpan WatchDeadlineSlack { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a watch may be mute once it has sent a bookmark; 4 min, as servers send one about every minute. Before the first bookmark only
    /// the deadline counts, since servers promise none.
    /// </summary>
    public TimeSpan WatchIdleLimit { get; set; } = TimeSpan.FromMinutes(4);
}
