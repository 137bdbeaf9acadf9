using System.Text;
using System.Text.Json.Nodes;
using RagOperator.TestBed.Cluster;

namespace RagOperator.TestBed.Bed;

/// <summary>
/// What kubernetes_sd_configs (role pod) does for Prometheus, done outside of it: Debian builds its Prometheus without that. Writes the
/// same targets with the same <c>__meta_kubernetes_*</c> labels to a file that Prometheus watches, so that its relabelling is the usual one.
/// </summary>
internal sealed class PodDiscovery(ClusterClient client)
{
    // In a folder of its own: Prometheus reads it again whenever anything in its folder changes, and the audit log grows with each request.
    public const string TargetsFile = BedPaths.Targets + "/pods.json";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var signal = new ChangeSignal();
        var pods = new Mirror(client, "/api/v1/pods", signal.Set);
        await Together.RunAsync(pods.RunAsync(cancellationToken), TellAsync(pods, signal, cancellationToken));
    }

    private static async Task TellAsync(Mirror pods, ChangeSignal signal, CancellationToken cancellationToken)
    {
        var last = "";
        while (true)
        {
            await signal.WaitAsync(cancellationToken);
            var text = Targets(pods.Items).ToJsonString();
            if (text == last)
                continue;
            await File.WriteAllTextAsync(TargetsFile + ".new", text, cancellationToken);
            File.Move(TargetsFile + ".new", TargetsFile, overwrite: true);
            last = text;
        }
    }

    private static JsonArray Targets(IReadOnlyList<JsonObject> pods)
    {
        var groups = new JsonArray();
        foreach (var pod in pods)
        {
            if (pod["status"]?["podIP"]?.GetValue<string>() is not { Length: > 0 } address)
                continue;
            var metadata = pod["metadata"]!;
            foreach (var container in pod["spec"]!["containers"]!.AsArray())
                foreach (var port in container!["ports"]?.AsArray() ?? [])
                {
                    var number = port!["containerPort"]!.GetValue<int>();
                    var labels = new JsonObject
                    {
                        ["__meta_kubernetes_namespace"] = metadata["namespace"]!.GetValue<string>(),
                        ["__meta_kubernetes_pod_name"] = metadata["name"]!.GetValue<string>(),
                        ["__meta_kubernetes_pod_phase"] = pod["status"]!["phase"]!.GetValue<string>(),
                        ["__meta_kubernetes_pod_container_name"] = container["name"]!.GetValue<string>(),
                        ["__meta_kubernetes_pod_container_port_name"] = port["name"]?.GetValue<string>() ?? "",
                        ["__meta_kubernetes_pod_container_port_number"] = $"{number}",
                    };
                    foreach (var (kind, values) in ((string, JsonNode?)[])[("label", metadata["labels"]), ("annotation", metadata["annotations"])])
                        foreach (var (key, value) in values?.AsObject() ?? [])
                            labels[$"__meta_kubernetes_pod_{kind}_{Sanitized(key)}"] = value!.GetValue<string>();
                    groups.Add((JsonNode)new JsonObject { ["targets"] = new JsonArray($"{address}:{number}"), ["labels"] = labels });
                }
        }

        return groups;
    }

    private static string Sanitized(string key)
    {
        var text = new StringBuilder(key.Length);
        foreach (var letter in key)
            text.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        return text.ToString();
    }
}
