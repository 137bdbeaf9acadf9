using System.Security.Cryptography.X509Certificates;
using RagOperator.Operator.Admission.Certificates;

namespace RagOperator.Operator.Tests.Admission;

/// <summary>Years of certificates in a moment.</summary>
public sealed class KeyPlanTests
{
    private static readonly string[] s_names = ["webhook.rag.svc", "localhost", "127.0.0.1"];
    private readonly KeyPlan _plan = new(s_names);
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void First_keys_are_an_authority_and_a_certificate_that_API_servers_take()
    {
        var (keys, again) = Next(new WebhookKeys());

        using var serving = keys.Serving!.Read()!;
        using var authority = keys.Authority!.Read()!;
        Assert.True(IsTrusted(keys.Serving, keys.Bundle));
        Assert.Equal(_now.AddDays(90), Issuer.EndsAt(serving));
        Assert.Equal(_now.AddDays(3650), Issuer.EndsAt(authority));
        Assert.Equal(System.Security.Cryptography.ECCurve.NamedCurves.nistP256.Oid.Value, serving.GetECDsaPublicKey()!.ExportParameters(false).Curve.Oid.Value);
        var names = serving.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(s_names, names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(static a => a.ToString())));
        Assert.Equal(_now.AddDays(60), again);
        Assert.Equal(32, keys.StampKey!.Length);
    }

    [Fact]
    public void Good_keys_stay_until_two_thirds_of_the_certificates_life_are_over()
    {
        var (keys, again) = Next(new WebhookKeys());

        _now = again - TimeSpan.FromSeconds(1);
        Assert.Equal(keys, Next(keys).Keys);
        _now = again;
        var renewed = Next(keys).Keys;
        Assert.NotEqual(keys.Serving, renewed.Serving);
        Assert.Equal((keys.Authority, keys.Earlier, keys.StampKey), (renewed.Authority, renewed.Earlier, renewed.StampKey));
        Assert.Equal(renewed, Next(renewed).Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Authority_that_somebody_put_there_and_that_cannot_sign_is_followed_by_ours(bool isAuthority)
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        using var ec = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var request = isAuthority
            ? new CertificateRequest("CN=theirs", rsa, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=theirs", ec, System.Security.Cryptography.HashAlgorithmName.SHA256);
        if (isAuthority) request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var theirs = request.CreateSelfSigned(_now.AddDays(-1), _now.AddDays(3000));
        var pair = new PemPair(theirs.ExportCertificatePem(), isAuthority ? rsa.ExportPkcs8PrivateKeyPem() : ec.ExportPkcs8PrivateKeyPem());

        var (keys, _) = Next(new WebhookKeys { Authority = pair });

        Assert.NotEqual(pair, keys.Authority);
        Assert.True(IsTrusted(keys.Serving!, keys.Bundle));
    }

    [Fact]
    public void Replica_whose_clock_is_behind_takes_the_authority_of_the_other()
    {
        var ahead = Next(new WebhookKeys()).Keys with { Serving = null };
        _now -= TimeSpan.FromMinutes(4);

        var (keys, _) = Next(ahead);

        Assert.Equal(ahead.Authority, keys.Authority);
        _now += TimeSpan.FromMinutes(4);
        Assert.True(IsTrusted(keys.Serving!, keys.Bundle));
    }

    [Fact]
    public void Keys_survive_the_Secret()
    {
        var (keys, _) = Next(new WebhookKeys());
        var secret = new Abstractions.Models.V1Secret { Data = keys.Entries().Where(static e => e.Value is not null).ToDictionary(static e => e.Key, static e => e.Value!) };

        Assert.Equal(keys.Entries(), WebhookKeys.Of(secret).Entries());
        Assert.Equal(keys.Entries(), Next(WebhookKeys.Of(secret)).Keys.Entries());
        Assert.DoesNotContain("KEY", $"{keys} {keys.Authority} {secret}", StringComparison.Ordinal);
    }

    [Fact]
    public void Authority_is_followed_by_another_without_a_moment_in_which_a_certificate_is_not_trusted()
    {
        var (keys, _) = Next(new WebhookKeys());
        var bundle = keys.Bundle;
        var served = new List<PemPair> { keys.Serving! };
        var (authorities, moves) = (new HashSet<string> { keys.Authority!.Certificate }, 0);
        var start = _now;
        // A look every tenth day; the API server is told only at every third, and an old process may serve what it read last for as long as that lives.
        for (var day = 0; day < 3650 * 2; day += 10)
        {
            _now = start.AddDays(day);
            for (var looks = 0; looks < 3; looks++)
            {
                var told = bundle;
                var next = _plan.Next(keys, a => told.Contains(a.Certificate.Trim(), StringComparison.Ordinal), _now).Keys;
                if (next == keys) break;
                moves++;
                keys = next;
                if (served[^1] != keys.Serving) served.Add(keys.Serving!);
                authorities.Add(keys.Authority!.Certificate);
            }

            if (day % 30 == 0) bundle = keys.Bundle;
            Assert.True(IsTrusted(keys.Serving!, bundle), $"day {day}");
            Assert.All(served.TakeLast(3).Where(IsAlive), pair => Assert.True(IsTrusted(pair, bundle), $"day {day}, a process that serves an older one"));
        }

        Assert.InRange(authorities.Count, 3, 4);
        Assert.InRange(moves, 100, 150);
        Assert.Equal("", keys.Earlier);
    }

    [Fact]
    public void New_authority_signs_only_when_it_is_told_and_a_minute_has_passed()
    {
        var (keys, _) = Next(new WebhookKeys());
        _now = _now.AddDays(2434);
        keys = Next(keys).Keys; // the certificate has long ended: this one is by the new authority at once
        _now = _now.AddDays(10);
        var fresh = keys with { Serving = Issuer.Serving(keys.Authority!.Read()!, s_names, _now) };
        var lost = fresh with { Authority = new PemPair(fresh.Authority!.Certificate, "gone") };

        var followed = _plan.Next(lost, static _ => true, _now).Keys;
        Assert.NotEqual(fresh.Authority, followed.Authority);
        Assert.Contains(fresh.Authority.Certificate.Trim(), followed.Bundle, StringComparison.Ordinal);
        Assert.Equal(fresh.Serving, followed.Serving);

        var (early, again) = _plan.Next(followed, static _ => true, _now.AddSeconds(59));
        Assert.Equal((fresh.Serving, _now.AddMinutes(1)), (early.Serving, again));
        Assert.Equal(fresh.Serving, _plan.Next(followed, static _ => false, _now.AddDays(1)).Keys.Serving);
        Assert.NotEqual(fresh.Serving, _plan.Next(followed, static _ => true, _now.AddMinutes(1)).Keys.Serving);
    }

    [Theory]
    [InlineData("another name")]
    [InlineData("another key")]
    [InlineData("nonsense")]
    [InlineData("another authority")]
    public void Certificate_that_is_no_good_is_made_anew(string what)
    {
        var (keys, _) = Next(new WebhookKeys());
        var (others, _) = new KeyPlan(["elsewhere.rag.svc"]).Next(new WebhookKeys(), static _ => true, _now);
        var broken = keys with
        {
            Serving = what switch
            {
                "another name" => Issuer.Serving(keys.Authority!.Read()!, ["elsewhere.rag.svc"], _now),
                "another key" => keys.Serving! with { Key = others.Serving!.Key },
                "nonsense" => new PemPair("x", "y"),
                _ => others.Serving,
            },
        };

        // Processes of two configurations take turns, a minute each.
        if (what == "another name") _now = _now.AddMinutes(1);
        var mended = Next(broken).Keys;

        Assert.NotEqual(broken.Serving, mended.Serving);
        Assert.Equal(keys.Authority, mended.Authority);
        Assert.True(IsTrusted(mended.Serving!, mended.Bundle));
    }

    [Fact]
    public void Without_names_only_the_stamps_key_is_kept()
    {
        var (keys, again) = new KeyPlan([]).Next(new WebhookKeys(), static _ => true, _now);

        Assert.Equal((null, null, 32, DateTimeOffset.MaxValue), (keys.Authority, keys.Serving, keys.StampKey!.Length, again));
        Assert.Equal(keys, new KeyPlan([]).Next(keys, static _ => true, _now).Keys);
    }

    private (WebhookKeys Keys, DateTimeOffset Again) Next(WebhookKeys keys) => _plan.Next(keys, static _ => true, _now);

    private bool IsAlive(PemPair pair)
    {
        using var certificate = pair.Read()!;
        return _now < Issuer.EndsAt(certificate);
    }

    private bool IsTrusted(PemPair serving, string bundle)
    {
        using var certificate = serving.Read()!;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(bundle);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _now.UtcDateTime;
        return chain.Build(certificate);
    }
}
