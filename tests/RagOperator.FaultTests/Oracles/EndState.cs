using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Oracles;

/// <summary>All that is left in a namespace, as lines "path = value", without what differs from run to run.</summary>
public static class EndState
{
    private static readonly string[] s_paths =
    [
        "/apis/ragoperator.dev/v1alpha1/namespaces/{0}/ragdeployments", "/apis/gateway.networking.k8s.io/v1/namespaces/{0}/httproutes", "/apis/apps/v1/namespaces/{0}/deployments",
        "/apis/apps/v1/namespaces/{0}/controllerrevisions", "/api/v1/namespaces/{0}/services", "/api/v1/namespaces/{0}/configmaps",
    ];

    // Identities, bookkeeping and addresses of the server's; what a metric said and when; the status of Deployments is their controller's.
    private static readonly Regex s_masked = new(
        @"\.metadata\.(uid|resourceVersion|creationTimestamp|managedFields|selfLink)|\.ownerReferences\[\d+\]\.uid|\.spec\.clusterIPs?|^deployments/.*\.status|\.namespace$|^(deployments|services|httproutes|configmaps|controllerrevisions)/.*\.metadata\.generation"
        + @"|\.status\.sla\[\d+\]\.(value|stableValue|baseline|noData|tooFew|errors|invalid|message|streak)$|\.status\.history\[\d+\]\.(values|message)|\.status\.rollback\.message$|\.heldFor$|deployment\.kubernetes\.io|\.status\.parents",
        RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));

    public static async Task<IReadOnlySet<string>> OfAsync(ApiAccess api, string ns)
    {
        ArgumentNullException.ThrowIfNull(api);
        var lines = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in s_paths)
            foreach (var item in await api.ListAsync(string.Format(CultureInfo.InvariantCulture, path, ns)))
            {
                var name = item.GetProperty("metadata").GetProperty("name").GetString()!;
                if (name == "kube-root-ca.crt")
                    continue;
                Flatten($"{path[(path.LastIndexOf('/') + 1)..]}/{name}", item, lines);
            }

        return lines;
    }

    /// <summary>What one has and the other lacks, both ways.</summary>
    public static IReadOnlyList<string> Differences(IReadOnlySet<string> expected, IReadOnlySet<string> found, IReadOnlySet<string> masks)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(masks);
        bool Kept(string line) => !masks.Contains(PathOf(line));
        return [.. expected.Except(found).Where(Kept).Select(l => $"missing: {l}"), .. found.Except(expected).Where(Kept).Select(l => $"extra: {l}")];
    }

    /// <summary>The path of a line.</summary>
    public static string PathOf(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line[..line.IndexOf(" = ", StringComparison.Ordinal)];
    }

    /// <summary>The object that a line is about: <c>deployments/assistant-api-4f9c</c>.</summary>
    public static string ObjectOf(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line[..line.IndexOfAny(['.', '['])];
    }

    private static void Flatten(string path, JsonElement element, HashSet<string> lines)
    {
        if (s_masked.IsMatch(path))
            return;
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                    Flatten($"{path}.{member.Name}", member.Value, lines);
                break;
            case JsonValueKind.Array:
                var i = 0;
                foreach (var item in element.EnumerateArray())
                    Flatten($"{path}[{i++}]", item, lines);
                break;
            case JsonValueKind.String when element.TryGetDateTimeOffset(out _):
                lines.Add($"{path} = (a time)");
                break;
            default:
                lines.Add($"{path} = {element}");
                break;
        }
    }
}
