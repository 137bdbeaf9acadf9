using System.Diagnostics.CodeAnalysis;
using RagOperator.Kubernetes;

namespace RagOperator.Demo;

/// <summary>CLUSTER=current: what the current kubeconfig leads to. Everything that is missing is said at once, before anything is changed.</summary>
internal static class CurrentCluster
{
    public const string Needs = """
        CLUSTER=current needs, in the cluster of your current kubeconfig:
          GATEWAY_URL      where its gateway takes requests, for instance http://192.0.2.10
          PROMETHEUS_URL   a Prometheus that scrapes the pods of namespace rag-demo, reachable from here; their series need the label
                           service = name-component-revision (the pods' labels ragoperator.dev/name, /component and /revision)
          IMAGE            the sample service's image without its tag, in a registry that the cluster pulls from, with the tags
                           1.0, 1.1, 1.2-err5 and 1.2-slow4000 (make images packs them into artifacts/images/rag-sample.tar)
          GATEWAY          namespace/name of a Gateway that takes routes from all namespaces (default gateways/public)
        and the rights to create a namespace (rag-demo, deleted at the end), the CRD, and what RagDeployments are made of.
        """;

    /// <summary>The site, or what is missing for it.</summary>
    public static async Task<(Site? Site, IReadOnlyList<string> Missing)> CheckAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        var gateway = Address("GATEWAY_URL", missing);
        var prometheus = Address("PROMETHEUS_URL", missing);
        var image = Variable("IMAGE");
        if (image is null)
            missing.Add("IMAGE is not set");
        var (ns, name) = (Variable("GATEWAY") ?? "gateways/public").Split('/') is [var left, var right] ? (left, right) : ("", "");
        if (name.Length == 0)
            missing.Add("GATEWAY is not namespace/name");

        var version = await cluster.GetRawAsync("/version", cancellationToken);
        if (version.Reason != ApiReason.None)
        {
            missing.Add($"the API server of the current kubeconfig does not answer: {version.Message}");
        }
        else
        {
            await CheckClusterAsync(cluster, ns, name, missing, cancellationToken);
        }

        if (prometheus is not null && await ProblemOfAsync(new Uri(prometheus, "/api/v1/query?query=1"), cancellationToken) is { } problem)
            missing.Add($"PROMETHEUS_URL {prometheus}: {problem}");
        return missing.Count > 0 ? (null, missing) : (new Site($"the cluster at {cluster.Address}", gateway!, prometheus!, image!, ns, name, null), missing);
    }

    private static async Task CheckClusterAsync(Cluster cluster, string ns, string name, List<string> missing, CancellationToken cancellationToken)
    {
        var group = "/apis/gateway.networking.k8s.io/v1";
        var gateway = await cluster.GetRawAsync($"{group}/namespaces/{ns}/gateways/{name}", cancellationToken);
        if (!gateway.IsSuccess)
            missing.Add((await cluster.GetRawAsync($"{group}/httproutes?limit=1", cancellationToken)).IsSuccess
                ? $"there is no Gateway {ns}/{name}: {gateway.Message}"
                : "the cluster has no Gateway API (HTTPRoute of gateway.networking.k8s.io/v1)");
        if ((await cluster.GetRawAsync($"/api/v1/namespaces/{Site.Namespace}", cancellationToken)).IsSuccess)
            missing.Add($"namespace {Site.Namespace} is there already: delete it first (kubectl delete namespace {Site.Namespace})");
        foreach (var what in (string[])["namespaces", "customresourcedefinitions.apiextensions.k8s.io"])
            if (!(await Cluster.KubectlAsync(["auth", "can-i", "create", what], cancellationToken: cancellationToken)).Ok)
                missing.Add($"no right to create {what}");
        var operators = await Cluster.KubectlAsync(["get", "deployments", "-A", "-l", "app.kubernetes.io/name=rag-operator", "-o", "name"], cancellationToken: cancellationToken);
        if (operators.Out.Trim().Length > 0)
            missing.Add("an operator runs in this cluster already, and two would work on the same object: scale it down first");
    }

    private static async Task<string?> ProblemOfAsync(Uri url, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var response = await http.GetAsync(url, cancellationToken);
            return response.IsSuccessStatusCode ? null : $"{(int)response.StatusCode}";
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return e.Message;
        }
    }

    [SuppressMessage("Design", "MA0015", Justification = "not an argument")]
    private static Uri? Address(string variable, List<string> missing)
    {
        if (Variable(variable) is not { } text)
        {
            missing.Add($"{variable} is not set");
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            return url;
        missing.Add($"{variable} '{text}' is no http or https address");
        return null;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
