using System.Text;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.Configuration;

public sealed class KubeConfigTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ragoperator-kubeconfig").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Every_field_is_read()
    {
        using var certificates = new TestCertificates();
        var (certificate, key) = certificates.Issue("CN=me");
        var config = Read($$"""
            apiVersion: v1
            kind: Config
            current-context: one
            contexts:
            - name: other
              context: {cluster: nowhere, user: nobody}
            - name: one
              context: {cluster: c, user: u, namespace: team}
            clusters:
            - name: c
              cluster:
                server: https://api.example.com:6443/prefix
                certificate-authority-data: {{Base64(certificates.CaPem)}}
                tls-server-name: internal
                proxy-url: http://proxy:3128
            users:
            - name: u
              user:
                client-certificate-data: {{Base64(certificate)}}
                client-key-data: {{Base64(key)}}
                token: the-token
                tokenFile: sub/token
            """);

        Assert.Equal(("https://api.example.com:6443/prefix", "team", "one"), (config.Host.ToString(), config.Namespace, config.CurrentContext));
        Assert.Equal((certificates.CaPem, "internal", "http://proxy:3128/"), (config.CertificateAuthorityData, config.TlsServerName, config.ProxyUrl!.ToString()));
        Assert.Equal((certificate, key), (config.ClientCertificateData, config.ClientCertificateKeyData));
        Assert.Equal(("the-token", Path.Combine(_directory, "sub/token")), (config.AccessToken, config.TokenFile));
        Assert.DoesNotContain("the-token", config.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_are_relative_to_the_file_that_names_them()
    {
        var config = Read(Minimal("certificate-authority: ../ca.crt", "client-certificate: my.crt, client-key: /abs/my.key"));
        Assert.Equal(Path.GetFullPath(Path.Combine(_directory, "../ca.crt")), config.CertificateAuthorityFile);
        Assert.Equal((Path.Combine(_directory, "my.crt"), "/abs/my.key"), (config.ClientCertificateFilePath, config.ClientKeyFilePath));
    }

    [Fact]
    public void Of_several_files_the_first_wins_for_each_name_and_the_current_context()
    {
        var first = Write("current-context: x\nclusters: [{name: c, cluster: {server: 'https://first'}}]\n");
        var second = Write("""
            current-context: y
            contexts: [{name: x, context: {cluster: c}}, {name: y, context: {cluster: d}}]
            clusters: [{name: c, cluster: {server: 'https://second'}}, {name: d, cluster: {server: 'https://d'}}]
            """);
        Assert.Equal("https://first/", KubeConfigReader.Read([first, second], null).Host.ToString());
        Assert.Equal("https://d/", KubeConfigReader.Read([first, second], "y").Host.ToString());
    }

    [Fact]
    public void Json_is_read_too()
    {
        var config = Read("""{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c"}}],"clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:8080"}}],"users":null}""");
        Assert.Equal("http://127.0.0.1:8080/", config.Host.ToString());
    }

    [Fact]
    public void Exec_is_read_and_a_token_wins_over_it()
    {
        const string exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a, 'b c'], env: [{name: N, value: V}], interactiveMode: Never, provideClusterInfo: true}";
        var plugin = Read(Minimal("", exec)).Exec!;
        Assert.Equal((Path.Combine(_directory, "login"), true), (plugin.Command, plugin.ProvideClusterInfo));
        Assert.Equal(["a", "b c"], plugin.Args);
        Assert.Equal([KeyValuePair.Create("N", "V")], plugin.Env);
        Assert.Null(Read(Minimal("", $"token: t, {exec}")).Exec);
    }

    [Theory]
    [InlineData("current-context: [", "is not YAML")]
    [InlineData("", "is empty")]
    [InlineData("a: b", "current-context is not set")]
    [InlineData("current-context: x\ncontexts: [{name: y, context: {cluster: c}}]", "no entry of contexts has the name \"x\"; there are: y")]
    [InlineData("current-context: x\ncontexts: {a: b}", "contexts is not a list")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {user: u}}]", "contexts[0].context has no cluster")]
    public void Broken_file_is_named_with_the_field(string text, string expected)
    {
        var file = Write(text);
        var error = Assert.Throws<KubeConfigException>(() => KubernetesClientConfiguration.BuildConfigFromConfigFile(file));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("server: api", "", "clusters[0].cluster.server is \"api\"")]
    [InlineData("server: 'ftp://x'", "", "clusters[0].cluster.server is \"ftp://x\"")]
    [InlineData("insecure-skip-tls-verify: 1", "", "clusters[0].cluster.insecure-skip-tls-verify is \"1\"")]
    [InlineData("insecure-skip-tls-verify: true, certificate-authority: x", "", "both insecure-skip-tls-verify and a certificate authority")]
    [InlineData("certificate-authority-data: '***'", "", "clusters[0].cluster.certificate-authority-data is not base64")]
    [InlineData("certificate-authority-data: YWJj", "", "certificate-authority-data holds no PEM block")]
    [InlineData("proxy-url: 'nonsense'", "", "proxy-url is not an absolute")]
    [InlineData("", "client-certificate: x", "certificate or a client key but not both")]
    [InlineData("", "password: hush", "users[0].user has a password but no username")]
    [InlineData("", "auth-provider: {name: gcp}", "users[0].user.auth-provider is not supported")]
    [InlineData("", "exec: {apiVersion: v0, command: x}", "users[0].user.exec.apiVersion is \"v0\"")]
    [InlineData("", "exec: {apiVersion: client.authentication.k8s.io/v1}", "users[0].user.exec has no command")]
    [InlineData("", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}", "needs a terminal")]
    public void Broken_field_is_named_with_its_value_but_no_secret(string cluster, string user, string expected)
    {
        var error = Assert.Throws<KubeConfigException>(() => Read(Minimal(cluster, user)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void In_cluster_config_takes_address_token_authority_and_namespace_of_the_pod()
    {
        File.WriteAllText(Path.Combine(_directory, "token"), "t");
        File.WriteAllText(Path.Combine(_directory, "ca.crt"), "c");
        File.WriteAllText(Path.Combine(_directory, "namespace"), "team\n");
        var (host, port) = (Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"), Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT"));
        try
        {
            Environment.SetEnvironmentVariable("KUBERNETES_SERVICE_HOST", null);
            Assert.False(KubernetesClientConfiguration.IsInCluster(_directory));
            Assert.Throws<KubeConfigException>(() => KubernetesClientConfiguration.InClusterConfig(_directory));
            Environment.SetEnvironmentVariable("KUBERNETES_SERVICE_HOST", "fd00::1");
            Environment.SetEnvironmentVariable("KUBERNETES_SERVICE_PORT", "443");
            var config = KubernetesClientConfiguration.InClusterConfig(_directory);
            Assert.Equal(("https://[fd00::1]/", "team", false), (config.Host.ToString(), config.Namespace, config.UseEnvironmentProxy));
            Assert.Equal((Path.Combine(_directory, "token"), Path.Combine(_directory, "ca.crt")), (config.TokenFile, config.CertificateAuthorityFile));
        }
        finally
        {
            Environment.SetEnvironmentVariable("KUBERNETES_SERVICE_HOST", host);
            Environment.SetEnvironmentVariable("KUBERNETES_SERVICE_PORT", port);
        }
    }

    [Theory]
    [InlineData("10.0.0.0/8,example.com", "10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "11.1.2.3", false)]
    [InlineData("fd00::/8", "[fd00::1]", true)]
    [InlineData("192.168.1.1", "192.168.1.1", true)]
    [InlineData("10.0.0.0/8", "api.example.com", false)]
    [InlineData(null, "10.1.2.3", false)]
    public void NoProxy_may_hold_address_ranges(string? noProxy, string host, bool expected) =>
        Assert.Equal(expected, KubernetesClientConfiguration.IsInNoProxyRange(noProxy, host));

    private static string Minimal(string cluster, string user)
    {
        if (!cluster.Contains("server:", StringComparison.Ordinal)) cluster = $"server: 'https://x', {cluster}";
        return $$$"""
            current-context: x
            contexts: [{name: x, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: { {{{cluster.TrimEnd(' ', ',')}}} }}]
            users: [{name: u, user: { {{{user}}} }}]
            """;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private string Write(string text)
    {
        var file = Path.Combine(_directory, Path.GetRandomFileName());
        File.WriteAllText(file, text);
        return file;
    }

    private KubernetesClientConfiguration Read(string text) => KubernetesClientConfiguration.BuildConfigFromConfigFile(Write(text));
}
