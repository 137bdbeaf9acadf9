using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>Says what the Secret should hold: what is there as long as it is good, else something new. Pure but for the keys that it makes.</summary>
/// <remarks>
/// An authority is followed by another in three moves, so that whoever checks a certificate trusts its signer beforehand: the new one is put beside
/// the old; when the API server has been told both, the serving certificate is signed by the new one; when no certificate of the old one can be
/// alive any more, in whichever process, the old one is forgotten. Each move is seen from the Secret alone and may be made by any process.
/// </remarks>
/// <param name="names">What serving certificates are made out to; empty: somebody else makes them, only the stamps' key is kept here.</param>
internal sealed class KeyPlan(IReadOnlyList<string> names)
{
    /// <summary>API servers see a changed configuration a moment later than it is written.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMinutes(1);

    private const string AlternativeNames = "2.5.29.17";

    /// <summary>What the Secret should hold, and when to look again.</summary>
    /// <param name="keys">What it holds.</param>
    /// <param name="isTrusted">Whether a bundle with this authority in it is what the API server was told.</param>
    /// <param name="now">The time.</param>
    public (WebhookKeys Keys, DateTimeOffset Again) Next(WebhookKeys keys, Func<PemPair, bool> isTrusted, DateTimeOffset now)
    {
        var stamp = keys.StampKey ?? RandomNumberGenerator.GetBytes(RequestStamps.KeyLength);
        if (names.Count == 0) return (keys with { StampKey = stamp }, DateTimeOffset.MaxValue);

        var (authority, earlier) = AuthorityOf(keys, now);
        using var signer = authority.Read()!;
        var forget = Issuer.MadeAt(signer) + Issuer.ServingLife + TimeSpan.FromDays(1);
        if (earlier.Length > 0 && now >= forget) earlier = "";
        var again = TwoThirds(signer);
        if (earlier.Length > 0) again = Sooner(again, forget);

        using var current = keys.Serving?.Read();
        var serving = keys.Serving;
        if (current is null || !IsTrusted(current, signer, earlier, now) || now >= TwoThirds(current))
        {
            serving = Issuer.Serving(signer, names, now);
        }
        else if (!IsMadeOutToUs(current))
        {
            // During an upgrade processes of two configurations share the Secret: they may take turns, but not as fast as they can.
            var turn = Issuer.MadeAt(current) + Settling;
            if (now >= turn) serving = Issuer.Serving(signer, names, now);
            else again = Sooner(again, turn);
        }
        else if (!IsSignedBy(current, [signer], now))
        {
            var settled = Issuer.MadeAt(signer) + Settling;
            if (now >= settled && isTrusted(authority)) serving = Issuer.Serving(signer, names, now);
            else again = Sooner(again, now < settled ? settled : now + Settling);
        }

        using var served = serving!.Read()!;
        return (new WebhookKeys { Authority = authority, Earlier = earlier, Serving = serving, StampKey = stamp }, Sooner(again, TwoThirds(served)));
    }

    private static (PemPair Authority, string Earlier) AuthorityOf(WebhookKeys keys, DateTimeOffset now)
    {
        using var current = Signer(keys.Authority);
        var isAlive = current is not null && now < Issuer.EndsAt(current) && now >= Issuer.MadeAt(current) - Issuer.Backdated;
        if (isAlive && now < TwoThirds(current!)) return (keys.Authority!, keys.Earlier);
        // One whose key was lost still has certificates under it.
        var followed = current is not null ? isAlive : IsCertificate(keys.Authority?.Certificate);
        return (Issuer.Authority(now), followed ? $"{keys.Authority!.Certificate.Trim()}\n{keys.Earlier}" : keys.Earlier);
    }

    /// <summary>One that certificates can be made with as ours are; null for any other that somebody put there: it is followed by a new one.</summary>
    private static X509Certificate2? Signer(PemPair? pair)
    {
        if (pair?.Read() is not { } certificate) return null;
        using var key = certificate.GetECDsaPrivateKey();
        if (key is not null && certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(static e => e.CertificateAuthority)) return certificate;
        certificate.Dispose();
        return null;
    }

    private bool IsMadeOutToUs(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault()
            ?? (certificate.Extensions[AlternativeNames] is { } raw ? new X509SubjectAlternativeNameExtension(raw.RawData) : null);
        if (extension is null) return false;
        var made = extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(static a => a.ToString()));
        return made.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(names);
    }

    private static bool IsTrusted(X509Certificate2 certificate, X509Certificate2 signer, string earlier, DateTimeOffset now)
    {
        var roots = new X509Certificate2Collection { signer };
        if (IsCertificate(earlier)) roots.ImportFromPem(earlier);
        return IsSignedBy(certificate, roots, now);
    }

    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2Collection roots, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        return chain.Build(certificate);
    }

    private static bool IsCertificate(string? pem)
    {
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPem(pem);
            return found.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>When two thirds of a certificate's life are over: then another one is made, with the last third for whatever goes wrong.</summary>
    private static DateTimeOffset TwoThirds(X509Certificate2 certificate)
    {
        var made = Issuer.MadeAt(certificate);
        return made + ((Issuer.EndsAt(certificate) - made) * 2 / 3);
    }

    private static DateTimeOffset Sooner(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
