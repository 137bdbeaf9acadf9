using System.Text;

namespace RagOperator.TestBed.Tests;

/// <summary>The sample service in pods, two revisions of its api, behind one route: what an operator would make, made by hand.</summary>
public sealed class SampleServiceFixture : IAsyncLifetime
{
    public const string Host = "sample.example.com";
    public const string Route = "default/sample";
    public const string Stable = "default/sample-api-r1";
    public const string Canary = "default/sample-api-r2";

    public ClusterBed? Bed { get; private set; }

    public async Task InitializeAsync()
    {
        if (!ClusterBed.HasPods)
            return;
        Bed = ClusterBed.FromEnvironment();
        var manifests = new StringBuilder();
        manifests.Append(Component("embedder", "r1", 8003, "emptyDir: {}"));
        manifests.Append(Component("reranker", "r1", 8004, "emptyDir: {}"));
        manifests.Append(Component("api", "r1", 8000, "configMap: {name: sample-flags}"));
        manifests.Append(Component("api", "r2", 8000, "configMap: {name: sample-flags}"));
        manifests.Append(Flags(replay: false));
        await Bed.ApplyAsync(manifests.ToString());
        await ApplyRouteAsync(95, 5);
        (await Bed.KubectlAsync("wait", "--for=condition=Available", "deployment", "--all", "--timeout=90s")).OrThrow();
        await Bed.WaitUntilAsync(async () => (await Bed.AskAsync(Host, "/ask?q=chain")).Status == 200, TimeSpan.FromSeconds(20), "the sample answers through the gateway");
    }

    public Task DisposeAsync()
    {
        Bed?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Writes the weights and waits until the gateway says that it serves that generation.</summary>
    public async Task SetWeightsAsync(int stable, int canary)
    {
        await ApplyRouteAsync(stable, canary);
        await Bed!.WaitUntilAsync(ServedAsync, TimeSpan.FromSeconds(15), $"weights {stable}:{canary} served");
    }

    public async Task<(bool Done, string Seen)> ServedAsync()
    {
        var route = (await Bed!.GetAsync("httproute", "sample"))!.Value;
        var generation = route.GetProperty("metadata").GetProperty("generation").GetInt64();
        if (!route.TryGetProperty("status", out var status))
            return (false, "no status");
        var conditions = status.GetProperty("parents")[0].GetProperty("conditions").EnumerateArray().ToList();
        return (conditions.Count == 2 && conditions.TrueForAll(condition => condition.GetProperty("status").GetString() == "True" && condition.GetProperty("observedGeneration").GetInt64() == generation),
            status.ToString());
    }

    public Task ApplyRouteAsync(int stable, int canary) => Bed!.ApplyAsync($$"""
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: sample}
        spec:
          parentRefs: [{name: public, namespace: gateways}]
          hostnames: [{{Host}}]
          rules:
            - timeouts: {request: 30s}
              backendRefs:
                - {name: sample-api-r1, port: 8000, weight: {{stable}}}
                - {name: sample-api-r2, port: 8000, weight: {{canary}}}
        """);

    public static string Flags(bool replay) => $$$"""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: sample-flags}
        data:
          flags.json: '{"flags":{"experience-replay":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"{{{(replay ? "on" : "off")}}}"} } }'
        ---

        """;

    private static string Component(string component, string revision, int port, string flags) => $$$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: sample-{{{component}}}-{{{revision}}} }
        spec:
          replicas: {{{(component == "api" && revision == "r1" ? 2 : 1)}}}
          selector: {matchLabels: &labels {ragoperator.dev/name: sample, ragoperator.dev/component: {{{component}}}, ragoperator.dev/revision: {{{revision}}} } }
          template:
            metadata: {labels: *labels}
            spec:
              securityContext: {runAsNonRoot: true, runAsUser: 1654, seccompProfile: {type: RuntimeDefault}}
              containers:
                - name: {{{component}}}
                  image: rag-sample:1.0
                  imagePullPolicy: Never
                  args: [{{{component}}}]
                  env:
                    - {name: PORT, value: "{{{port}}}"}
                    - {name: RAG_REVISION, value: {{{revision}}} }
                    - {name: RAG_FLAGS_DIR, value: /etc/rag/flags}
                    - {name: RAG_EMBEDDER_URL, value: "http://sample-embedder-r1:8003"}
                    - {name: RAG_RERANKER_URL, value: "http://sample-reranker-r1:8004"}
                  ports: [{name: http, containerPort: {{{port}}}}]
                  readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, timeoutSeconds: 5}
                  resources: {limits: {memory: 128Mi}}
                  securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
                  volumeMounts: [{name: flags, mountPath: /etc/rag/flags}]
              volumes: [{name: flags, {{{flags}}} }]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: sample-{{{component}}}-{{{revision}}} }
        spec:
          selector: {ragoperator.dev/name: sample, ragoperator.dev/component: {{{component}}}, ragoperator.dev/revision: {{{revision}}} }
          ports: [{name: http, port: {{{port}}}, targetPort: http}]
        ---

        """;
}
