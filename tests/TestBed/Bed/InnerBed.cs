using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using RagOperator.TestBed.Cluster;
using RagOperator.TestBed.Gateway;
using RagOperator.TestBed.Images;

namespace RagOperator.TestBed.Bed;

/// <summary>The process inside the namespaces: starts every part, runs the command, and ends; the kernel clears up behind it.</summary>
internal sealed class InnerBed(BedOptions options) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);
    private readonly Dictionary<string, Daemon> _daemons = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _workingDirectory = Directory.GetCurrentDirectory();
    private readonly long _began = Stopwatch.GetTimestamp();

    public static async Task<int> RunAsync(BedOptions options)
    {
        using var bed = new InnerBed(options);
        Process? command = null;
        var stopped = false;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (command is { } running)
                Signals.Send(running.Id, Signals.Terminate);
            if (stopped || command is null)
                Environment.Exit(128 + (context.Signal == PosixSignal.SIGINT ? 2 : 15));
            stopped = true;
            _ = TimeProvider.System.Delay(TimeSpan.FromSeconds(20)).ContinueWith(_ => Environment.Exit(128 + 15), TaskScheduler.Default);
        }

        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        try
        {
            await Together.RunAsync(bed.StartAsync(), bed._lost.Task);
            command = bed.StartCommand();
            await Together.RunAsync(command.WaitForExitAsync(), bed._lost.Task);
            return command.ExitCode;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or TimeoutException or System.ComponentModel.Win32Exception)
        {
            await Console.Error.WriteLineAsync($"bed: {e.Message}");
            return 70;
        }
        finally
        {
            if (command is { HasExited: false } abandoned)
                await EndAsync(abandoned);
            await bed._stopping.CancelAsync();
            bed.KeepLogs();
        }
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>Asks it to end, so that what it runs can still write down what it has; what remains ends with the bed's namespaces.</summary>
    private static async Task EndAsync(Process command)
    {
        Signals.Send(command.Id, Signals.Terminate);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        try
        {
            await command.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // it had its time
        }
    }

    private async Task StartAsync()
    {
        await PrepareAsync();
        using var certificates = new Certificates();
        var client = WriteCredentials(certificates);

        var dns = Run("dns", "dnsmasq", "--keep-in-foreground", $"--listen-address={BedPaths.NodeAddress}", "--bind-interfaces", "--no-resolv", "--no-hosts", "--local=/cluster.local/",
            $"--addn-hosts={ClusterDns.HostsFile}", "--pid-file=", "--user=root");
        // The kubelet asks whether it runs in a cloud; without this it asks for seconds.
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true");
        // Memory is there, processors are not: at Go's own 100 a fifth of what the API server does under test is collecting garbage. The limit is where it begins to collect more often.
        Environment.SetEnvironmentVariable("GOGC", "400");
        Environment.SetEnvironmentVariable("GOMEMLIMIT", "2GiB");
        Run("etcd", "etcd", "--data-dir", $"{BedPaths.Root}/etcd", "--unsafe-no-fsync", "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379");
        Run("apiserver", BedPaths.Binary("kube-apiserver"), ApiServerArguments());
        var images = options.RealNode ? StartContainerdAsync() : Task.CompletedTask;
        await UntilAsync(() => client.IsReadyAsync(_stopping.Token), "the API server", "apiserver");
        Say("API server ready");

        // Twenty requests a second, the default, are few for the dozens of rollouts of tests.
        Run("controllers", BedPaths.Binary("kube-controller-manager"), "--kubeconfig", BedPaths.KubeConfig, "--use-service-account-credentials", "--service-account-private-key-file=pki/sa.key",
            "--root-ca-file=pki/ca.crt", "--leader-elect=false", "--port=0", "--secure-port=0", "--node-monitor-period=2s", "--allocate-node-cidrs=false",
            "--kube-api-qps=200", "--kube-api-burst=400");
        Run("scheduler", BedPaths.Binary("kube-scheduler"), "--kubeconfig", BedPaths.KubeConfig, "--leader-elect=false", "--port=0", "--secure-port=0");
        if (options.RealNode)
        {
            Background(new ClusterDns(client, dns).RunAsync(_stopping.Token), "DNS");
            Run("proxy", BedPaths.Binary("kube-proxy"), "--kubeconfig", BedPaths.KubeConfig, "--hostname-override=node1", "--cluster-cidr=10.244.0.0/16", "--proxy-mode=iptables", "--conntrack-max-per-core=0");
        }

        // Where they put their pods' folders and the sockets of their runtimes, which are told apart by process id alone.
        Directory.CreateDirectory(BedPaths.Hollow);
        for (var i = 0; i < options.HollowNodes; i++)
            Run($"hollow-{i}", "env", $"TMPDIR={BedPaths.Hollow}", BedPaths.Binary("kubemark"), "--morph=kubelet", $"--name=hollow-{i}", $"--kubeconfig={BedPaths.KubeConfig}", $"--kubelet-port={11000 + i}", $"--kubelet-read-only-port={12000 + i}");

        Background(ControlSocket.ServeAsync(BedPaths.Control, ControlAsync, _stopping.Token), "control socket");
        await Task.WhenAll(
            ImagesAsync(images),
            NodesAsync(client),
            UntilAsync(async () => await client.GetAsync("/api/v1/namespaces/default/serviceaccounts/default", _stopping.Token) is not null, "service accounts", "controllers"),
            options.Prometheus ? PrometheusAsync(client) : Task.CompletedTask,
            GatewayAsync(client));
        Say("ready");
    }

    private async Task ImagesAsync(Task images)
    {
        await images;
        if (options.RealNode)
            Say("images loaded");
    }

    private async Task NodesAsync(ClusterClient client)
    {
        var wanted = (options.RealNode ? 1 : 0) + options.HollowNodes;
        await UntilAsync(async () => await ReadyNodesAsync(client) >= wanted, "the nodes", options.RealNode ? "kubelet" : "hollow-0");
        if (wanted > 0)
            Say("nodes ready");
    }

    private async Task<int> ReadyNodesAsync(ClusterClient client)
    {
        var nodes = await client.GetAsync("/api/v1/nodes", _stopping.Token);
        return nodes?["items"]!.AsArray().Count(node => node!["status"]?["conditions"]?.AsArray().Any(condition =>
            condition!["type"]!.GetValue<string>() == "Ready" && condition["status"]!.GetValue<string>() == "True") == true) ?? 0;
    }

    private async Task PrometheusAsync(ClusterClient client)
    {
        Directory.CreateDirectory(BedPaths.Scraped);
        Directory.CreateDirectory(BedPaths.Targets);
        await File.WriteAllTextAsync($"{BedPaths.Root}/prometheus.yaml", BedConfigurations.Prometheus(options.ScrapeInterval));
        Background(new PodDiscovery(client).RunAsync(_stopping.Token), "pod discovery");
        var shared = PrometheusDaemon("prometheus", 9090);
        for (var i = 1; i <= BedPaths.SparePrometheuses; i++)
            PrometheusDaemon(BedPaths.SparePrometheus(i), BedPaths.SparePrometheusPort(i));
        shared.Start();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        await UntilAsync(() => AnswersAsync(http, "http://127.0.0.1:9090/-/ready"), "Prometheus", "prometheus");
    }

    private Daemon PrometheusDaemon(string name, int port) =>
        Add(name, "prometheus", $"--config.file={name}.yaml", $"--web.listen-address=0.0.0.0:{port}", $"--storage.tsdb.path={BedPaths.Root}/{name}", "--web.enable-lifecycle",
            "--scrape.discovery-reload-interval=1s");

    private async Task GatewayAsync(ClusterClient client)
    {
        await KubectlApplyAsync("gateway-api.yaml");
        await UntilAsync(async () => await client.GetAsync("/apis/gateway.networking.k8s.io/v1/httproutes", _stopping.Token) is not null
            && await client.GetAsync("/apis/gateway.networking.k8s.io/v1/gateways", _stopping.Token) is not null
            && await client.GetAsync("/apis/gateway.networking.k8s.io/v1/gatewayclasses", _stopping.Token) is not null, "the Gateway API's CRDs", "apiserver");
        if (!options.Gateway)
            return;
        await KubectlApplyAsync("gateway.yaml");
        var daemon = Add("nginx", "nginx", Nginx.Arguments(BedPaths.Gateway));
        var controller = new GatewayController(client, new Nginx(BedPaths.Gateway, daemon), BedPaths.Gateway);
        Background(controller.RunAsync(_stopping.Token), "gateway");
        await controller.Ready.WaitAsync(s_patience, TimeProvider.System, _stopping.Token);
        Say("gateway ready");
    }

    private static async Task KubectlApplyAsync(string manifest)
    {
        using var stream = typeof(InnerBed).Assembly.GetManifestResourceStream(manifest)!;
        using var reader = new StreamReader(stream);
        (await Shell.RunAsync(BedPaths.Binary("kubectl"), ["--kubeconfig", BedPaths.KubeConfig, "apply", "-f", "-"], await reader.ReadToEndAsync())).OrThrow();
    }

    private static async Task<bool> AnswersAsync(HttpClient http, string url)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(url));
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>Mounts and network: the node's address, a route for Service addresses so that kube-proxy gets to see them, and folders of the bed's own.</summary>
    private static async Task PrepareAsync()
    {
        var covers = string.Join('\n', BedPaths.Covered.Select(folder => $"mount -t tmpfs tmpfs {folder}"));
        await Shell.ShAsync($"""
            mount -t tmpfs tmpfs /run
            mkdir -p {BedPaths.Root}/pki {BedPaths.Root}/cni {BedPaths.Gateway} /run/lock
            {covers}
            printf 'nameserver {BedPaths.NodeAddress}\nsearch svc.cluster.local cluster.local\noptions timeout:1 attempts:1\n' > {BedPaths.Root}/resolv.conf
            [ -e /etc/resolv.conf ] && mount --bind {BedPaths.Root}/resolv.conf "$(readlink -m /etc/resolv.conf)" 2>/dev/null || true
            ip link set lo up
            ip link add node0 type bridge
            ip addr add {BedPaths.NodeAddress}/24 dev node0
            ip link set node0 up
            ip route add 10.0.0.0/16 dev node0
            sysctl -qw net.ipv4.ip_forward=1
            """);
        Directory.SetCurrentDirectory(BedPaths.Root);
        await File.WriteAllTextAsync(ClusterDns.HostsFile, "");
        await File.WriteAllTextAsync("containerd.toml", BedConfigurations.Containerd);
        await File.WriteAllTextAsync("cni/10-pods.conflist", BedConfigurations.Cni);
        await File.WriteAllTextAsync("kubelet.yaml", BedConfigurations.Kubelet);
        await File.WriteAllTextAsync("audit-policy.yaml", BedConfigurations.AuditPolicy);
    }

    private static ClusterClient WriteCredentials(Certificates certificates)
    {
        var (serverCertificate, serverKey) = certificates.Issue("CN=kube-apiserver");
        var (adminCertificate, adminKey) = certificates.Issue("CN=admin, O=system:masters");
        var (tokenPrivate, tokenPublic) = Certificates.TokenKeys();
        foreach (var (file, content) in ((string, string)[])
            [("ca.crt", certificates.AuthorityPem), ("server.crt", serverCertificate), ("server.key", serverKey), ("sa.key", tokenPrivate), ("sa.pub", tokenPublic)])
            File.WriteAllText($"pki/{file}", content);
        static string Encoded(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));
        File.WriteAllText(BedPaths.KubeConfig, $$$"""
            apiVersion: v1
            kind: Config
            clusters: [{name: bed, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: {{{Encoded(certificates.AuthorityPem)}}}}}]
            users: [{name: admin, user: {client-certificate-data: {{{Encoded(adminCertificate)}}}, client-key-data: {{{Encoded(adminKey)}}}}}]
            contexts: [{name: bed, context: {cluster: bed, user: admin}}]
            current-context: bed
            """);
        return new ClusterClient("https://127.0.0.1:6443", certificates.AuthorityPem, adminCertificate, adminKey);
    }

    private static string[] ApiServerArguments() =>
    [
        "--etcd-servers=http://127.0.0.1:2379", "--secure-port=6443", "--bind-address=0.0.0.0", $"--advertise-address={BedPaths.NodeAddress}", "--insecure-port=0",
        $"--cert-dir={BedPaths.Root}/apicert", "--tls-cert-file=pki/server.crt", "--tls-private-key-file=pki/server.key", "--client-ca-file=pki/ca.crt",
        "--kubelet-preferred-address-types=InternalIP", "--service-account-key-file=pki/sa.pub", "--service-account-signing-key-file=pki/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/16", "--authorization-mode=RBAC", "--enable-admission-plugins=OwnerReferencesPermissionEnforcement", "--allow-privileged=true",
        "--audit-policy-file=audit-policy.yaml", $"--audit-log-path={BedPaths.AuditLog}", "--audit-log-mode=blocking",
    ];

    private async Task StartContainerdAsync()
    {
        Run("containerd", "containerd", "--config", "containerd.toml");
        var pauseRoot = Directory.CreateDirectory($"{BedPaths.Root}/pause").FullName;
        File.Copy(Path.Combine(BedPaths.Cache, "pause"), Path.Combine(pauseRoot, "pause"));
        await new DockerArchive(pauseRoot, "/pause").Tag("registry.local/pause:1").WriteAsync($"{BedPaths.Root}/pause.tar");
        await UntilAsync(async () => (await Shell.RunAsync("ctr", ["-a", BedPaths.ContainerdSocket, "version"])).Ok, "containerd", "containerd");
        // Before the API server is there: the kubelet first looks five seconds for a Docker, and then tries until it has a server.
        Run("kubelet", BedPaths.Binary("kubelet"), "--config=kubelet.yaml", "--kubeconfig", BedPaths.KubeConfig, "--hostname-override=node1", $"--node-ip={BedPaths.NodeAddress}",
            "--container-runtime=remote", $"--container-runtime-endpoint=unix://{BedPaths.ContainerdSocket}", $"--root-dir={BedPaths.Root}/kubelet", $"--cert-dir={BedPaths.Root}/kubelet-pki");
        List<string> archives = [$"{BedPaths.Root}/pause.tar"];
        if (options.Images is { } folder && Directory.Exists(folder))
            archives.AddRange(Directory.EnumerateFiles(folder, "*.tar").Order(StringComparer.Ordinal));
        foreach (var archive in archives)
            (await Shell.RunAsync("ctr", ["-a", BedPaths.ContainerdSocket, "-n", "k8s.io", "image", "import", archive])).OrThrow();
    }

    private Process StartCommand()
    {
        var start = new ProcessStartInfo(options.Command[0]) { WorkingDirectory = _workingDirectory };
        foreach (var word in options.Command.Skip(1))
            start.ArgumentList.Add(word);
        var environment = start.Environment;
        environment["KUBECONFIG"] = BedPaths.KubeConfig;
        environment["PATH"] = $"{environment["PATH"]}:{BedPaths.Cache}";
        environment["BED_DIR"] = BedPaths.Root;
        environment["BED_AUDIT_LOG"] = BedPaths.AuditLog;
        environment["BED_NODES"] = options.RealNode ? "real" : options.HollowNodes > 0 ? "hollow" : "none";
        environment["BED_PROMETHEUS"] = options.Prometheus ? "yes" : "no";
        environment["BED_GATEWAY"] = options.Gateway ? "yes" : "no";
        if (options.Prometheus)
            environment["BED_PROMETHEUS_URL"] = $"http://{BedPaths.NodeAddress}:9090";
        if (options.Gateway)
        {
            environment["BED_GATEWAY_URL"] = $"http://{BedPaths.NodeAddress}:8080";
            environment["BED_GATEWAY_LOG"] = $"{BedPaths.Gateway}/access.log";
        }

        return Process.Start(start)!;
    }

    private async Task<string> ControlAsync(string line)
    {
        if (line.Split(' ') is not [var verb, var name])
            return "error: VERB DAEMON";
        if (!_daemons.TryGetValue(name, out var daemon))
            return $"error: no {name} here; there are {string.Join(' ', _daemons.Keys)}";
        switch (verb)
        {
            case "start":
                daemon.Start();
                break;
            case "stop":
                await daemon.StopAsync();
                break;
            case "restart":
                await daemon.StopAsync();
                daemon.Start();
                break;
            case "kill":
                daemon.Signal(Signals.Kill);
                break;
            case "pause":
                daemon.Signal(Signals.Stop);
                break;
            case "resume":
                daemon.Signal(Signals.Continue);
                break;
            default:
                return "error: start, stop, restart, kill, pause or resume";
        }

        return $"ok {daemon.Pid}";
    }

    private Daemon Run(string name, string file, params string[] args) => Add(name, file, args).Start();

    /// <summary>A part that does not run yet.</summary>
    private Daemon Add(string name, string file, params string[] args)
    {
        var daemon = new Daemon(name, file, args);
        lock (_daemons)
            _daemons[name] = daemon;
        return daemon;
    }

    private async Task UntilAsync(Func<Task<bool>> condition, string what, string daemon)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (_daemons.TryGetValue(daemon, out var process) && process.Pid is null)
                throw new InvalidOperationException($"{what}: {daemon} ended\n{Tail(daemon)}");
            if (Stopwatch.GetElapsedTime(start) > s_patience)
                throw new TimeoutException($"{what} not ready after {s_patience.TotalSeconds} s\n{Tail(daemon)}");
            await TimeProvider.System.Delay(TimeSpan.FromMilliseconds(100), _stopping.Token);
        }
    }

    /// <summary>A part within this process. A bed that has lost one is none: what is tested in it would fail far from the cause, so it ends.</summary>
    private void Background(Task task, string what) => _ = task.ContinueWith(
        ended =>
        {
            if (!_stopping.IsCancellationRequested)
                _lost.TrySetException(new InvalidOperationException($"{what} has ended: {ended.Exception?.GetBaseException().ToString() ?? "of itself"}"));
        },
        TaskScheduler.Default);

    private static string Tail(string daemon) =>
        File.Exists(Daemon.LogOf(daemon)) ? string.Join('\n', File.ReadLines(Daemon.LogOf(daemon)).TakeLast(25)) : "(no log)";

    private void KeepLogs()
    {
        if (options.KeepLogs is not { } target)
            return;
        Directory.CreateDirectory(target);
        foreach (var log in Directory.EnumerateFiles(BedPaths.Root, "*.log").Concat(Directory.EnumerateFiles(BedPaths.Gateway)))
            File.Copy(log, Path.Combine(target, Path.GetFileName(log)), overwrite: true);
    }

    private void Say(string what)
    {
        if (what == "ready" || Environment.GetEnvironmentVariable("BED_VERBOSE") is not null)
            Console.Error.WriteLine($"bed: {what} after {Stopwatch.GetElapsedTime(_began).TotalSeconds:0.0} s");
    }
}
