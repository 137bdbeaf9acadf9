using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.ModernTests;

/// <summary>The server that <c>make modern</c> starts, with the CRD on it. It has no discovery: everything is asked for by its full path.</summary>
public sealed class ModernServer : IAsyncLifetime, IDisposable
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private readonly SocketsHttpHandler _handler;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _admin;
    private readonly HttpClient _client;

    public ModernServer()
    {
        var url = Environment.GetEnvironmentVariable("MODERN_SERVER") ?? throw new InvalidOperationException("MODERN_SERVER is not set: run `make modern`");
        var keys = Environment.GetEnvironmentVariable("MODERN_KEYS") ?? throw new InvalidOperationException("MODERN_KEYS is not set: run `make modern`");
        _authority = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(keys, "ca.crt")));
        _admin = X509Certificate2.CreateFromPemFile(Path.Combine(keys, "admin.crt"), Path.Combine(keys, "admin.key"));
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(_authority);
        _handler = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust, ClientCertificates = [_admin] } };
        _client = new HttpClient(_handler) { BaseAddress = new Uri(url) };
    }

    /// <summary>The server's answer to the CRD.</summary>
    public (HttpStatusCode Code, string Text) Installed { get; private set; }

    public async Task InitializeAsync()
    {
        var crd = YamlJson.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "crds", "ragoperator.dev_ragdeployments.yaml")))!;
        Installed = await PostAsync(Definitions, crd);
        if (Installed.Code != HttpStatusCode.Created) return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var turns = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!await IsServedAsync(patience.Token)) await turns.WaitForNextTickAsync(patience.Token);
    }

    /// <summary>What the server says of an object that is to be created. Nothing is kept.</summary>
    public Task<(HttpStatusCode Code, string Text)> TryAsync(JsonNode item) => PostAsync($"{ObjectsIn(item["metadata"]?["namespace"]?.GetValue<string>() ?? "default")}?dryRun=All", item);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
        _admin.Dispose();
        _authority.Dispose();
    }

    private static string ObjectsIn(string name) => $"/apis/ragoperator.dev/v1alpha1/namespaces/{name}/ragdeployments";

    private async Task<bool> IsServedAsync(CancellationToken cancellation)
    {
        using var answer = await _client.GetAsync(ObjectsIn("default"), cancellation);
        return answer.IsSuccessStatusCode;
    }

    private async Task<(HttpStatusCode Code, string Text)> PostAsync(string path, JsonNode item)
    {
        using var content = new StringContent(item.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await _client.PostAsync(path, content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
