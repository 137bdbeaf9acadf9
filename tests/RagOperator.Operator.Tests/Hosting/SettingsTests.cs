using Microsoft.Extensions.Logging;
using RagOperator.Kubernetes;
using RagOperator.Kubernetes.LeaderElection;
using RagOperator.Operator.Hosting;
using RagOperator.Operator.Hosting.Options;

namespace RagOperator.Operator.Tests.Hosting;

public sealed class SettingsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ragop-settings-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Load_nothing_given_is_fine()
    {
        var (settings, problems) = Load([]);

        Assert.Empty(problems);
        Assert.Equal(("*", 8080, LogLevel.Information, true), (settings.HttpAddress, settings.HttpPort, settings.LogLevel, settings.LogJson));
        Assert.Empty(settings.MetricSources);
        Assert.Equal(["http-error-rate", "http-latency-p95"], settings.Presets.Keys.Order());
    }

    [Fact]
    public void Load_pod_variables_keep_their_letters_and_none_may_be_ours()
    {
        var (settings, problems) = LoadFile("""
            podEnvironment: {HTTP_PROXY: "http://proxy:3128", region: eu-1, RAG_REVISION: x, 1st: y}
            """);

        Assert.Equal([new("HTTP_PROXY", "http://proxy:3128"), new("region", "eu-1")], settings.PodEnvironment.Variables.Where(v => v.Key is "HTTP_PROXY" or "region").OrderBy(v => v.Key, StringComparer.Ordinal));
        Assert.Equal(["podEnvironment.1st", "podEnvironment.RAG_REVISION"], problems.Select(p => p.Split(':')[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Load_every_key_of_the_file_arrives()
    {
        var (token, ca) = (Write("token", "t"), Write("ca", "c"));
        var (settings, problems) = LoadFile($$"""
            watchNamespace: rag
            workers: 3
            http: {address: 127.0.0.1, port: 9090}
            log: {level: Debug, format: text}
            otlp: {endpoint: "http://collector:4318", protocol: http/protobuf}
            presets:
              recall: avg(rag_recall{service="$(service)"})
            metricSources:
              default:
                url: https://prometheus:9090/prefix
                timeout: 1m30s
                maxBodyBytes: 512Ki
                maxConcurrency: 5
                bearerTokenFile: {{token}}
                caFile: {{ca}}
                tenantHeader: {name: X-Scope-OrgID, value: team-a}
                namespaces: [rag, rag-2]
              basic:
                url: http://127.0.0.1:9090
                basicAuth: {username: ann, passwordFile: {{token}}}
                insecureSkipVerify: true
              tenants:
                url: http://mimir
                tenantHeader: {name: X-Scope-OrgID, value: rag-$(namespace)}
            """);

        Assert.Empty(problems);
        Assert.Equal(("rag", 3, "127.0.0.1", 9090), (settings.WatchNamespaces.Single(), settings.Workers, settings.HttpAddress, settings.HttpPort));
        Assert.Equal((LogLevel.Debug, false), (settings.LogLevel, settings.LogJson));
        Assert.Equal((new Uri("http://collector:4318"), false), (settings.OtlpEndpoint, settings.OtlpGrpc));
        Assert.Equal("avg(rag_recall{service=\"$(service)\"})", settings.Presets["recall"]);
        var source = settings.MetricSources["default"];
        Assert.Equal((new Uri("https://prometheus:9090/prefix"), TimeSpan.FromSeconds(90), 512 * 1024, 5), (source.Url, source.Timeout, source.MaxBodyBytes, source.MaxConcurrency));
        Assert.Equal((token, ca, "X-Scope-OrgID", "team-a"), (source.BearerTokenFile, source.CaFile, source.TenantHeaderName, source.TenantHeaderValue));
        Assert.True(source.Allows("rag-2"));
        Assert.False(source.Allows("other"));
        var basic = settings.MetricSources["basic"];
        Assert.Equal(("ann", token, true), (basic.BasicUsername, basic.BasicPasswordFile, basic.InsecureSkipVerify));
        Assert.True(basic.Allows("any"));
    }

    [Fact]
    public void Webhook_is_off_unless_configured_and_its_Secret_is_in_the_operators_namespace()
    {
        var cluster = new KubernetesClientConfiguration { Host = new Uri("https://127.0.0.1:1"), Namespace = "team" };
        var defaults = LoadFile("{}").Settings;
        Assert.Equal((false, "*", 9443, "rag-operator-webhook", "rag-operator", false), (defaults.Webhook.Enabled, defaults.Webhook.Address, defaults.Webhook.Port, defaults.Webhook.ServiceName, defaults.Webhook.ConfigurationName, defaults.RequireIdentity));
        Assert.Equal("team/rag-operator-webhook", defaults.Webhook.SecretOn(cluster).ToString());

        var (settings, problems) = LoadFile($$"""
            webhook: {enabled: true, address: 127.0.0.1, port: 9444, serviceName: w, namespace: ops, configurationName: c.example, secretName: s, certDir: {{_directory}} }
            requests: {requireIdentity: true}
            """);
        Assert.Empty(problems);
        Assert.Equal((true, "127.0.0.1", 9444, "w", "c.example", _directory, true), (settings.Webhook.Enabled, settings.Webhook.Address, settings.Webhook.Port, settings.Webhook.ServiceName, settings.Webhook.ConfigurationName, settings.Webhook.CertDir, settings.RequireIdentity));
        Assert.Equal("ops/s", settings.Webhook.SecretOn(cluster).ToString());
    }

    [Fact]
    public void Leader_election_is_off_with_a_kubeconfig_and_takes_its_Lease_from_what_is_watched()
    {
        var cluster = new KubernetesClientConfiguration { Host = new Uri("https://127.0.0.1:1"), Namespace = "team", CurrentContext = "c" };
        Assert.Null(ConfigOf("{}"));
        Assert.Equal(("team/rag-operator", 15, 10, 2), Values(ConfigOf("leaderElection: {enabled: true}")!));
        Assert.Equal("team/rag-operator.rag", ConfigOf("{leaderElection: {enabled: true}, watchNamespace: rag}")!.Lease.ToString());
        Assert.Equal(("ops/l", 60, 40, 5), Values(ConfigOf("leaderElection: {enabled: true, namespace: ops, name: l, leaseDuration: 1m, renewDeadline: 40s, retryPeriod: 5s}")!));

        LeaderElectionConfig? ConfigOf(string yaml) => LeaderElectionSettings.ConfigOf(LoadFile(yaml).Settings, cluster, "me_1");

        static (string Lease, double, double, double) Values(LeaderElectionConfig config) =>
            (config.Lease.ToString(), config.LeaseDuration.TotalSeconds, config.RenewDeadline.TotalSeconds, config.RetryPeriod.TotalSeconds);
    }

    [Fact]
    public void Load_json_is_read_too()
    {
        var (settings, problems) = LoadFile("""{"metricSources": {"default": {"url": "http://prometheus:9090", "namespaces": "*"}}, "http": {"port": 9090}}""");

        Assert.Empty(problems);
        Assert.Equal(9090, settings.HttpPort);
        Assert.Equal(new Uri("http://prometheus:9090"), settings.MetricSources["default"].Url);
    }

    [Fact]
    public void Load_command_line_wins_over_environment_over_file()
    {
        var file = Write("config.yaml", "{http: {port: 1}, workers: 1, log: {level: error}, metricSources: {default: {url: 'http://p', namespaces: [a, b]}}}");

        var (settings, problems) = Load(
            ["--http.port", "3", $"--config={file}"],
            ("RAGOPERATOR_HTTP__PORT", "2"), ("RAGOPERATOR_WORKERS", "2"), ("RAGOPERATOR_METRICSOURCES__DEFAULT__NAMESPACES", "c, d"), ("OTHER", "x"));

        Assert.Empty(problems);
        Assert.Equal((3, 2, LogLevel.Error), (settings.HttpPort, settings.Workers, settings.LogLevel));
        Assert.Equal(["c", "d"], settings.MetricSources["default"].Namespaces);
    }

    [Theory]
    [InlineData("http: {port: 99999}", "http.port: \"99999\" (from FILE, line 1): a whole number, 0 to 65535")]
    [InlineData("http: {address: localhost}", "http.address: \"localhost\" (from FILE, line 1): an IP address, or * for every one")]
    [InlineData("workers: 0", "workers: \"0\" (from FILE, line 1): a whole number, 1 to 256")]
    [InlineData("leaderElection: {enabled: maybe}", "leaderElection.enabled: \"maybe\" (from FILE, line 1): true or false")]
    [InlineData("leaderElection: {leaseDuration: 1500ms, renewDeadline: 1s, retryPeriod: 100ms}", "leaderElection: leaseDuration must be whole seconds")]
    [InlineData("leaderElection: {renewDeadline: 15s}", "leaderElection: renewDeadline must be shorter than leaseDuration")]
    [InlineData("leaderElection: {retryPeriod: 9s}", "leaderElection: retryPeriod times 1.2 must be shorter than renewDeadline")]
    [InlineData("leaderElection: {identity: 'a b'}", "leaderElection.identity: \"a b\" (from FILE, line 1): letters, digits")]
    [InlineData("leaderElection: {name: Rag_Operator}", "leaderElection.name: \"Rag_Operator\" (from FILE, line 1): a name in lower-case")]
    [InlineData("webhook: {enabled: perhaps}", "webhook.enabled: \"perhaps\" (from FILE, line 1): true or false")]
    [InlineData("webhook: {port: 99999}", "webhook.port: \"99999\" (from FILE, line 1): a whole number, 0 to 65535")]
    [InlineData("webhook: {enabled: true, port: 8080}", "webhook.port: \"8080\" (from FILE, line 1): not the same as http.port")]
    [InlineData("webhook: {address: localhost}", "webhook.address: \"localhost\" (from FILE, line 1): an IP address, or * for every one")]
    [InlineData("webhook: {serviceName: Rag}", "webhook.serviceName: \"Rag\" (from FILE, line 1): a Service's name")]
    [InlineData("webhook: {namespace: a.b}", "webhook.namespace: \"a.b\" (from FILE, line 1): a namespace's name")]
    [InlineData("webhook: {configurationName: A}", "webhook.configurationName: \"A\" (from FILE, line 1): a name in lower-case")]
    [InlineData("webhook: {secretName: A}", "webhook.secretName: \"A\" (from FILE, line 1): a name in lower-case")]
    [InlineData("webhook: {certDir: /nowhere}", "webhook.certDir: \"/nowhere\" (from FILE, line 1): a folder that exists")]
    [InlineData("requests: {requireIdentity: true}", "requests.requireIdentity: \"true\" (from FILE, line 1): only together with webhook.enabled")]
    [InlineData("probe: {connect: never}", "probe.connect: \"never\" (from FILE, line 1): true or false")]
    [InlineData("log:\n  level: loud", "log.level: \"loud\" (from FILE, line 2): one of trace, debug, information, warning, error, critical")]
    [InlineData("watchNamespace: Rag", "watchNamespace: \"Rag\" (from FILE, line 1): lower-case letters")]
    [InlineData("context: c", "context: \"c\" (from FILE, line 1): only together with kubeconfig")]
    [InlineData("kubeconfig: /nowhere", "kubeconfig: \"/nowhere\" (from FILE, line 1): the file must exist")]
    [InlineData("typo: 1", "typo: there is no such key (from FILE, line 1)")]
    [InlineData("http: 8080", "http: there is no such key (from FILE, line 1)")]
    [InlineData("presets: {x: 'up{s=\"$(svc)\"}'}", "presets.x: \"up{s=\"$(svc)\"}\" (from FILE, line 1): $(svc) is no variable")]
    [InlineData("metricSources: {default: {url: 'http://x'}}", "metricSources.default.namespaces: is needed: the namespaces whose objects may use the source")]
    [InlineData("metricSources: {default: {url: 'http://x', tenantHeader: {name: X-Org, value: all}}}", "metricSources.default.namespaces: is needed")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], method: put}}", "metricSources.default.method: \"put\" (from FILE, line 1): one of auto, post, get")]
    [InlineData("metricSources: {default: {}}", "metricSources.default.url: is needed")]
    [InlineData("metricSources: {default: {url: 'ftp://x'}}", "metricSources.default.url: \"ftp://x\" (from FILE, line 1): an http or https address")]
    [InlineData("metricSources: {default: {url: 'http://ann:pw@x'}}", "metricSources.default.url: \"http://***@x\" (from FILE, line 1): an http or https address")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], timeout: 10 s}}", "metricSources.default.timeout: \"10 s\" (from FILE, line 1): a duration like")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], timeout: 1h}}", "metricSources.default.timeout: \"1h\" (from FILE, line 1): a duration like")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], maxBodyBytes: 1Gi}}", "metricSources.default.maxBodyBytes: \"1Gi\" (from FILE, line 1): a number of bytes")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], bearerTokenFile: /no}}", "metricSources.default.bearerTokenFile: \"/no\" (from FILE, line 1): the file must exist")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], bearerTokenFile: eyJhbGciOi.J9}}", "metricSources.default.bearerTokenFile: the path of a file that exists")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], basicAuth: {username: a}}}", "metricSources.default.basicAuth.passwordFile: username and passwordFile are needed together")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], tenantHeader: {name: Authorization, value: a}}}", "metricSources.default.tenantHeader.name: \"Authorization\" (from FILE, line 1): a header's name")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], tenantHeader: {name: X-Org}}}", "metricSources.default.tenantHeader.name: \"X-Org\" (from FILE, line 1): needs itself and exactly one")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag, B_d]}}", "metricSources.default.namespaces.1: \"B_d\" (from FILE, line 1): a namespace has")]
    [InlineData("metricSources: {default: {url: 'http://x', namespaces: [rag], insecureSkipVerify: maybe}}", "metricSources.default.insecureSkipVerify: \"maybe\" (from FILE, line 1): true or false")]
    [InlineData("metricSources: {a_b: {url: 'http://x', namespaces: [rag]}}", "metricSources.a_b: a source's name has")]
    [InlineData("a: b: c", "config: \"FILE\" (from command line or environment): line 1: this is neither YAML nor JSON")]
    [InlineData("just text", "config: \"just text\" (from FILE): a mapping of keys is needed")]
    public void Load_wrong_value_names_key_value_origin_and_rule(string yaml, string said)
    {
        var (_, problems) = LoadFile(yaml);

        Assert.StartsWith(said.Replace("FILE", Path.Combine(_directory, "config.yaml"), StringComparison.Ordinal), Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("workers: a value is needed; see --help", "--workers")]
    [InlineData("workers: a value is needed; see --help", "--workers", "--http.port", "1")]
    [InlineData("command line: \"workers\" (from command line): options begin with --; see --help", "workers")]
    [InlineData("config: \"/nowhere\" (from command line or environment): the file must exist and be readable", "--config", "/nowhere")]
    public void Load_wrong_command_line_is_told(string said, params string[] args)
    {
        Assert.Equal([said], Load(args).Problems);
    }

    [Fact]
    public async Task RunAsync_all_problems_are_told_at_once_and_nothing_runs()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var kubeconfig = Write("kubeconfig", "clusters: []");

        var code = await OperatorCommand.RunAsync(
            ["--kubeconfig", kubeconfig, "--http.port", "x", "--workers", "y", "--metricSources.a.url", "z"], [], output, error);

        Assert.Equal(2, code);
        var lines = error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("The configuration is wrong in 4 places:", lines[0]);
        Assert.Equal(["http.port", "workers", "metricSources.a.url", "kubeconfig"], lines[1..].Select(l => l.Trim().Split(':')[0]).OrderBy(k => Array.IndexOf(["http.port", "workers", "metricSources.a.url", "kubeconfig"], k)));
        Assert.Empty(output.ToString());
    }

    [Fact]
    public async Task RunAsync_help_and_version()
    {
        var (help, version) = (new StringWriter(), new StringWriter());

        Assert.Equal(0, await OperatorCommand.RunAsync(["--help"], [], help, TextWriter.Null));
        Assert.Equal(0, await OperatorCommand.RunAsync(["--version"], [], version, TextWriter.Null));

        Assert.Contains("--config FILE", help.ToString(), StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.ToString());
    }

    private (HostSettings Settings, IReadOnlyList<string> Problems) LoadFile(string yaml) => Load(["--config", Write("config.yaml", yaml)]);

    private static (HostSettings Settings, IReadOnlyList<string> Problems) Load(string[] args, params (string Name, string Value)[] environment)
    {
        var command = CommandLine.Parse(args, [.. environment.Select(e => KeyValuePair.Create(e.Name, e.Value))]);
        var (settings, problems) = SettingsLoader.Load(command.Tree);
        return (settings, [.. command.Problems.Concat(problems).Select(p => p.ToString())]);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
