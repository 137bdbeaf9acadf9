using System.Text;

namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>A RagDeployment of the sample service (embedder, reranker, api), to be changed by <c>with</c> and applied as YAML. Image tags choose its faults: samples/rag-service/ImageTag.cs.</summary>
public sealed record RagService
{
    /// <summary>Nothing but 5xx and all requests, over a short window.</summary>
    public const string ErrorRate = "{name: error-rate, preset: http-error-rate, window: 5s, limit: {max: 1%}, failAfter: 3}";

    public const string Latency = "{name: latency-p95, preset: http-latency-p95, window: 5s, limit: {max: 500ms}, failAfter: 3}";

    /// <summary>Judged like <see cref="Latency"/>, and kept also on a machine that is busy with other things.</summary>
    public const string GenerousLatency = "{name: latency-p95, preset: http-latency-p95, window: 5s, limit: {max: 8s}, failAfter: 3}";

    public required string Namespace { get; init; }

    public required string Host { get; init; }

    public string Name { get; init; } = "assistant";

    public string Embedder { get; init; } = "1.0";

    public string Reranker { get; init; } = "1.0";

    public string Api { get; init; } = "1.0";

    public int Replicas { get; init; } = 1;

    /// <summary>Flags and whether spec enables them.</summary>
    public IReadOnlyDictionary<string, bool> Flags { get; init; } = new Dictionary<string, bool>(StringComparer.Ordinal);

    /// <summary>Each as YAML: <c>{name: half, weight: 50, hold: 5s}</c>.</summary>
    public IReadOnlyList<string> Steps { get; init; } = ["{name: half, weight: 50, hold: 3s}", "{name: full, weight: 100, hold: 1s}"];

    /// <summary>Each as YAML; none: only availability is watched.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>More of <c>spec.sla</c>: <c>interval: 2s</c>.</summary>
    public IReadOnlyList<string> Sla { get; init; } = ["interval: 1s"];

    /// <summary>More of <c>spec.rollout</c>.</summary>
    public IReadOnlyList<string> Rollout { get; init; } = ["progressDeadline: 4m", "retireDelay: 3s"];

    public string KeepFailedPods { get; init; } = "5m";

    public string UndoWindow { get; init; } = "1h";

    /// <summary>Labels of the object itself.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What <c>kubectl apply</c> is given.</summary>
    public string ToYaml()
    {
        var yaml = new StringBuilder();
        yaml.Append($$"""
            apiVersion: ragoperator.dev/v1alpha1
            kind: RagDeployment
            metadata:
              name: {{Name}}
              namespace: {{Namespace}}
              labels: {{Flow(Labels.Select(label => $"{label.Key}: \"{label.Value}\""))}}
            spec:
              components:

            """);
        yaml.Append(Component("embedder", Embedder, 8003, "[]", 1));
        yaml.Append(Component("reranker", Reranker, 8004, "[]", 1));
        yaml.Append(Component("api", Api, 8000, "[embedder, reranker]", Replicas));
        yaml.Append($$"""
              traffic:
                gatewayApi:
                  parentRefs: [{name: public, namespace: gateways}]
                  hostnames: [{{Host}}]
                  rules: [{timeouts: {request: 60s} }]
              featureFlags:
                flags: [{{string.Join(", ", Flags.Select(Flag))}}]
              rollout:

            """);
        yaml.Append(Lines("    ", Rollout));
        yaml.Append("    steps:\n").Append(Lines("      - ", Steps));
        yaml.Append($"  rollback: {{keepFailedPods: {KeepFailedPods}, undoWindow: {UndoWindow}}}\n");
        if (Metrics.Count > 0)
            yaml.Append("  sla:\n").Append(Lines("    ", Sla)).Append("    metrics:\n").Append(Lines("      - ", Metrics));
        return yaml.ToString();
    }

    private static string Flag(KeyValuePair<string, bool> flag) => Flow([$"name: {flag.Key}", $"enabled: {(flag.Value ? "true" : "false")}"]);

    private static string Flow(IEnumerable<string> entries) => "{" + string.Join(", ", entries) + "}";

    private static string Lines(string before, IReadOnlyList<string> lines) => string.Concat(lines.Select(line => $"{before}{line}\n"));

    private static string Component(string name, string tag, int port, string dependsOn, int replicas) => $$$"""
            - name: {{{name}}}
              replicas: {{{replicas}}}
              dependsOn: {{{dependsOn}}}
              ports: [{name: http, port: {{{port}}}}]
              template:
                spec:
                  automountServiceAccountToken: false
                  terminationGracePeriodSeconds: 15
                  securityContext: {runAsNonRoot: true, runAsUser: 1654, seccompProfile: {type: RuntimeDefault}}
                  containers:
                    - name: {{{name}}}
                      image: rag-sample:{{{tag}}}
                      imagePullPolicy: Never
                      args: [{{{name}}}]
                      env: [{name: PORT, value: "{{{port}}}"}]
                      ports: [{name: http, containerPort: {{{port}}}}]
                      readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, timeoutSeconds: 10}
                      resources: {limits: {memory: 128Mi}}
                      securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}

        """;
}
