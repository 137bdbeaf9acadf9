using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace RagOperator.Kubernetes;

/// <summary>What connections are for. Each purpose has its own, so that none can starve another.</summary>
internal enum TransportPurpose
{
    Api,
    Watch,
    Lease,
}

/// <summary>
/// Connections to the API server for one purpose. Certificates from files, and those that a plugin hands out, are looked at again as they
/// rotate: on a change new connections are made with the new ones, and the old connections end with what runs on them.
/// </summary>
internal sealed partial class Transport(KubernetesClientConfiguration config, TransportPurpose purpose, TimeProvider time, ILogger logger) : IDisposable
{
    // client-go looks at CA and client certificate files every five minutes.
    private static readonly TimeSpan FileCheckInterval = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private HttpMessageInvoker? _current;
    private Material? _material;
    private ClientCertificatePem? _pluginCertificate;
    private long _checkedAt;
    private bool _disposed;

    private sealed record Material(string? Authorities, ClientCertificatePem? Client);

    /// <summary>The connections for a request with this credential.</summary>
    public HttpMessageInvoker Get(Credential credential)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_current is { } current && ReferenceEquals(credential.Certificate, _pluginCertificate) && time.GetElapsedTime(_checkedAt) < FileCheckInterval)
                return current;

            _pluginCertificate = credential.Certificate;
            _checkedAt = time.GetTimestamp();
            Material wanted;
            try
            {
                wanted = new Material(
                    config.CertificateAuthorityData ?? Read(config.CertificateAuthorityFile),
                    credential.Certificate ?? FileCertificate());
                if (_current is not null && wanted == _material) return _current;
                var made = Make(wanted);
                _current?.Dispose(); // what runs on it goes on to its end
                _current = made;
                _material = wanted;
            }
            catch (Exception e) when (_current is not null && e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                // Seen half-way through a rotation: the next look will find it whole.
                LogMaterialUnreadable(logger, e);
            }

            return _current!;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _current?.Dispose();
        }
    }

    private ClientCertificatePem? FileCertificate() =>
        (config.ClientCertificateData ?? Read(config.ClientCertificateFilePath)) is { } certificate
        && (config.ClientCertificateKeyData ?? Read(config.ClientKeyFilePath)) is { } key
            ? new ClientCertificatePem(certificate, key)
            : null;

    private static string? Read(string? file) => file is null ? null : File.ReadAllText(file);

    private HttpMessageInvoker Make(Material material)
    {
        var noProxy = Environment.GetEnvironmentVariable("NO_PROXY") ?? Environment.GetEnvironmentVariable("no_proxy");
        var handler = new SocketsHttpHandler
        {
            // The server allows 100 streams on a connection; without more connections one request beyond that would wait for ever.
            EnableMultipleHttp2Connections = true,
            // As client-go. Pings alone are not enough (dotnet/runtime#120179): watches have deadlines of their own.
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // Decompression would hold back watch events, and asks for gzip on everything.
            AutomaticDecompression = purpose == TransportPurpose.Api ? DecompressionMethods.GZip : DecompressionMethods.None,
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            UseProxy = config.ProxyUrl is not null
                || (config.UseEnvironmentProxy && !KubernetesClientConfiguration.IsInNoProxyRange(noProxy, config.Host.Host)),
            ConnectCallback = ConnectAsync,
        };
        if (config.ProxyUrl is { } proxy) handler.Proxy = ProxyOf(proxy);

        if (config.SkipTlsVerify)
        {
            // The user's own words in the kubeconfig: insecure-skip-tls-verify.
#pragma warning disable CA5359
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (material.Authorities is { } pem)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(pem);
            if (policy.CustomTrustStore.Count == 0) throw new CryptographicException("The certificate authority holds no certificate.");
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        if (material.Client is { } client)
        {
            var certificate = X509Certificate2.CreateFromPem(client.Certificate, client.Key);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(client.Certificate);
            chain.RemoveAt(0); // the certificate itself
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }

        // Certificates are not disposed with the handler: connections that still run may need them. They go with it when nothing refers to them.
        return new HttpMessageInvoker(handler, disposeHandler: true);
    }

    private static WebProxy ProxyOf(Uri uri)
    {
        var proxy = new WebProxy(uri);
        if (uri.UserInfo is { Length: > 0 } info && info.Split(':', 2) is var parts)
            proxy.Credentials = new NetworkCredential(Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
        return proxy;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // HTTP/1.1 has no pings: without these a half-open connection stays until the kernel gives up after many minutes.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LoggerMessage(3, LogLevel.Warning, "Certificates for the API server could not be read again; those known before stay in use")]
    private static partial void LogMaterialUnreadable(ILogger logger, Exception e);
}
