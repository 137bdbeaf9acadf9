using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.Kubernetes;

/// <summary>
/// Credentials from a program. It runs once for all who wait, its answer is kept until it expires or the server refuses it.
/// </summary>
internal sealed class ExecPlugin(ExecPluginConfiguration config, KubernetesClientConfiguration cluster, TimeProvider time) : ICredentialSource
{
    public const string V1 = "client.authentication.k8s.io/v1";
    public const string V1Beta1 = "client.authentication.k8s.io/v1beta1";

    // A credential is a few KiB; more is a mistake.
    private const int MaxOutput = 1 << 20;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private Credential? _current;
    private DateTimeOffset? _expires;

    public async ValueTask<Credential> GetAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_current is { } known && (_expires is not { } end || time.GetUtcNow() < end)) return known;
            (_current, _expires) = Parse(await RunAsync(cancellationToken));
            return _current;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Reject(Credential refused) => Interlocked.CompareExchange(ref _current, null, refused);

    public void Dispose() => _gate.Dispose();

    private async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(config.Command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var arg in config.Args) start.ArgumentList.Add(arg);
        foreach (var (name, value) in config.Env) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = ExecInfo();

        using var limit = new CancellationTokenSource(config.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            var hint = config.InstallHint is { } text ? $" {text.Trim()}" : "";
            throw new KubeConfigException($"Credential plugin {config.Command} cannot be started: {e.Message}.{hint}", e);
        }

        try
        {
            process.StandardInput.Close();
            // Both pipes at once: a plugin that fills one while nobody reads it would hang.
            var output = ReadBoundedAsync(process.StandardOutput, either.Token);
            var errors = ReadBoundedAsync(process.StandardError, either.Token);
            await Task.WhenAll(output, errors);
            await process.WaitForExitAsync(either.Token);
            if (process.ExitCode == 0) return await output;
            throw new KubeConfigException($"Credential plugin {config.Command} ended with {process.ExitCode}: {Tail(await errors)}");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KubeConfigException($"Credential plugin {config.Command} did not end within {config.Timeout.TotalSeconds:0} s.");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private (Credential Credential, DateTimeOffset? Expires) Parse(string output)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            var root = json.RootElement;
            if (root.GetProperty("apiVersion").GetString() is var version && !string.Equals(version, config.ApiVersion, StringComparison.Ordinal))
                throw Wrong($"speaks {version}, the kubeconfig says {config.ApiVersion}");
            if (!root.TryGetProperty("status", out var status) || status.ValueKind != JsonValueKind.Object) throw Wrong("gave no status");

            var token = Text(status, "token");
            var certificate = Text(status, "clientCertificateData");
            var key = Text(status, "clientKeyData");
            if (certificate is null != key is null) throw Wrong("gave a certificate or a key but not both");
            if (token is null && certificate is null) throw Wrong("gave neither a token nor a certificate");
            DateTimeOffset? expires = Text(status, "expirationTimestamp") is not { } text ? null
                : DateTimeOffset.TryParse(text, null, System.Globalization.DateTimeStyles.AssumeUniversal, out var end) ? end
                : throw Wrong($"gave an expirationTimestamp that is no time: {text}");

            var header = token is null ? null : Credential.Bearer(token).Header;
            return (new Credential(header, certificate is null ? null : new ClientCertificatePem(certificate, key!)), expires);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Wrong("did not print an ExecCredential as JSON");
        }

        KubeConfigException Wrong(string what) => new($"Credential plugin {config.Command} {what}.");

        static string? Text(JsonElement element, string name) =>
            element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
    }

    private string ExecInfo()
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (config.ProvideClusterInfo)
        {
            var ca = cluster.CertificateAuthorityData
                ?? (cluster.CertificateAuthorityFile is { } file ? File.ReadAllText(file) : null);
            var info = new JsonObject { ["server"] = cluster.Host.ToString() };
            if (cluster.TlsServerName is { } name) info["tls-server-name"] = name;
            if (cluster.SkipTlsVerify) info["insecure-skip-tls-verify"] = true;
            if (ca is not null) info["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(ca));
            if (cluster.ProxyUrl is { } proxy) info["proxy-url"] = proxy.ToString();
            spec["cluster"] = info;
        }

        return new JsonObject { ["apiVersion"] = config.ApiVersion, ["kind"] = "ExecCredential", ["spec"] = spec }.ToJsonString();
    }

    private static string Tail(string errors) => errors.Trim() is { Length: > 500 } text ? text[^500..] : errors.Trim();

    private static async Task<string> ReadBoundedAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var count)
            if (text.Length < MaxOutput) text.Append(buffer, 0, count);
        return text.ToString();
    }
}
