namespace RagOperator.TestBed.Bed;

/// <summary>
/// Where things are inside a bed. /run is a tmpfs of the bed's own there (sockets, locks and network namespaces of containerd and
/// iptables land in it anyway), so nothing of it ever exists outside.
/// </summary>
internal static class BedPaths
{
    public const string Root = "/run/bed";
    public const string Control = Root + "/control.sock";
    public const string KubeConfig = Root + "/kubeconfig";
    // The default place: cAdvisor inside the kubelet looks only there, and waits 5 s for it.
    public const string ContainerdSocket = "/run/containerd/containerd.sock";
    public const string AuditLog = Root + "/audit.log";
    public const string Gateway = Root + "/gateway";
    public const string Hollow = Root + "/hollow";
    public const string Scraped = Root + "/scraped";
    public const string Targets = Root + "/targets";
    public const string NodeAddress = "10.99.0.1";

    /// <summary>How many more Prometheuses there can be, each for one test.</summary>
    public const int SparePrometheuses = 8;

    /// <summary>Folders that kubelet, CNI, containerd and kubectl write to whatever their configuration says: each bed covers them with its own.</summary>
    public static IReadOnlyList<string> Covered { get; } =
    [
        "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers",
        // kubectl caches what a server offers by its address, and each bed's server has the same one
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube"),
    ];

    /// <summary>Kubernetes' binaries as setup.sh leaves them.</summary>
    public static string Cache { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "rag-operator", "kubernetes-1.20.2");

    /// <summary>The name of a Prometheus that runs only when somebody wants one to stop and pause.</summary>
    public static string SparePrometheus(int number) => $"prometheus-{number}";

    public static int SparePrometheusPort(int number) => 9100 + number;

    /// <summary>The binary given by the user (KUBEBUILDER_ASSETS), or the one that was built.</summary>
    public static string Binary(string name) =>
        Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets && File.Exists(Path.Combine(assets, name))
            ? Path.Combine(assets, name)
            : Path.Combine(Cache, name);
}
