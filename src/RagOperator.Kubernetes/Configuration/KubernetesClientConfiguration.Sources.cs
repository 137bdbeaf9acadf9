namespace RagOperator.Kubernetes;

public sealed partial record KubernetesClientConfiguration
{
    private const string ServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>The file that is read when KUBECONFIG is not set: <c>~/.kube/config</c>.</summary>
    public static string KubeConfigDefaultLocation { get; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config");

    /// <summary>KUBECONFIG (a list of files; the first wins for each name), then <c>~/.kube/config</c>, then the pod's own account.</summary>
    /// <exception cref="KubeConfigException">None of them is there, or one is wrong.</exception>
    public static KubernetesClientConfiguration BuildDefaultConfig()
    {
        var files = (Environment.GetEnvironmentVariable("KUBECONFIG") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (files.Length > 0)
        {
            // As kubectl: a file of the list that is missing is passed over, but not all of them.
            var present = files.Where(File.Exists).ToArray();
            if (present.Length == 0)
                throw new KubeConfigException($"KUBECONFIG: none of these files exists: {string.Join(", ", files)}. Correct the variable or unset it.");
            return KubeConfigReader.Read(present, context: null);
        }

        if (File.Exists(KubeConfigDefaultLocation)) return KubeConfigReader.Read([KubeConfigDefaultLocation], context: null);
        if (IsInCluster()) return InClusterConfig();
        throw new KubeConfigException(
            $"No cluster to talk to: KUBECONFIG is not set, {KubeConfigDefaultLocation} does not exist, and this is not a pod with a service account.");
    }

    /// <summary>Reads one kubeconfig.</summary>
    /// <param name="file">The file.</param>
    /// <param name="currentContext">The context; null for the file's current one.</param>
    /// <exception cref="KubeConfigException">The file is missing or wrong.</exception>
    public static KubernetesClientConfiguration BuildConfigFromConfigFile(string file, string? currentContext = null) =>
        KubeConfigReader.Read([file], currentContext);

    /// <summary>Whether this runs in a pod with a service account.</summary>
    public static bool IsInCluster() => IsInCluster(ServiceAccountDirectory);

    /// <summary>The pod's own service account.</summary>
    /// <exception cref="KubeConfigException">This is not a pod, or it has no service account token.</exception>
    public static KubernetesClientConfiguration InClusterConfig() => InClusterConfig(ServiceAccountDirectory);

    internal static bool IsInCluster(string directory) =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST")) && File.Exists(Path.Combine(directory, "token"));

    internal static KubernetesClientConfiguration InClusterConfig(string directory)
    {
        var host = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST");
        var port = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port))
            throw new KubeConfigException("Not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set.");
        if (!ushort.TryParse(port, out var number) || number == 0)
            throw new KubeConfigException($"KUBERNETES_SERVICE_PORT: \"{port}\" is not a port (1 to 65535).");

        var token = Path.Combine(directory, "token");
        if (!File.Exists(token)) throw new KubeConfigException($"{token} does not exist: the pod has no service account token mounted.");
        var ca = Path.Combine(directory, "ca.crt");
        var ns = Path.Combine(directory, "namespace");
        var name = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return new KubernetesClientConfiguration
        {
            Host = new Uri($"https://{name}:{number}"),
            Namespace = File.Exists(ns) ? File.ReadAllText(ns).Trim() : null,
            CertificateAuthorityFile = File.Exists(ca) ? ca : null,
            TokenFile = token,
            UseEnvironmentProxy = false,
        };
    }
}
