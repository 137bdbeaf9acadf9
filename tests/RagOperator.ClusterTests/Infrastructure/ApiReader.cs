using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>Reads from the API server over HTTPS: for polling, as a kubectl process each time would cost more than what is tested.</summary>
public sealed class ApiReader : IDisposable
{
    private readonly HttpClient _http;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _client;

    public ApiReader(string kubeConfig)
    {
        var text = File.ReadAllText(kubeConfig);
        _authority = X509Certificate2.CreateFromPem(Pem(text, "certificate-authority-data"));
        _client = X509Certificate2.CreateFromPem(Pem(text, "client-certificate-data"), Pem(text, "client-key-data"));
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) };
        handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => _client;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(Value(text, "server")), Timeout = TimeSpan.FromSeconds(20) };
    }

    /// <summary>The object or list at a path; null if there is none.</summary>
    public async Task<JsonElement?> GetAsync(string path)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonElement.Parse(body)
            : response.StatusCode == System.Net.HttpStatusCode.NotFound ? null
            : throw new InvalidOperationException($"GET {path}: {(int)response.StatusCode} {body}");
    }

    /// <summary>Sends a body; answers the code and what came back, refused or not.</summary>
    /// <param name="method">The verb.</param>
    /// <param name="path">The path with its query.</param>
    /// <param name="json">The body; none when empty.</param>
    /// <param name="contentType">What kind of body.</param>
    public async Task<(int Code, JsonElement Body)> SendAsync(HttpMethod method, string path, string json = "", string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (json.Length > 0)
            request.Content = new StringContent(json, new System.Net.Http.Headers.MediaTypeHeaderValue(contentType));
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    public void Dispose()
    {
        _http.Dispose();
        _client.Dispose();
        _authority.Dispose();
    }

    private static string Pem(string text, string key) => Encoding.UTF8.GetString(Convert.FromBase64String(Value(text, key)));

    private static string Value(string text, string key) => Regex.Match(text, key + """: *"?(?<value>[^\s"},]+)""", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["value"].Value;
}
