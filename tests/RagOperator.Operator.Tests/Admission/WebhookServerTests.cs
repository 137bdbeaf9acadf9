using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Kubernetes;
using RagOperator.Operator.Admission;
using RagOperator.Operator.Admission.Certificates;
using RagOperator.Operator.Hosting;
using RagOperator.Operator.Hosting.Options;
using RagOperator.Operator.Tests.Hosting;
using RagOperator.Tests.Shared;
using RagOperator.Tests.Shared.Objects;

namespace RagOperator.Operator.Tests.Admission;

/// <summary>The whole process with its webhook, and an API server that refuses every connection.</summary>
public sealed class WebhookServerTests : IAsyncLifetime, IDisposable
{
    private static readonly DateTimeOffset s_now = TimeProvider.System.GetUtcNow();
    private readonly MemoryStream _log = new();
    private readonly WebApplication _app;
    private readonly PemPair _authority = Issuer.Authority(s_now);
    private Uri _https = null!;
    private Uri _http = null!;

    public WebhookServerTests() => _app = OperatorHost.Build(
        new HostSettings { HttpAddress = "127.0.0.1", HttpPort = 0, Webhook = new WebhookSettings { Enabled = true, Address = "127.0.0.1", Port = 0 } },
        new KubernetesClientConfiguration { Host = new("http://127.0.0.1:1") },
        _log);

    public async Task InitializeAsync()
    {
        await _app.StartAsync();
        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(static a => new Uri(a)).ToList();
        (_http, _https) = (addresses.Single(static a => a.Scheme == "http"), addresses.Single(static a => a.Scheme == "https"));
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Process_is_not_ready_for_the_API_server_before_it_has_a_certificate()
    {
        using var client = new HttpClient();
        Assert.Contains("webhook-certificate", await (await client.GetAsync(new Uri(_http, "/readyz"))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("/validate", "{}"));

        Serve();

        Assert.DoesNotContain("webhook-certificate", await (await client.GetAsync(new Uri(_http, "/readyz"))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Review_is_answered_with_the_questions_own_uid()
    {
        Serve();
        var bad = SpecCase.All.Single(static c => c.Name == "three things at once").Object;

        var (code, body) = await PostAsync("/validate", Question(bad.ToJsonString()));

        Assert.Equal(200, code);
        var answer = JsonElement.Parse(body);
        Assert.Equal(("admission.k8s.io/v1", "AdmissionReview"), (answer.GetProperty("apiVersion").GetString(), answer.GetProperty("kind").GetString()));
        var response = answer.GetProperty("response");
        Assert.Equal(("q-1", false, 422), (response.GetProperty("uid").GetString(), response.GetProperty("allowed").GetBoolean(), response.GetProperty("status").GetProperty("code").GetInt32()));
        Assert.Equal(3, response.GetProperty("status").GetProperty("details").GetProperty("causes").GetArrayLength());
        Assert.False(answer.TryGetProperty("request", out _));
    }

    [Fact]
    public async Task Abort_is_let_through_while_the_API_server_answers_nobody_and_approve_is_not()
    {
        Serve();

        var (_, abort) = await PostAsync("/mutate", Question(Reviews.Asking("abort/1").ToJsonString(), Reviews.Asking(null).ToJsonString()));
        var (_, approve) = await PostAsync("/mutate", Question(Reviews.Asking("approve/1/a").ToJsonString(), Reviews.Asking(null).ToJsonString()));

        Assert.True(JsonElement.Parse(abort).GetProperty("response").GetProperty("allowed").GetBoolean());
        Assert.Equal(503, JsonElement.Parse(approve).GetProperty("response").GetProperty("status").GetProperty("code").GetInt32());
    }

    [Theory]
    [InlineData("/validate", "not json", 400)]
    [InlineData("/validate", "{}", 400)]
    [InlineData("/mutate", """{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"q"}}""", 400)]
    [InlineData("/other", "{}", 404)]
    [InlineData("/metrics", "{}", 404)]
    public async Task Nonsense_is_refused(string path, string body, int code)
    {
        Serve();

        Assert.Equal(code, (await PostAsync(path, body)).Code);
    }

    [Fact]
    public async Task Question_is_bounded_and_the_plain_port_answers_none()
    {
        Serve();
        using var client = new HttpClient();

        Assert.Equal(413, (await PostAsync("/validate", new string(' ', AdmissionEndpoint.MostBytes + 1))).Code);
        Assert.Equal(400, (await PostAsync("/validate", new string(' ', AdmissionEndpoint.MostBytes))).Code);
        using var content = new StringContent(Question("{}"), Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync(new Uri(_http, "/validate"), content)).StatusCode);
    }

    [Fact]
    public async Task Nesting_is_no_way_past()
    {
        Serve();
        // What cannot be read gets no answer, and what gets no answer is let in by the failure policy Ignore.
        const int Levels = 5000;
        var deep = $"{string.Concat(Enumerable.Repeat("{\"a\":", Levels))}1{new string('}', Levels)}";

        var (code, body) = await PostAsync("/validate", Question($$"""{"metadata":{"name":"a"},"spec":{"components":[{"name":"api","template":{{deep}} }]} }"""));

        Assert.Equal(200, code);
        Assert.False(JsonElement.Parse(body).GetProperty("response").GetProperty("allowed").GetBoolean());
    }

    [Theory]
    [InlineData("DELETE", "")]
    [InlineData("UPDATE", "status")]
    public async Task What_the_webhook_is_not_there_for_is_let_through(string operation, string subResource)
    {
        Serve();
        var question = Question("""{"spec":{"nonsense":1}}""").Replace("CREATE", operation, StringComparison.Ordinal).Replace("\"uid\":\"q-1\"", $"\"uid\":\"q-1\",\"subResource\":\"{subResource}\"", StringComparison.Ordinal);

        Assert.True(JsonElement.Parse((await PostAsync("/validate", question)).Body).GetProperty("response").GetProperty("allowed").GetBoolean());
    }

    [Fact]
    public async Task Certificate_is_replaced_without_a_restart()
    {
        Serve();
        var first = await ServedAsync();
        Assert.Equal(first, await ServedAsync());

        Serve();

        Assert.NotEqual(first, await ServedAsync());
    }

    [Fact]
    public void Folder_is_followed_and_half_a_rotation_is_waited_out()
    {
        var folder = Directory.CreateTempSubdirectory("ragop-certs-").FullName;
        try
        {
            var serving = new ServingCertificate();
            using var factory = new Factory();
            using var metrics = new KeyMetrics(factory);
            using var follower = new CertificateFolder(folder, serving, metrics, new FakeTimeProvider(), NullLogger<CertificateFolder>.Instance);
            follower.Look();
            Assert.Equal((false, HealthVerdict.Degraded), (serving.IsThere, follower.Check().Status));

            var (one, two) = (Pair(s_now), Pair(s_now.AddDays(1)));
            Write(one.Certificate, one.Key);
            Assert.Equal((s_now.AddDays(90).ToUnixTimeSeconds(), HealthVerdict.Healthy), (serving.EndsAt!.Value.ToUnixTimeSeconds(), follower.Check().Status));
            Write(two.Certificate, one.Key);
            Assert.Equal((s_now.AddDays(90).ToUnixTimeSeconds(), HealthVerdict.Degraded), (serving.EndsAt!.Value.ToUnixTimeSeconds(), follower.Check().Status));
            Assert.DoesNotContain("PRIVATE", follower.Check().Detail, StringComparison.Ordinal);
            Write(two.Certificate, two.Key);
            Assert.Equal((s_now.AddDays(91).ToUnixTimeSeconds(), HealthVerdict.Healthy), (serving.EndsAt!.Value.ToUnixTimeSeconds(), follower.Check().Status));

            void Write(string certificate, string key)
            {
                File.WriteAllText(Path.Combine(folder, "tls.crt"), certificate);
                File.WriteAllText(Path.Combine(folder, "tls.key"), key);
                follower.Look();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Question(string @object, string oldObject = "null") =>
        $$$"""{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"q-1","kind":{"group":"ragoperator.dev","version":"v1alpha1","kind":"RagDeployment"},"name":"assistant","namespace":"rag","operation":"CREATE","userInfo":{"username":"jane","groups":["g"],"extra":{"scopes":["a"]}},"object":{{{@object}}},"oldObject":{{{oldObject}}},"options":null}}""";

    private PemPair Pair(DateTimeOffset now)
    {
        using var authority = _authority.Read()!;
        return Issuer.Serving(authority, ["127.0.0.1"], now);
    }

    private void Serve() => _app.Services.GetRequiredService<ServingCertificate>().Use(Pair(s_now));

    private async Task<(int Code, string Body)> PostAsync(string path, string body)
    {
        using var client = new HttpClient(Handler(static _ => { }));
        // A body that is too long is refused before it is sent: otherwise the answer and the closed connection would race for who is seen first.
        client.DefaultRequestHeaders.ExpectContinue = true;
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var answer = await client.PostAsync(new Uri(_https, path), content);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<string> ServedAsync()
    {
        var served = "";
        using var client = new HttpClient(Handler(c => served = c));
        await client.GetAsync(new Uri(_https, "/validate"));
        return served;
    }

    /// <summary>Trusts the authority and nobody else, as the API server does.</summary>
    private SocketsHttpHandler Handler(Action<string> seen)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            seen(certificate!.GetCertHashString());
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.ImportFromPem(_authority.Certificate);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            return !errors.HasFlag(System.Net.Security.SslPolicyErrors.RemoteCertificateNameMismatch) && chain.Build(leaf);
        };
        return handler;
    }
}
