using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Kubernetes;

/// <summary>Settings of an operator's runtime. The defaults suit an operator for a whole cluster.</summary>
public sealed class OperatorOptions
{
    /// <summary>The operator's name: reporting controller of events. A qualified name, for instance <c>rag.example.com/operator</c>.</summary>
    public string Name { get; set; } = "ragoperator";

    /// <summary>This process, for events: at most 128 characters. The host's name, in a pod that is the pod's, by default.</summary>
    public string Instance { get; set; } = Environment.GetEnvironmentVariable("HOSTNAME") ?? Environment.MachineName;

    /// <summary>How several processes agree on one that acts; null (the default) for one process alone.</summary>
    public LeaderElectionConfig? LeaderElection { get; set; }

    /// <summary>The namespaces to watch, without repetition; none for all.</summary>
    public IReadOnlyList<string> Namespaces { get; set; } = [];

    /// <summary>Where the API server is; <see cref="KubernetesClientConfiguration.BuildDefaultConfig"/> by default.</summary>
    public Func<KubernetesClientConfiguration> ClientConfiguration { get; set; } = KubernetesClientConfiguration.BuildDefaultConfig;

    /// <summary>Reconciles at once per controller, 1 and more; twice the number of cores by default.</summary>
    public int Workers { get; set; } = Environment.ProcessorCount * 2;

    /// <summary>How long reconciles that run when the process is asked to stop may go on before they are cancelled; 20 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The annotation of events that holds the trace id of the pass that caused them.</summary>
    public string TraceIdAnnotation { get; set; } = "ragoperator.io/trace-id";
}
