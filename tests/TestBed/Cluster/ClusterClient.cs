using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Cluster;

/// <summary>The API server as the bed's own parts speak to it: raw JSON over HTTPS. Deliberately not the project's client: what tests a thing must not be that thing.</summary>
internal sealed class ClusterClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _client;

    public ClusterClient(string address, string authorityPem, string certificatePem, string keyPem)
    {
        _authority = X509Certificate2.CreateFromPem(authorityPem);
        _client = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        var handler = new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20), ConnectTimeout = TimeSpan.FromSeconds(5) };
        handler.SslOptions.ClientCertificates = [_client];
        handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => _client;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(address), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The body of an answer of 2xx; null for any other answer or none.</summary>
    public async Task<JsonObject?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            using var response = await _http.GetAsync(path, patience.Token);
            return response.IsSuccessStatusCode ? JsonNode.Parse(await response.Content.ReadAsStringAsync(patience.Token)) as JsonObject : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or System.Text.Json.JsonException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>True when /readyz says ok.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            using var response = await _http.GetAsync("/readyz", patience.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    /// <summary>A merge patch; the answer's status code and body.</summary>
    public async Task<(int Status, string Body)> MergePatchAsync(string path, JsonObject patch, CancellationToken cancellationToken)
    {
        using var content = new StringContent(patch.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/merge-patch+json"));
        using var response = await _http.PatchAsync(path, content, cancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>The lines of a watch, until the server or <paramref name="cancellationToken"/> ends it.</summary>
    public async IAsyncEnumerable<JsonObject> WatchAsync(string path, string resourceVersion, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion={resourceVersion}");
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            yield break;
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
            if (JsonNode.Parse(line) is JsonObject item)
                yield return item;
    }

    public void Dispose()
    {
        _http.Dispose();
        _client.Dispose();
        _authority.Dispose();
    }
}
