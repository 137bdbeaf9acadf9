using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>A certificate and its key, both PEM. Its text names neither.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="Key">Its private key, PKCS#8.</param>
internal sealed record PemPair(string Certificate, string Key)
{
    /// <inheritdoc/>
    public override string ToString() => "a certificate and its key";

    /// <summary>The certificate with its key; null where they are unreadable or do not belong together.</summary>
    public X509Certificate2? Read()
    {
        try
        {
            return X509Certificate2.CreateFromPem(Certificate, Key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>Makes certificates: ECDSA P-256, as API servers and .NET both take it and as it costs nothing to make.</summary>
internal static class Issuer
{
    /// <summary>How long a certificate authority lives.</summary>
    public static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);

    /// <summary>How long a serving certificate lives.</summary>
    public static readonly TimeSpan ServingLife = TimeSpan.FromDays(90);

    /// <summary>Certificates begin this long before they are made: clocks of API servers need not agree with ours.</summary>
    public static readonly TimeSpan Backdated = TimeSpan.FromMinutes(5);

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>When a certificate of ours was made.</summary>
    public static DateTimeOffset MadeAt(X509Certificate2 certificate) => new DateTimeOffset(certificate.NotBefore.ToUniversalTime()) + Backdated;

    /// <summary>When a certificate ends.</summary>
    public static DateTimeOffset EndsAt(X509Certificate2 certificate) => new(certificate.NotAfter.ToUniversalTime());

    /// <summary>A new certificate authority.</summary>
    public static PemPair Authority(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // A name of its own for each, so that nobody takes one for another while both are trusted.
        var name = $"CN=rag-operator-webhook-ca-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - Backdated, now + AuthorityLife);
        return new PemPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>A new serving certificate.</summary>
    /// <param name="authority">Who signs it.</param>
    /// <param name="names">The names and addresses that it is made out to, the most telling one first.</param>
    /// <param name="now">The time.</param>
    public static PemPair Serving(X509Certificate2 authority, IReadOnlyList<string> names, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // No name in the subject: it is limited to 64 characters, and who connects looks at the alternative names only.
        var request = new CertificateRequest("CN=rag-operator-webhook", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var end = now + ServingLife;
        var last = EndsAt(authority);
        // Another replica whose clock is ahead of ours may have made the authority: nothing under it begins before it does.
        var (begin, first) = (now - Backdated, new DateTimeOffset(authority.NotBefore.ToUniversalTime()));
        using var certificate = request.Create(authority, begin < first ? first : begin, end < last ? end : last, RandomNumberGenerator.GetBytes(16));
        return new PemPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
