namespace RagOperator.FaultTests.Worlds;

/// <summary>The RagDeployment of these tests, to be changed by <c>with</c>: three components whose pods only pretend, and quick steps.</summary>
public sealed record ServiceSpec
{
    /// <summary>The query that tells errors of a component revision's Service.</summary>
    public const string Query = """errors{service=\"$(service)\"}""";

    public string Api { get; init; } = "1";

    public string Embedder { get; init; } = "1";

    /// <summary>Whether the flag <c>replay</c>, which the step <c>half</c> names, is enabled; null for no flag at all.</summary>
    public bool? Flag { get; init; }

    /// <summary>Whether the step <c>half</c> waits for an approval.</summary>
    public bool Approval { get; init; }

    /// <summary>The step that waits for an approval, instead of <see cref="Approval"/>; null for none.</summary>
    public string? ApprovalAt { get; init; }

    /// <summary>More of the route: JSON members that begin with a comma.</summary>
    public string Rules { get; init; } = "";

    public int Replicas { get; init; } = 1;

    public string ProgressDeadline { get; init; } = "10m";

    public string Interval { get; init; } = "1s";

    public string Window { get; init; } = "1s";

    public string NoDataTimeout { get; init; } = "30m";

    public int FailAfter { get; init; } = 2;

    /// <summary>More of <c>spec.sla</c>, as JSON members with a comma at the end.</summary>
    public string Sla { get; init; } = "";

    /// <summary>How long each step is held.</summary>
    public string Hold { get; init; } = "1s";

    /// <summary>How long a step is held, where that is not <see cref="Hold"/>: by its index, from 0.</summary>
    public Func<int, string>? HoldOf { get; init; }

    /// <summary>Members of the api's pod spec, as JSON with a comma at the end.</summary>
    public string ApiPod { get; init; } = "";

    public string Limit { get; init; } = """{"max": "1%"}""";

    private string Flags => Flag is { } enabled ? "\"featureFlags\": {\"flags\": [{\"name\": \"replay\", \"enabled\": " + (enabled ? "true" : "false") + "}]}," : "";

    private string StepFlags => Flag is null ? "" : ", \"flags\": [\"replay\"]";

    private string ApprovalOf(string step) => ApprovalAt == step || (Approval && step == "half") ? ", \"approval\": \"Required\"" : "";

    public string ToJson() => $$"""
        {
          "apiVersion": "ragoperator.dev/v1alpha1", "kind": "RagDeployment", "metadata": {"name": "assistant"},
          "spec": {
            "components": [
              {{Component("embedder", Embedder, "", 1, "")}},
              {{Component("reranker", "1", "", 1, "")}},
              {{Component("api", Api, "\"embedder\", \"reranker\"", Replicas, ApiPod)}}
            ],
            "traffic": {"gatewayApi": {"parentRefs": [{"name": "public", "namespace": "gateways"}], "hostnames": ["assistant.example.com"]{{Rules}}} },
            {{Flags}}
            "rollout": {
              "progressDeadline": "{{ProgressDeadline}}", "retireDelay": "1s",
              "steps": [
                {"name": "few", "weight": 10, "hold": "{{HoldOf?.Invoke(0) ?? Hold}}"{{ApprovalOf("few")}}},
                {"name": "half", "weight": 50, "hold": "{{HoldOf?.Invoke(1) ?? Hold}}"{{StepFlags}}{{ApprovalOf("half")}}},
                {"name": "full", "weight": 100, "hold": "{{HoldOf?.Invoke(2) ?? Hold}}"{{ApprovalOf("full")}}}
              ]
            },
            "rollback": {"keepFailedPods": "1s", "undoWindow": "1h"},
            "sla": {
              {{Sla}}
              "interval": "{{Interval}}", "warmUp": "0s", "noDataTimeout": "{{NoDataTimeout}}",
              "metrics": [{"name": "errors", "query": "{{Query}}", "window": "{{Window}}", "limit": {{Limit}}, "failAfter": {{FailAfter}}}]
            }
          }
        }
        """;

    private static string Component(string name, string tag, string dependsOn, int replicas, string pod) => $$"""
        {
          "name": "{{name}}", "replicas": {{replicas}}, "dependsOn": [{{dependsOn}}], "ports": [{"name": "http", "port": 8000}],
          "template": {"spec": { {{pod}} "containers": [{"name": "main", "image": "{{name}}:{{tag}}"}]} }
        }
        """;
}
