using System.Net;

namespace RagOperator.Kubernetes;

/// <summary>Where the API server is and who we are. Names as in the KubernetesClient package, as far as they are used.</summary>
public sealed partial record KubernetesClientConfiguration
{
    /// <summary>The server's address, absolute, http or https; a path in it is kept.</summary>
    public required Uri Host { get; init; }

    /// <summary>The namespace of the context or the pod; null if none is named.</summary>
    public string? Namespace { get; init; }

    /// <summary>The context that this was read from; null in a cluster.</summary>
    public string? CurrentContext { get; init; }

    /// <summary>CA certificates as PEM. Wins over <see cref="CertificateAuthorityFile"/>. Neither: the system's.</summary>
    public string? CertificateAuthorityData { get; init; }

    /// <summary>A file of CA certificates as PEM, read again as it rotates.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>Accept any server certificate.</summary>
    public bool SkipTlsVerify { get; init; }

    /// <summary>The name to expect in the server's certificate, where it is not the host's.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>The proxy to go through; null for the environment's (none in a cluster).</summary>
    public Uri? ProxyUrl { get; init; }

    /// <summary>Whether HTTPS_PROXY and NO_PROXY of the environment count. Not in a cluster.</summary>
    public bool UseEnvironmentProxy { get; init; } = true;

    /// <summary>Client certificate as PEM, with its chain if need be. Wins over <see cref="ClientCertificateFilePath"/>.</summary>
    public string? ClientCertificateData { get; init; }

    /// <summary>The certificate's key as PEM. Wins over <see cref="ClientKeyFilePath"/>.</summary>
    public string? ClientCertificateKeyData { get; init; }

    /// <summary>A file with the client certificate, read again as it rotates.</summary>
    public string? ClientCertificateFilePath { get; init; }

    /// <summary>A file with the certificate's key.</summary>
    public string? ClientKeyFilePath { get; init; }

    /// <summary>A bearer token. With <see cref="TokenFile"/> it is used only until the file was read.</summary>
    public string? AccessToken { get; init; }

    /// <summary>A file with a bearer token, read again each minute since such tokens rotate.</summary>
    public string? TokenFile { get; init; }

    /// <summary>User name for basic authentication.</summary>
    public string? Username { get; init; }

    /// <summary>Password for basic authentication.</summary>
    public string? Password { get; init; }

    /// <summary>A program that hands out credentials.</summary>
    public ExecPluginConfiguration? Exec { get; init; }

    /// <summary>Sent with each request; also the server's default name of the field manager.</summary>
    public string UserAgent { get; init; } = "ragoperator";

    /// <summary>Speak HTTP/1.1 only.</summary>
    public bool DisableHttp2 { get; init; }

    /// <summary>Time limit of one call over all its retries; 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest answer that is read, in bytes after decompression; 128 MiB.</summary>
    public long MaxResponseBytes { get; init; } = 128L << 20;

    /// <summary>Largest single watch event that is read, in bytes; 16 MiB.</summary>
    public int MaxWatchEventBytes { get; init; } = 16 << 20;

    /// <summary>Requests in flight at once, watches apart; 64.</summary>
    public int MaxConcurrentRequests { get; init; } = 64;

    /// <summary>Everything but the credentials.</summary>
    public override string ToString() => $"{Host} (context {CurrentContext ?? "none"}, namespace {Namespace ?? "default"})";

    /// <summary>Whether a proxy of the environment must not be used for this host: NO_PROXY may hold address ranges, which .NET ignores.</summary>
    internal static bool IsInNoProxyRange(string? noProxy, string host)
    {
        if (string.IsNullOrEmpty(noProxy) || !IPAddress.TryParse(host.Trim('[', ']'), out var address)) return false;
        foreach (var part in noProxy.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPNetwork.TryParse(part, out var range) && range.BaseAddress.AddressFamily == address.AddressFamily && range.Contains(address)) return true;
            if (IPAddress.TryParse(part, out var single) && single.Equals(address)) return true;
        }

        return false;
    }
}

/// <summary>A program that hands out credentials (<c>client.authentication.k8s.io</c>).</summary>
public sealed record ExecPluginConfiguration
{
    /// <summary>The API version that it speaks: <c>client.authentication.k8s.io/v1</c> or <c>/v1beta1</c>.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>The program: a path, or a name that PATH finds.</summary>
    public required string Command { get; init; }

    /// <summary>Its arguments, passed one by one.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>Variables added to its environment.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Env { get; init; } = [];

    /// <summary>What to do when it is missing, for people.</summary>
    public string? InstallHint { get; init; }

    /// <summary>Tell it about the cluster in KUBERNETES_EXEC_INFO.</summary>
    public bool ProvideClusterInfo { get; init; }

    /// <summary>How long it may run; 2 min.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);
}
