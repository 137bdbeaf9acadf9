using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;

namespace RagOperator.Kubernetes;

/// <summary>What one request authenticates with: a header, a client certificate, both or nothing.</summary>
internal sealed record Credential(AuthenticationHeaderValue? Header, ClientCertificatePem? Certificate)
{
    public static Credential Nothing { get; } = new(null, null);

    public static Credential Bearer(string token) => new(new AuthenticationHeaderValue("Bearer", token), null);

    // The generated text would show the token.
    public override string ToString() => nameof(Credential);
}

/// <summary>A client certificate with its chain, and its key.</summary>
internal sealed record ClientCertificatePem(string Certificate, string Key)
{
    public override string ToString() => nameof(ClientCertificatePem);
}

/// <summary>Where credentials come from.</summary>
internal interface ICredentialSource : IDisposable
{
    ValueTask<Credential> GetAsync(CancellationToken cancellationToken);

    /// <summary>The server refused this credential: do not hand it out again if a newer one is to be had.</summary>
    void Reject(Credential refused);
}

internal static class CredentialSource
{
    public static ICredentialSource From(KubernetesClientConfiguration config, TimeProvider time, ILogger logger)
    {
        if (config.Exec is { } exec) return new ExecPlugin(exec, config, time);
        if (config.TokenFile is { } file) return new TokenFile(file, config.AccessToken, time, logger);
        if (config.AccessToken is { } token) return new Fixed(Credential.Bearer(token));
        if (config.Username is { } user)
        {
            var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{config.Password}"));
            return new Fixed(new Credential(new AuthenticationHeaderValue("Basic", pair), null));
        }

        return new Fixed(Credential.Nothing);
    }

    private sealed class Fixed(Credential credential) : ICredentialSource
    {
        public ValueTask<Credential> GetAsync(CancellationToken cancellationToken) => new(credential);

        public void Reject(Credential refused)
        {
        }

        public void Dispose()
        {
        }
    }
}
