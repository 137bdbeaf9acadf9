using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace RagOperator.TestBed.Faults;

/// <summary>The real API server with the bed's administrator's rights: raw requests over HTTPS. Not the project's client: what tests a thing must not be that thing.</summary>
public sealed class ApiAccess : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _client;

    /// <summary>Reads a kubeconfig with data in it, as the bed's is.</summary>
    public ApiAccess(string kubeConfig)
    {
        var text = File.ReadAllText(kubeConfig);
        _authority = X509Certificate2.CreateFromPem(Pem(text, "certificate-authority-data"));
        _client = X509Certificate2.CreateFromPem(Pem(text, "client-certificate-data"), Pem(text, "client-key-data"));
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), AllowAutoRedirect = false };
        handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => _client;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        Http = new HttpClient(handler) { BaseAddress = new Uri(Value(text, "server")), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Requests with relative addresses go to the API server.</summary>
    public HttpClient Http { get; }

    /// <summary>The object or list at a path; null if there is none.</summary>
    public async Task<JsonElement?> GetAsync(string path)
    {
        var (status, body) = await SendAsync(HttpMethod.Get, path, null);
        return status == 404 ? null : status < 300 ? body : throw Refused("GET", path, status, body);
    }

    /// <summary>The items of a list.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string path) => await GetAsync(path) is { } list ? [.. list.GetProperty("items").EnumerateArray()] : [];

    /// <summary>Creates or changes an object as <c>kubectl apply --server-side --force-conflicts</c> does.</summary>
    public async Task<JsonElement> ApplyAsync(string path, string json, string manager = "user")
    {
        var (status, body) = await SendAsync(HttpMethod.Patch, $"{path}?fieldManager={manager}&force=true", json, "application/apply-patch+yaml");
        return status < 300 ? body : throw Refused("apply", path, status, body);
    }

    /// <summary>A merge patch.</summary>
    public async Task<JsonElement> PatchAsync(string path, string json)
    {
        var (status, body) = await SendAsync(HttpMethod.Patch, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}fieldManager=somebody", json, "application/merge-patch+json");
        return status < 300 ? body : throw Refused("patch", path, status, body);
    }

    /// <summary>Creates an object.</summary>
    public async Task<JsonElement> CreateAsync(string path, string json)
    {
        var (status, body) = await SendAsync(HttpMethod.Post, path, json);
        return status < 300 ? body : throw Refused("create", path, status, body);
    }

    /// <summary>Deletes an object in the background; nothing happens if it is gone.</summary>
    public async Task DeleteAsync(string path)
    {
        var (status, body) = await SendAsync(HttpMethod.Delete, path, null);
        if (status is >= 300 and not 404)
            throw Refused("delete", path, status, body);
    }

    /// <summary>Any request.</summary>
    public async Task<(int Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? json = null, string contentType = "application/json")
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        using var request = new HttpRequestMessage(method, path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue(contentType));
        using var response = await Http.SendAsync(request, timeout.Token);
        var body = await response.Content.ReadAsByteArrayAsync(timeout.Token);
        try
        {
            return ((int)response.StatusCode, JsonElement.Parse(body));
        }
        catch (JsonException)
        {
            return ((int)response.StatusCode, default);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Http.Dispose();
        _client.Dispose();
        _authority.Dispose();
    }

    /// <summary>A server that is too busy to answer is asked again; asked twice, it must do the same.</summary>
    /// <param name="ask">The question.</param>
    /// <param name="patience">For how long.</param>
    public static async Task<T> PatientlyAsync<T>(Func<Task<T>> ask, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(ask);
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && TimeProvider.System.GetElapsedTime(start) < patience)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            }
        }
    }

    // A server that is merely busy is not one that refuses: who polls asks again.
    private static Exception Refused(string verb, string path, int status, JsonElement body) => status is 429 or >= 500
        ? new HttpRequestException($"{verb} {path}: {status} {body}", null, (System.Net.HttpStatusCode)status)
        : new InvalidOperationException($"{verb} {path}: {status} {body}");

    private static string Pem(string text, string key) => Encoding.UTF8.GetString(Convert.FromBase64String(Value(text, key)));

    private static string Value(string text, string key) =>
        Regex.Match(text, key + """: *"?(?<value>[^\s"},]+)""", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["value"].Value;
}
