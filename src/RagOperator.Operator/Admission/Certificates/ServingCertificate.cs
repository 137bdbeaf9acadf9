using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>The certificate that new connections are served with. It is replaced while the process runs; connections that are open keep theirs.</summary>
internal sealed class ServingCertificate
{
    private volatile Held? _held;

    /// <summary>Whether there is one.</summary>
    public bool IsThere => _held is not null;

    /// <summary>When it ends.</summary>
    public DateTimeOffset? EndsAt => _held?.EndsAt;

    /// <summary>The certificate for a new connection.</summary>
    /// <exception cref="InvalidOperationException">There is none yet; the connection is closed.</exception>
    public SslStreamCertificateContext Context => (_held ?? throw new InvalidOperationException("There is no serving certificate yet.")).Context;

    /// <summary>Serves with this one from now on.</summary>
    /// <param name="pair">The certificate, with its chain behind it, and its key.</param>
    /// <returns>Whether it is another one than before.</returns>
    /// <exception cref="CryptographicException">Unreadable, or the key is another certificate's.</exception>
    public bool Use(PemPair pair)
    {
        if (_held?.Pair == pair) return false;
        var certificate = pair.Read() ?? throw new CryptographicException("Certificate and key cannot be read, or do not belong together.");
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(pair.Certificate);
        chain.RemoveAt(0); // the certificate itself
        _held = new Held(pair, SslStreamCertificateContext.Create(certificate, chain, offline: true), Issuer.EndsAt(certificate));
        return true;
    }

    private sealed record Held(PemPair Pair, SslStreamCertificateContext Context, DateTimeOffset EndsAt);
}
