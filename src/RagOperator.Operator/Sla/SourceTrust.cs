using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RagOperator.Operator.Sla;

/// <summary>Trusts the certificates of one file and no others. The file is read again when it has changed.</summary>
internal sealed class SourceTrust(string caFile)
{
    private readonly Lock _lock = new();
    private X509Certificate2Collection? _roots;
    private DateTime _writtenAt;

    /// <summary>Whether a server's certificate may be trusted.</summary>
    public bool Accepts(X509Certificate? certificate, X509Chain? received, SslPolicyErrors errors)
    {
        // The chain is judged here, by our own roots; name and presence are not ours to forgive.
        if ((errors | SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null) return false;
        if (Roots() is not { Count: > 0 } roots) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in received?.ChainElements ?? Enumerable.Empty<X509ChainElement>()) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }

    private X509Certificate2Collection? Roots()
    {
        lock (_lock)
        {
            try
            {
                var writtenAt = File.GetLastWriteTimeUtc(caFile);
                if (_roots is not null && writtenAt == _writtenAt) return _roots;
                var roots = new X509Certificate2Collection();
                roots.ImportFromPemFile(caFile);
                _roots = roots;
                _writtenAt = writtenAt;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                // What was read before stays in use; with nothing read before, nothing is trusted.
            }

            return _roots;
        }
    }
}
