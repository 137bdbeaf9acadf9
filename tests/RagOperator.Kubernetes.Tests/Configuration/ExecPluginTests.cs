using System.Text.Json.Nodes;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Kubernetes.Tests.Configuration;

public sealed class ExecPluginTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ragoperator-exec").FullName;
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(ExecPlugin.V1)]
    [InlineData(ExecPlugin.V1Beta1)]
    public async Task Token_is_taken_and_arguments_environment_and_cluster_are_given(string version)
    {
        using var plugin = Plugin(
            $$$"""
            printf '%s\n' "$@" > "$OUT/args"; echo "$EXTRA" > "$OUT/extra"; echo "$KUBERNETES_EXEC_INFO" > "$OUT/info"
            echo '{"apiVersion":"{{{version}}}","kind":"ExecCredential","status":{"token":"t1"}}'
            """,
            version, ["one arg", "--two"]);

        Assert.Equal("Bearer t1", (await plugin.GetAsync(CancellationToken.None)).Header!.ToString());
        Assert.Equal(["one arg", "--two"], await File.ReadAllLinesAsync(Path.Combine(_directory, "args")));
        Assert.Equal("more", (await File.ReadAllTextAsync(Path.Combine(_directory, "extra"))).Trim());
        var info = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_directory, "info")))!;
        Assert.Equal(
            (version, "ExecCredential", false, "https://api/"),
            ((string)info["apiVersion"]!, (string)info["kind"]!, (bool)info["spec"]!["interactive"]!, (string)info["spec"]!["cluster"]!["server"]!));
    }

    [Fact]
    public async Task Plugin_runs_once_for_all_who_wait_and_again_when_its_answer_expires()
    {
        using var plugin = Plugin(
            """
            echo x >> "$OUT/runs"; sleep 0.1
            echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t'$(wc -l < "$OUT/runs")'","expirationTimestamp":"2026-01-01T01:00:00Z"}}'
            """);
        var all = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => plugin.GetAsync(CancellationToken.None).AsTask()));
        Assert.All(all, static c => Assert.Equal("t1", c.Header!.Parameter));

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("t2", (await plugin.GetAsync(CancellationToken.None)).Header!.Parameter);
    }

    [Fact]
    public async Task Refused_credential_is_asked_for_anew_unless_it_is_an_old_one()
    {
        using var plugin = Plugin(
            """
            echo x >> "$OUT/runs"
            echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t'$(wc -l < "$OUT/runs")'"}}'
            """);
        var first = await plugin.GetAsync(CancellationToken.None);
        plugin.Reject(first);
        var second = await plugin.GetAsync(CancellationToken.None);
        plugin.Reject(first);
        Assert.Same(second, await plugin.GetAsync(CancellationToken.None));
        Assert.Equal("t2", second.Header!.Parameter);
    }

    [Fact]
    public async Task Certificate_and_key_are_taken()
    {
        using var certificates = new TestCertificates();
        var (certificate, key) = certificates.Issue("CN=me");
        var answer = new JsonObject
        {
            ["apiVersion"] = ExecPlugin.V1,
            ["status"] = new JsonObject { ["clientCertificateData"] = certificate, ["clientKeyData"] = key },
        };
        await File.WriteAllTextAsync(Path.Combine(_directory, "answer"), answer.ToJsonString());
        using var plugin = Plugin("""cat "$OUT/answer" """);
        var credential = await plugin.GetAsync(CancellationToken.None);
        Assert.Null(credential.Header);
        Assert.Equal(new ClientCertificatePem(certificate, key), credential.Certificate);
    }

    [Theory]
    [InlineData("echo no >&2; exit 3", "ended with 3: no")]
    [InlineData("echo hello", "did not print an ExecCredential")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"hush\"}}'", "speaks client.authentication.k8s.io/v1beta1")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'", "neither a token nor a certificate")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"hush\",\"clientKeyData\":\"hush\"}}'", "a certificate or a key but not both")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\"}'", "gave no status")]
    public async Task Wrong_answer_is_told_without_its_secrets(string script, string expected)
    {
        using var plugin = Plugin(script);
        var error = await Assert.ThrowsAsync<KubeConfigException>(async () => await plugin.GetAsync(CancellationToken.None));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_plugin_is_told_with_the_hint()
    {
        using var plugin = new ExecPlugin(
            new ExecPluginConfiguration { ApiVersion = ExecPlugin.V1, Command = Path.Combine(_directory, "none"), InstallHint = "Install it." }, Cluster, _time);
        var error = await Assert.ThrowsAsync<KubeConfigException>(async () => await plugin.GetAsync(CancellationToken.None));
        Assert.Contains("cannot be started", error.Message, StringComparison.Ordinal);
        Assert.Contains("Install it.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plugin_that_fills_both_pipes_does_not_hang()
    {
        using var plugin = Plugin(
            """
            head -c 300000 /dev/zero | tr '\0' ' ' >&2; head -c 300000 /dev/zero | tr '\0' ' '
            echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}'
            """);
        Assert.Equal("t", (await plugin.GetAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(20))).Header!.Parameter);
    }

    [Fact]
    public async Task Plugin_that_does_not_end_is_stopped_after_its_time()
    {
        using var plugin = Plugin("""touch "$OUT/started"; exec sleep 600""");
        var get = plugin.GetAsync(CancellationToken.None).AsTask();
        await Wait.UntilAsync(() => File.Exists(Path.Combine(_directory, "started")), "the plugin runs");
        _time.Advance(TimeSpan.FromMinutes(2));
        var error = await Assert.ThrowsAsync<KubeConfigException>(() => get);
        Assert.Contains("did not end within 120 s", error.Message, StringComparison.Ordinal);
    }

    private static KubernetesClientConfiguration Cluster => new() { Host = new Uri("https://api") };

    private ExecPlugin Plugin(string script, string version = ExecPlugin.V1, string[]? args = null)
    {
        var file = Path.Combine(_directory, "plugin.sh");
        File.WriteAllText(file, $"set -e\n{script}\n");
        return new ExecPlugin(
            new ExecPluginConfiguration
            {
                ApiVersion = version,
                Command = "sh",
                Args = [file, .. args ?? []],
                Env = [KeyValuePair.Create("OUT", _directory), KeyValuePair.Create("EXTRA", "more")],
                ProvideClusterInfo = true,
            },
            Cluster,
            _time);
    }
}
