using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RagOperator.FaultTests.Peers;

/// <summary>The authority that an operator is told to trust for its metric source, its certificate for the source, and others that are worth nothing.</summary>
public sealed class SourceCertificates : IDisposable
{
    private const string Loopback = "127.0.0.1";
    private readonly X509Certificate2 _authority = NewAuthority();
    private readonly X509Certificate2 _stranger = NewAuthority();

    public SourceCertificates()
    {
        var now = TimeProvider.System.GetUtcNow();
        Good = Issue(_authority, Loopback, now.AddDays(1));
        OfStranger = Issue(_stranger, Loopback, now.AddDays(1));
        OfAnotherHost = Issue(_authority, "192.0.2.1", now.AddDays(1));
        Expired = Issue(_authority, Loopback, now.AddMinutes(-1));
    }

    /// <summary>What the operator's <c>caFile</c> holds.</summary>
    public string AuthorityPem => _authority.ExportCertificatePem();

    public X509Certificate2 Good { get; }

    /// <summary>Right in all, but issued by somebody else.</summary>
    public X509Certificate2 OfStranger { get; }

    public X509Certificate2 OfAnotherHost { get; }

    public X509Certificate2 Expired { get; }

    public void Dispose()
    {
        foreach (var certificate in (X509Certificate2[])[_authority, _stranger, Good, OfStranger, OfAnotherHost, Expired])
            certificate.Dispose();
    }

    private static X509Certificate2 NewAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=metrics-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string address, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=metrics", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.Create(authority, TimeProvider.System.GetUtcNow().AddHours(-2), until, RandomNumberGenerator.GetBytes(12));
        using var withKey = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
