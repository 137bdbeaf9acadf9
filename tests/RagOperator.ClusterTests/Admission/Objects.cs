namespace RagOperator.ClusterTests.Admission;

/// <summary>RagDeployments for the webhook; no pod of theirs ever runs.</summary>
internal static class Objects
{
    /// <summary>A good one with three steps, the first of which needs an approval.</summary>
    public const string Good = """
        apiVersion: ragoperator.dev/v1alpha1
        kind: RagDeployment
        metadata: {name: assistant}
        spec:
          components:
            - name: embedder
              ports: [{name: http, port: 8003}]
              template: {spec: {containers: [{name: embedder, image: "none:1"}]}}
            - name: api
              dependsOn: [embedder]
              ports: [{name: http, port: 8000}]
              template: {spec: {containers: [{name: api, image: "none:1"}]}}
          traffic: {gatewayApi: {parentRefs: [{name: public, namespace: gateways}]}}
          rollout:
            steps:
              - {name: canary, weight: 5, hold: 1h, approval: Required}
              - {name: half, weight: 50, hold: 1h}
              - {name: full, weight: 100, hold: 1h}
          sla: {metrics: [{name: errors, preset: http-error-rate, limit: {max: 1%}}]}
        """;

    /// <summary>Four things are wrong that only validators find: on a server of 1.20 the schema takes them.</summary>
    public static string Bad { get; } = Good
        .Replace("weight: 100", "weight: 99", StringComparison.Ordinal)
        .Replace("dependsOn: [embedder]", "dependsOn: [embeder]", StringComparison.Ordinal)
        .Replace("http-error-rate", "no-such-preset", StringComparison.Ordinal);

    /// <summary>What is wrong with <see cref="Bad"/>.</summary>
    public static IReadOnlyList<string> BadFields { get; } = ["spec.components[1].dependsOn[0]", "spec.traffic.component", "spec.rollout.steps[2].weight", "spec.sla.metrics[0].preset"];
}
