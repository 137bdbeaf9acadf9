using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.RealServer;

/// <summary>
/// A kube-apiserver and an etcd on loopback, if their binaries are on this machine (KUBEBUILDER_ASSETS, or the project's cache); tests that
/// need them are skipped by name otherwise.
/// </summary>
public sealed class RealServerFixture : IAsyncLifetime
{
    private readonly List<Process> _processes = [];
    private readonly string _directory = Directory.CreateTempSubdirectory("ragoperator-apiserver").FullName;

    private Action? _startApiServer;

    public string? Missing { get; private set; }

    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    public string? Kubectl { get; private set; }

    internal KubernetesClientConfiguration Configuration => KubernetesClientConfiguration.BuildConfigFromConfigFile(Kubeconfig);

    public async Task InitializeAsync()
    {
        var apiserver = Find("kube-apiserver");
        var etcd = Find("etcd");
        Kubectl = Find("kubectl");
        if (apiserver is null || etcd is null)
        {
            Missing = "kube-apiserver and etcd are not on this machine";
            return;
        }

        var (port, client, peer) = (FreePort(), FreePort(), FreePort());
        using var certificates = new TestCertificates();
        Write("ca.crt", certificates.CaPem);
        WritePair("server", certificates.Issue("CN=kube-apiserver", "localhost", "127.0.0.1"));
        WritePair("admin", certificates.Issue("O=system:masters, CN=admin"));
        using (var rsa = RSA.Create(2048))
        {
            Write("sa.key", rsa.ExportRSAPrivateKeyPem());
            Write("sa.pub", rsa.ExportSubjectPublicKeyInfoPem());
        }

        Write("kubeconfig", $$$"""
            apiVersion: v1
            kind: Config
            clusters: [{name: real, cluster: {server: "https://127.0.0.1:{{{port}}}", certificate-authority: ca.crt}}]
            users: [{name: admin, user: {client-certificate: admin.crt, client-key: admin.key}}]
            contexts: [{name: real, context: {cluster: real, user: admin}}]
            current-context: real
            """);
        Start(
            etcd, "--data-dir", "etcd", "--unsafe-no-fsync", "--listen-client-urls", $"http://127.0.0.1:{client}",
            "--advertise-client-urls", $"http://127.0.0.1:{client}", "--listen-peer-urls", $"http://127.0.0.1:{peer}");
        _startApiServer = () => Start(
            apiserver, $"--etcd-servers=http://127.0.0.1:{client}", $"--secure-port={port}", "--bind-address=127.0.0.1", "--cert-dir=generated",
            "--tls-cert-file=server.crt", "--tls-private-key-file=server.key", "--client-ca-file=ca.crt",
            "--service-account-key-file=sa.pub", "--service-account-signing-key-file=sa.key",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/16", "--authorization-mode=RBAC");

        _startApiServer();
        await ReadyAsync();
    }

    /// <summary>Kills the API server and starts it again on what it had stored.</summary>
    internal async Task RestartAsync()
    {
        var apiserver = _processes[^1];
        _processes.Remove(apiserver);
        apiserver.Kill();
        await apiserver.WaitForExitAsync();
        apiserver.Dispose();
        _startApiServer!();
        await ReadyAsync();
    }

    private async Task ReadyAsync()
    {
        using var api = new KubernetesClient(Configuration);
        // The server makes this namespace itself, some time after it says that it is ready.
        await Wait.UntilAsync(
            async () => (await api.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default")).IsSuccess, "the API server is ready", TimeSpan.FromSeconds(60));
    }

    public async Task DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    internal KubernetesClient Connect()
    {
        Skip.If(Missing is not null, Missing);
        return new KubernetesClient(Configuration);
    }

    internal async Task<string> KubectlAsync(params string[] arguments)
    {
        Skip.If(Kubectl is null, "kubectl is not on this machine");
        var start = new ProcessStartInfo(Kubectl!, ["--kubeconfig", Kubeconfig, .. arguments]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static string? Find(string name)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var cached = Path.Combine(cache, "rag-operator");
        var places = new List<string?> { Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") };
        if (Directory.Exists(cached)) places.AddRange(Directory.EnumerateDirectories(cached, "kubernetes-*"));
        places.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator));
        return places.Where(static p => !string.IsNullOrEmpty(p)).Select(p => Path.Combine(p!, name)).FirstOrDefault(File.Exists);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_directory, name), text);

    private void WritePair(string name, (string Certificate, string Key) pair)
    {
        Write($"{name}.crt", pair.Certificate);
        Write($"{name}.key", pair.Key);
    }
}
