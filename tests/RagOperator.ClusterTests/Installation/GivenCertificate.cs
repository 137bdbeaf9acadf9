using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests.Installation;

/// <summary>What cert-manager does, which is not here: it keeps a certificate in the Secret that the chart mounts, renews it, and writes its authority
/// into the webhook configurations.</summary>
internal sealed class GivenCertificate : IDisposable
{
    private const string Service = "rag-operator-webhook";
    private readonly DateTimeOffset _from = TimeProvider.System.GetUtcNow().AddMinutes(-5);
    private readonly X509Certificate2 _authority;

    public GivenCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=given", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _authority = request.CreateSelfSigned(_from, _from.AddDays(30));
    }

    /// <summary>Puts a new certificate and key into the Secret.</summary>
    /// <returns>The certificate's serial number.</returns>
    public async Task<string> IssueAsync(TestSpace space)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName($"{Service}.{InstalledOperator.Namespace}.svc");
        names.AddDnsName($"{Service}.{InstalledOperator.Namespace}.svc.cluster.local");
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var certificate = request.Create(_authority, _from, _from.AddDays(29), RandomNumberGenerator.GetBytes(12));
        await space.Bed.ApplyAsync($$"""
            apiVersion: v1
            kind: Secret
            metadata: {name: {{Service}}-tls, namespace: {{InstalledOperator.Namespace}} }
            type: kubernetes.io/tls
            data: {ca.crt: {{Base64(_authority.ExportCertificatePem())}}, tls.crt: {{Base64(certificate.ExportCertificatePem())}}, tls.key: {{Base64(key.ExportPkcs8PrivateKeyPem())}} }
            """);
        return certificate.SerialNumber;
    }

    /// <summary>Writes the authority into both configurations: the API server trusts nobody else then.</summary>
    public async Task InjectAsync(TestSpace space)
    {
        var patch = $$"""[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"{{Base64(_authority.ExportCertificatePem())}}"}]""";
        foreach (var kind in (string[])["validatingwebhookconfiguration", "mutatingwebhookconfiguration"])
            (await space.Bed.KubectlAsync("patch", kind, "rag-operator", "--type=json", "-p", patch)).OrThrow();
    }

    /// <summary>The serial number of the certificate that a pod serves, of this authority and for the Service's name.</summary>
    public async Task<string> ServedAsync(string address)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address, 9443);
        await using var tls = new SslStream(client.GetStream());
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(_authority);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = $"{Service}.{InstalledOperator.Namespace}.svc", CertificateChainPolicy = trust });
        return tls.RemoteCertificate!.GetSerialNumberString();
    }

    public void Dispose() => _authority.Dispose();

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
