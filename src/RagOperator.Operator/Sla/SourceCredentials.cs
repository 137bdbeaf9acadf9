using System.Net.Http.Headers;
using System.Text;

namespace RagOperator.Operator.Sla;

/// <summary>Puts the credentials and the tenant of one source onto a request.</summary>
internal sealed class SourceCredentials(MetricSourceOptions options)
{
    private readonly SecretFile? _token = options.BearerTokenFile is { } t ? new(t) : null;
    private readonly SecretFile? _password = options.BasicPasswordFile is { } p ? new(p) : null;
    private readonly SecretFile? _tenant = options.TenantHeaderValueFile is { } v ? new(v) : null;

    /// <summary>Adds the headers.</summary>
    /// <returns>The secrets that were added, which no message may show; or what is wrong, for people.</returns>
    public async ValueTask<(IReadOnlyList<string> Secrets, string? Problem)> ApplyAsync(string namespaceName, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var secrets = new List<string>();
        if (_token is not null)
        {
            if (await _token.ReadAsync(cancellationToken) is not { } token) return (secrets, "bearerTokenFile cannot be read or is empty");
            if (!IsHeaderText(token)) return (secrets, "bearerTokenFile holds characters that no header may have");
            secrets.Add(token);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        else if (_password is not null)
        {
            if (await _password.ReadAsync(cancellationToken) is not { } password) return (secrets, "basicAuth.passwordFile cannot be read or is empty");
            var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.BasicUsername}:{password}"));
            secrets.Add(password);
            secrets.Add(encoded);
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", encoded);
        }

        if (options.TenantHeaderName is not { } name) return (secrets, null);
        // A namespace's name is a DNS label: nothing in it can end a header or name another tenant.
        var tenant = options.TenantHeaderValue?.Replace(MetricSourceOptions.NamespaceVariable, namespaceName, StringComparison.Ordinal);
        if (_tenant is not null)
        {
            tenant = await _tenant.ReadAsync(cancellationToken);
            if (tenant is not null) secrets.Add(tenant);
        }

        if (tenant is null) return (secrets, "tenantHeader.valueFile cannot be read or is empty");
        if (!IsHeaderText(tenant)) return (secrets, "tenantHeader's value holds characters that no header may have");
        request.Headers.TryAddWithoutValidation(name, tenant);
        return (secrets, null);
    }

    private static bool IsHeaderText(string text) => text.All(c => c is >= ' ' and < (char)127);
}
