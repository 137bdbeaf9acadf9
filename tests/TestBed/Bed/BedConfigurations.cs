namespace RagOperator.TestBed.Bed;

/// <summary>Configuration files of the bed's parts.</summary>
internal static class BedConfigurations
{
    // restrict_oom_score_adj: CAP_SYS_RESOURCE is missing where beds usually run. opt: its default makes a folder under /opt.
    public const string Containerd = $"""
        version = 2
        root = "{BedPaths.Root}/containerd"
        state = "{BedPaths.Root}/containerd-state"
        disabled_plugins = ["io.containerd.internal.v1.opt"]
        [grpc]
          address = "{BedPaths.ContainerdSocket}"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "registry.local/pause:1"
          restrict_oom_score_adj = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "{BedPaths.Root}/cni"
        """;

    public const string Cni = $$$"""
        {"cniVersion":"0.4.0","name":"pods","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"hairpinMode":true,
         "ipam":{"type":"host-local","dataDir":"{{{BedPaths.Root}}}/cni-addresses","ranges":[[{"subnet":"10.244.0.0/16"}]],"routes":[{"dst":"0.0.0.0/0"}]}}]}
        """;

    // Writes of what matters here with their bodies, all other writes by name, no reads: the record of what the API server accepted, from whom.
    public const string AuditPolicy = """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        omitStages: [RequestReceived]
        rules:
          # Reads are too many to log, but for the namespace in which a test counts them.
          - level: Metadata
            verbs: [get, list, watch]
            namespaces: [idle]
          # Operators whose rights are asked about: a read may be refused, too. Bodies only where nothing else says which right was missing (finalizers): they are many.
          - level: RequestResponse
            userGroups: ["system:serviceaccounts:rights"]
            verbs: [create]
            resources: [{group: apps}]
          - level: Metadata
            userGroups: ["system:serviceaccounts:rights"]
          - level: None
            verbs: [get, list, watch]
          - level: None
            users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
          - level: None
            userGroups: ["system:serviceaccounts:kube-system"]
          - level: RequestResponse
            resources:
              - group: ragoperator.dev
              - group: gateway.networking.k8s.io
              - group: apps
                resources: [deployments, controllerrevisions]
              - group: ""
                resources: [configmaps, services]
          - level: Metadata
        """;

    // kubeAPIQPS: five writes a second, the default, are few for a node that has all pods of all tests.
    // syncFrequency: how soon a changed ConfigMap reaches its files; Kubernetes' own default, a minute, would make each flag test wait that long.
    public const string Kubelet = $$$"""
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        cgroupDriver: cgroupfs
        cgroupsPerQOS: false
        enforceNodeAllocatable: []
        failSwapOn: false
        authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
        authorization: {mode: AlwaysAllow}
        clusterDomain: cluster.local
        clusterDNS: ["{{{BedPaths.NodeAddress}}}"]
        resolvConf: ""
        syncFrequency: 10s
        nodeStatusUpdateFrequency: 2s
        maxPods: 250
        registryPullQPS: 0
        eventRecordQPS: 0
        kubeAPIQPS: 100
        kubeAPIBurst: 200
        volumePluginDir: {{{BedPaths.Root}}}/volume-plugins
        evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%"}
        """;

    // Pods are found by the operator's own labels, or by the usual annotation. `service` is the revision's Service: name-component-revision.
    // `namespaces` is a regular expression: whose pods are scraped.
    public static string Prometheus(string interval, string namespaces = ".*") => $$"""
        global:
          scrape_interval: {{interval}}
          scrape_timeout: {{interval}}
          evaluation_interval: {{interval}}
        scrape_configs:
          - job_name: pods
            file_sd_configs:
              - files: [{{PodDiscovery.TargetsFile}}]
                refresh_interval: 1s
            relabel_configs:
              - source_labels: [__meta_kubernetes_pod_phase]
                action: drop
                regex: Pending|Succeeded|Failed
              - source_labels: [__meta_kubernetes_namespace]
                action: keep
                regex: {{namespaces}}
              - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
                action: drop
                regex: "false"
              - source_labels: [__meta_kubernetes_pod_label_ragoperator_dev_revision, __meta_kubernetes_pod_annotation_prometheus_io_scrape]
                action: keep
                regex: .+;.*|.*;true
              - source_labels: [__address__, __meta_kubernetes_pod_annotation_prometheus_io_port]
                regex: ([^:]+)(?::\d+)?;(\d+)
                replacement: ${1}:${2}
                target_label: __address__
              - source_labels: [__meta_kubernetes_namespace]
                target_label: namespace
              - source_labels: [__meta_kubernetes_pod_name]
                target_label: pod
              - source_labels: [__meta_kubernetes_pod_label_ragoperator_dev_component]
                target_label: component
              - source_labels: [__meta_kubernetes_pod_label_ragoperator_dev_name, __meta_kubernetes_pod_label_ragoperator_dev_component, __meta_kubernetes_pod_label_ragoperator_dev_revision]
                separator: "-"
                regex: (.+-.+-.+)
                target_label: service
          # Operators that run as processes, as tests name them. Their series say themselves which namespace they are about.
          - job_name: operators
            honor_labels: true
            file_sd_configs:
              - files: [{{BedPaths.Scraped}}/*.json]
                refresh_interval: 1s
        """;
}
