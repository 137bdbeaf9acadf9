using RagOperator.Operator.Sla;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>The operator's configuration, read and checked. docs/configuration.md lists the keys.</summary>
internal sealed record HostSettings
{
    /// <summary>The namespaces to watch, sorted, each once; none for all.</summary>
    public IReadOnlyList<string> WatchNamespaces { get; init; } = [];

    /// <summary>The kubeconfig to use; null: KUBECONFIG, then ~/.kube/config, then the pod's own account.</summary>
    public string? KubeConfig { get; init; }

    /// <summary>The context of that kubeconfig; null for its current one.</summary>
    public string? Context { get; init; }

    /// <summary>Reconciles at once, 1 to 256; twice the number of cores by default.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount * 2;

    /// <summary>How several processes agree on one that acts.</summary>
    public LeaderElectionSettings LeaderElection { get; init; } = new();

    /// <summary>The address that probes and metrics are served at; <c>*</c> for every one.</summary>
    public string HttpAddress { get; init; } = "*";

    /// <summary>The port that probes and metrics are served at; 0: any free one.</summary>
    public int HttpPort { get; init; } = 8080;

    /// <summary>The least level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Whether logs are JSON, one object a line; else text for people.</summary>
    public bool LogJson { get; init; } = true;

    /// <summary>Where metrics and traces are sent by OTLP; null: nowhere.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Whether OTLP goes by gRPC; else HTTP with protobuf.</summary>
    public bool OtlpGrpc { get; init; } = true;

    /// <summary>The metric sources by name.</summary>
    public IReadOnlyDictionary<string, MetricSourceOptions> MetricSources { get; init; } = new Dictionary<string, MetricSourceOptions>(StringComparer.Ordinal);

    /// <summary>Variables that new pods get beside the user's own.</summary>
    public PodEnvironment PodEnvironment { get; init; } = PodEnvironment.None;

    /// <summary>The presets by name, built-in ones included.</summary>
    public IReadOnlyDictionary<string, string> Presets { get; init; } = Api.MetricPresets.BuiltIn;

    /// <summary>The admission webhook.</summary>
    public WebhookSettings Webhook { get; init; } = new();

    /// <summary>Whether pods are asked for a connection before their first requests.</summary>
    public bool AskForConnections { get; init; } = true;

    /// <summary>Whether requests but abort and pause are refused where nothing proves who made them.</summary>
    public bool RequireIdentity { get; init; }
}
