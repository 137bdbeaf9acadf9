namespace RagOperator.Operator.Sla;

/// <summary>One metric source, as the operator's configuration describes it. Secrets are named by file, never held here.</summary>
public sealed record MetricSourceOptions
{
    /// <summary>The address that <c>/api/v1/query</c> is appended to; http or https, no user name in it. A query in it is kept
    /// (<c>?partial_response=false</c> for Thanos).</summary>
    public required Uri Url { get; init; }

    /// <summary>How long one question may take, 100 ms to 5 min; 10 s by default.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The largest answer that is read, in bytes, 1 KiB to 64 MiB; 1 MiB by default.</summary>
    public int MaxBodyBytes { get; init; } = 1 << 20;

    /// <summary>Questions that may be under way at once, 1 to 1000; 20 by default, as many as Prometheus itself runs.</summary>
    public int MaxConcurrency { get; init; } = 20;

    /// <summary>How it is asked; by default by POST, and by GET where it forbids that.</summary>
    public SourceMethod Method { get; init; }

    /// <summary>A file that holds a bearer token; read for every question, so that a rotated token counts at once.</summary>
    public string? BearerTokenFile { get; init; }

    /// <summary>The user name for basic authentication.</summary>
    public string? BasicUsername { get; init; }

    /// <summary>A file that holds the password for basic authentication; read for every question.</summary>
    public string? BasicPasswordFile { get; init; }

    /// <summary>A file of PEM certificates that alone are trusted for this source; the system's by default.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whether the source's certificate goes unchecked. For tests only.</summary>
    public bool InsecureSkipVerify { get; init; }

    /// <summary>The name of a header that names the tenant, for instance <c>X-Scope-OrgID</c>.</summary>
    public string? TenantHeaderName { get; init; }

    /// <summary>The tenant header's value.</summary>
    public string? TenantHeaderValue { get; init; }

    /// <summary>A file that holds the tenant header's value; read for every question.</summary>
    public string? TenantHeaderValueFile { get; init; }

    /// <summary>Stands in <see cref="TenantHeaderValue"/> for the namespace that asks: the source keeps tenants apart.</summary>
    public const string NamespaceVariable = "$(namespace)";

    /// <summary>Stands in <see cref="Namespaces"/> for all of them.</summary>
    public const string AllNamespaces = "*";

    /// <summary>Namespaces whose objects may use it, or <see cref="AllNamespaces"/>. Empty for all that the operator acts for: allowed by the
    /// configuration only where those are named, or the source keeps them apart.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Whether objects in this namespace may use it.</summary>
    /// <param name="namespaceName">The namespace.</param>
    public bool Allows(string namespaceName) => Namespaces.Count == 0 || Namespaces.Contains(AllNamespaces, StringComparer.Ordinal) || Namespaces.Contains(namespaceName, StringComparer.Ordinal);
}

/// <summary>The HTTP method that a source is asked by.</summary>
public enum SourceMethod
{
    /// <summary>POST; GET from the first time on that POST is answered with 403 or 405 and GET is not.</summary>
    Auto,

    /// <summary>POST alone: no limit on the length of an address applies.</summary>
    Post,

    /// <summary>GET alone.</summary>
    Get,
}
