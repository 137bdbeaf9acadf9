using System.Security.Cryptography;
using System.Text;

namespace RagOperator.Kubernetes;

/// <summary>Reads kubeconfig files. Several files are merged as kubectl does: for each name, and for the current context, the first wins.</summary>
internal static class KubeConfigReader
{
    public static KubernetesClientConfiguration Read(IReadOnlyList<string> files, string? context)
    {
        var documents = files.Select(YamlView.Load).OfType<YamlView>().ToArray();
        var where = string.Join(", ", files);
        if (documents.Length == 0) throw new KubeConfigException($"{where}: is empty.");

        var name = context ?? documents.Select(static d => d.Text("current-context")).FirstOrDefault(static c => c is not null)
            ?? throw new KubeConfigException($"{where}: current-context is not set. Choose one with kubectl config use-context.");
        var chosen = Find(documents, where, "contexts", "context", name);
        var cluster = Find(documents, where, "clusters", "cluster", chosen.Required("cluster"));
        var user = chosen.Text("user") is { } userName ? Find(documents, where, "users", "user", userName) : null;

        return ReadUser(ReadCluster(cluster) with { Namespace = chosen.Text("namespace"), CurrentContext = name }, user);
    }

    private static YamlView Find(IEnumerable<YamlView> documents, string where, string list, string member, string name)
    {
        var known = new List<string>();
        foreach (var item in documents.SelectMany(d => d.Items(list)))
        {
            var itemName = item.Required("name");
            if (string.Equals(itemName, name, StringComparison.Ordinal)) return item.Get(member) ?? throw item.Wrong($"has no {member}");
            known.Add(itemName);
        }

        var have = known.Count == 0 ? "there are none" : $"there are: {string.Join(", ", known)}";
        throw new KubeConfigException($"{where}: no entry of {list} has the name \"{name}\"; {have}.");
    }

    private static KubernetesClientConfiguration ReadCluster(YamlView cluster)
    {
        var server = cluster.Required("server");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var host) || host.Scheme is not ("http" or "https"))
            throw cluster.Get("server")!.Wrong($"is \"{server}\", not an absolute http or https URL");

        Uri? proxy = null;
        if (cluster.Text("proxy-url") is { } proxyText
            && (!Uri.TryCreate(proxyText, UriKind.Absolute, out proxy) || proxy.Scheme is not ("http" or "https" or "socks5")))
            throw cluster.Get("proxy-url")!.Wrong("is not an absolute http, https or socks5 URL"); // may hold a password: not repeated

        var skip = cluster.Flag("insecure-skip-tls-verify");
        var data = Pem(cluster, "certificate-authority-data");
        var file = PathOf(cluster, "certificate-authority");
        if (skip && (data is not null || file is not null))
            throw cluster.Wrong("has both insecure-skip-tls-verify and a certificate authority; remove one");
        return new KubernetesClientConfiguration
        {
            Host = host,
            SkipTlsVerify = skip,
            CertificateAuthorityData = data,
            CertificateAuthorityFile = data is null ? file : null,
            TlsServerName = cluster.Text("tls-server-name"),
            ProxyUrl = proxy,
        };
    }

    private static KubernetesClientConfiguration ReadUser(KubernetesClientConfiguration config, YamlView? user)
    {
        if (user is null) return config;
        foreach (var unsupported in (string[])["auth-provider", "as", "as-uid", "as-groups", "as-user-extra"])
            if (user.Get(unsupported) is { } found) throw found.Wrong("is not supported here");

        var cert = Pem(user, "client-certificate-data");
        var key = Pem(user, "client-key-data");
        var certFile = cert is null ? PathOf(user, "client-certificate") : null;
        var keyFile = key is null ? PathOf(user, "client-key") : null;
        if ((cert ?? certFile) is null != (key ?? keyFile) is null) throw user.Wrong("has a client certificate or a client key but not both");
        if (user.Text("password") is not null && user.Text("username") is null) throw user.Wrong("has a password but no username");

        var read = config with
        {
            ClientCertificateData = cert,
            ClientCertificateKeyData = key,
            ClientCertificateFilePath = certFile,
            ClientKeyFilePath = keyFile,
            AccessToken = user.Text("token"),
            TokenFile = PathOf(user, "tokenFile"),
            Username = user.Text("username"),
            Password = user.Text("password"),
        };

        // As client-go: what the entry itself holds wins over a plugin.
        var complete = (read.AccessToken ?? read.TokenFile ?? read.Username ?? cert ?? certFile) is not null;
        return complete || user.Get("exec") is not { } exec ? read : read with { Exec = ReadExec(exec) };
    }

    private static ExecPluginConfiguration ReadExec(YamlView exec)
    {
        var version = exec.Required("apiVersion");
        if (version is not (ExecPlugin.V1 or ExecPlugin.V1Beta1))
            throw exec.Get("apiVersion")!.Wrong($"is \"{version}\", not {ExecPlugin.V1} or {ExecPlugin.V1Beta1}");
        var mode = exec.Text("interactiveMode");
        if (mode is "Always") throw exec.Get("interactiveMode")!.Wrong("is \"Always\": the plugin needs a terminal, and there is none here");
        if (mode is not (null or "Never" or "IfAvailable")) throw exec.Get("interactiveMode")!.Wrong($"is \"{mode}\", not Never, IfAvailable or Always");

        var command = exec.Required("command");
        // As client-go: a path with a slash is relative to the file, a bare name is looked up in PATH.
        if (command.Contains('/', StringComparison.Ordinal) && !Path.IsPathRooted(command)) command = Resolve(exec.File, command);
        return new ExecPluginConfiguration
        {
            ApiVersion = version,
            Command = command,
            Args = [.. exec.Items("args").Select(static a => a.AsText())],
            Env = [.. exec.Items("env").Select(static e => KeyValuePair.Create(e.Required("name"), e.Text("value") ?? ""))],
            InstallHint = exec.Text("installHint"),
            ProvideClusterInfo = exec.Flag("provideClusterInfo"),
        };
    }

    private static string? Pem(YamlView view, string key)
    {
        if (view.Text(key) is not { } text) return null;
        try
        {
            var pem = Encoding.UTF8.GetString(Convert.FromBase64String(text));
            return PemEncoding.TryFind(pem, out _) ? pem : throw view.Get(key)!.Wrong("holds no PEM block");
        }
        catch (FormatException e)
        {
            throw view.Get(key)!.Wrong("is not base64", e);
        }
    }

    private static string? PathOf(YamlView view, string key) => view.Text(key) is { } path ? Resolve(view.File, path) : null;

    private static string Resolve(string file, string path) =>
        Path.IsPathRooted(path) ? path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, path));
}
