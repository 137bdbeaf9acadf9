using System.Text.RegularExpressions;
using RagOperator.Api;
using RagOperator.Operator.Sla;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>Makes <see cref="HostSettings"/> of values by key. Every problem is noted, not only the first.</summary>
internal static partial class SettingsLoader
{
    private const string LabelRule = "lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends";

    /// <summary>What <see cref="IsAddress"/> asks for.</summary>
    internal const string AddressRule = "an IP address, or * for every one";

    /// <summary>What <see cref="IsSubdomain"/> asks for.</summary>
    internal const string SubdomainRule = "a name in lower-case letters, digits, dashes and dots";

    private static readonly string[] Levels = ["trace", "debug", "information", "warning", "error", "critical"];

    // Set by us or by the connection: a tenant's name must not replace them.
    private static readonly string[] ReservedHeaders = ["authorization", "host", "content-length", "content-type", "transfer-encoding", "connection", "accept"];

    /// <summary>Reads the settings.</summary>
    /// <param name="tree">The values.</param>
    /// <returns>The settings, to be used only where there are no problems.</returns>
    public static (HostSettings Settings, IReadOnlyList<SettingProblem> Problems) Load(SettingTree tree)
    {
        var read = new SettingReader(tree);
        var settings = new HostSettings
        {
            WatchNamespaces = [.. read.List("watchNamespace", IsLabel, LabelRule).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            KubeConfig = read.File("kubeconfig"),
            Context = read.Text("context"),
            Workers = read.Number("workers", Environment.ProcessorCount * 2, 1, 256),
            LeaderElection = LeaderElectionSettings.Read(read),
            HttpAddress = read.Text("http.address", IsAddress, AddressRule) ?? "*",
            HttpPort = read.Number("http.port", 8080, 0, 65535),
            LogLevel = (LogLevel)read.Choice("log.level", (int)LogLevel.Information, Levels),
            LogJson = read.Choice("log.format", 0, "json", "text") == 0,
            OtlpEndpoint = read.Address("otlp.endpoint"),
            OtlpGrpc = read.Choice("otlp.protocol", 0, "grpc", "http/protobuf") == 0,
            MetricSources = Sources(read),
            Presets = Presets(read),
            PodEnvironment = PodVariables(read),
            Webhook = WebhookSettings.Read(read),
            AskForConnections = read.Flag("probe.connect", true),
            RequireIdentity = read.Flag("requests.requireIdentity", false),
        };
        // Nothing could ever be stamped, and so nothing but abort and pause be asked for.
        if (settings is { RequireIdentity: true, Webhook.Enabled: false }) read.Wrong("requests.requireIdentity", "only together with webhook.enabled, which stamps requests");
        if (settings is { Webhook: { Enabled: true, Port: > 0 } webhook } && webhook.Port == settings.HttpPort) read.Wrong("webhook.port", "not the same as http.port");
        if (settings.Context is not null && settings.KubeConfig is null) read.Wrong("context", "only together with kubeconfig");
        // Without its value: a password under a mistyped key must not reach a log.
        CheckTenants(read, settings);
        foreach (var (key, _, origin) in tree.Unknown) read.Problems.Add(new(key, null, $"there is no such key (from {origin}); docs/configuration.md lists them", null));
        return (settings, read.Problems);
    }

    /// <summary>Whether a text is a DNS label.</summary>
    internal static bool IsLabel(string text) => Label().IsMatch(text);

    /// <summary>Whether a text is a DNS subdomain, as most objects' names are.</summary>
    internal static bool IsSubdomain(string text) => text.Length <= 253 && Subdomain().IsMatch(text);

    /// <summary>Whether a text names what to listen at.</summary>
    internal static bool IsAddress(string text) => text == "*" || System.Net.IPAddress.TryParse(text, out _);

    private static Dictionary<string, MetricSourceOptions> Sources(SettingReader read)
    {
        var sources = new Dictionary<string, MetricSourceOptions>(StringComparer.Ordinal);
        foreach (var name in read.Tree.Children("metricSources"))
        {
            var key = $"metricSources.{name}";
            if (!IsLabel(name)) read.Problems.Add(new(key, null, $"a source's name has {LabelRule}", null));
            if (Source(read, key) is { } source) sources[name] = source;
        }

        return sources;
    }

    private static MetricSourceOptions? Source(SettingReader read, string key)
    {
        var url = read.Address($"{key}.url");
        if (url is null && read.Text($"{key}.url") is null) read.Wrong($"{key}.url", "is needed: the address that /api/v1/query is appended to");
        var source = new MetricSourceOptions
        {
            Url = url ?? new Uri("http://invalid"),
            Timeout = read.Duration($"{key}.timeout", TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5)),
            MaxBodyBytes = read.Bytes($"{key}.maxBodyBytes", 1 << 20, 1 << 10, 64 << 20),
            MaxConcurrency = read.Number($"{key}.maxConcurrency", 20, 1, 1000),
            Method = (SourceMethod)read.Choice($"{key}.method", (int)SourceMethod.Auto, "auto", "post", "get"),
            BearerTokenFile = read.File($"{key}.bearerTokenFile"),
            BasicUsername = read.Text($"{key}.basicAuth.username", static u => !u.Contains(':', StringComparison.Ordinal), "has no colon"),
            BasicPasswordFile = read.File($"{key}.basicAuth.passwordFile"),
            CaFile = read.File($"{key}.caFile"),
            InsecureSkipVerify = read.Flag($"{key}.insecureSkipVerify", false),
            TenantHeaderName = read.Text($"{key}.tenantHeader.name", IsTenantHeader, "a header's name; none that the request needs for itself"),
            TenantHeaderValue = read.Text($"{key}.tenantHeader.value", static v => v.All(static c => c is >= ' ' and < (char)127), "printable ASCII"),
            TenantHeaderValueFile = read.File($"{key}.tenantHeader.valueFile"),
            Namespaces = read.List($"{key}.namespaces", static n => n == MetricSourceOptions.AllNamespaces || IsLabel(n), $"a namespace has {LabelRule}; \"*\" means all"),
        };
        CheckTogether(read, key, url);
        return url is null ? null : source;
    }

    private static void CheckTogether(SettingReader read, string key, Uri? url)
    {
        var (user, password) = (Has("basicAuth.username"), Has("basicAuth.passwordFile"));
        if (user != password) read.Wrong($"{key}.basicAuth.{(user ? "passwordFile" : "username")}", "username and passwordFile are needed together");
        if (user && Has("bearerTokenFile")) read.Wrong($"{key}.bearerTokenFile", "not together with basicAuth");
        var values = (Has("tenantHeader.value") ? 1 : 0) + (Has("tenantHeader.valueFile") ? 1 : 0);
        if (Has("tenantHeader.name") ? values != 1 : values > 0) read.Wrong($"{key}.tenantHeader.name", "needs itself and exactly one of value and valueFile");
        if (Has("caFile") && url is { Scheme: "http" }) read.Wrong($"{key}.caFile", "only with an https address");
        if (Has("caFile") && Has("insecureSkipVerify")) read.Wrong($"{key}.insecureSkipVerify", "not together with caFile");

        bool Has(string name) => read.Text($"{key}.{name}") is not null;
    }

    // Queries go to a source as their authors wrote them: who may ask it reads every series of it.
    private static void CheckTenants(SettingReader read, HostSettings settings)
    {
        if (settings.WatchNamespaces.Count > 0) return;
        foreach (var (name, source) in settings.MetricSources)
        {
            if (source.Namespaces.Count > 0 || source.TenantHeaderValue?.Contains(MetricSourceOptions.NamespaceVariable, StringComparison.Ordinal) == true) continue;
            read.Wrong($"metricSources.{name}.namespaces", "is needed: the namespaces whose objects may use the source, or \"*\" for all. Whoever may use it reads all that it has; not needed where tenantHeader.value has $(namespace), or watchNamespace names what is watched");
        }
    }

    private static Dictionary<string, string> Presets(SettingReader read)
    {
        var presets = new Dictionary<string, string>(MetricPresets.BuiltIn, StringComparer.Ordinal);
        foreach (var name in read.Tree.Children("presets"))
        {
            var key = $"presets.{name}";
            if (!IsLabel(name)) read.Problems.Add(new(key, null, $"a preset's name has {LabelRule}", null));
            if (read.Text(key) is not { } query) continue;
            foreach (var (piece, rule) in QueryTemplate.Check(query)) read.Wrong(key, $"{piece} {rule}");
            presets[name] = query;
        }

        return presets;
    }

    private static PodEnvironment PodVariables(SettingReader read)
    {
        var variables = new List<KeyValuePair<string, string>>();
        foreach (var name in read.Tree.ChildrenAsWritten("podEnvironment"))
        {
            var key = $"podEnvironment.{name}";
            if (!VariableName().IsMatch(name)) read.Wrong(key, "a variable's name has letters, digits and underscores, no digit first");
            else if (name.StartsWith("RAG_", StringComparison.OrdinalIgnoreCase)) read.Wrong(key, "names that begin with RAG_ are the operator's own");
            if (read.Text(key) is { } value) variables.Add(new(name, value));
        }

        return new PodEnvironment(variables);
    }

    private static bool IsTenantHeader(string name) => HeaderName().IsMatch(name) && !ReservedHeaders.Contains(name, StringComparer.OrdinalIgnoreCase);

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Subdomain();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex VariableName();

    [GeneratedRegex("^[A-Za-z0-9-]{1,64}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex HeaderName();
}
